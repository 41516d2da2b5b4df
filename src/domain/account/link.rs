//! Links that an e-mail carries for somebody who has lost every way: one to get back in, and one to stop that. Only
//! names made of their secrets are kept.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::domain::session::{AFTER_DELAY, LinkName, RECOVERY_LINK_LIFETIME};
use crate::domain::time::UnixTime;

/// Links an account remembers, the latest: what was replaced says no more than that it is not there.
const MOST_LINKS: usize = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryLink {
    recover: LinkName,
    stop: LinkName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opens_at: Option<UnixTime>,
    expires_at: UnixTime,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    Ready,
    Used,
    Stopped,
}

/// Which of the two a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    Recover,
    Stop,
}

/// What pressing it would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    Ready,
    Early,
    Used,
    Expired,
    Stopped,
}

impl RecoveryLink {
    /// `delay_hours`: how long it waits before it works.
    pub fn new(recover: LinkName, stop: LinkName, delay_hours: u32, now: UnixTime) -> Self {
        let delay = u64::from(delay_hours) * 3600;
        let opens_at = (delay > 0).then(|| now.plus(delay));
        let expires_at = match opens_at {
            Some(opens_at) => opens_at.plus(AFTER_DELAY),
            None => now.plus(RECOVERY_LINK_LIFETIME),
        };
        Self {
            recover,
            stop,
            opens_at,
            expires_at,
            fate: Fate::Ready,
        }
    }

    pub fn opens_at(&self) -> Option<UnixTime> {
        self.opens_at
    }

    /// When it was sent; of one that has to wait, when it opens.
    pub fn sent_at(&self) -> UnixTime {
        let sent_at = self.expires_at.minus(RECOVERY_LINK_LIFETIME);
        self.opens_at.unwrap_or(sent_at)
    }

    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    pub fn kind_of(&self, name: &LinkName) -> Option<LinkKind> {
        if self.recover == *name {
            Some(LinkKind::Recover)
        } else {
            (self.stop == *name).then_some(LinkKind::Stop)
        }
    }

    /// A link to stop is ready as long as there is something to stop.
    pub fn state(&self, kind: LinkKind, now: UnixTime) -> LinkState {
        let early = self.opens_at.is_some_and(|opens_at| opens_at > now);
        match self.fate {
            Fate::Used => LinkState::Used,
            Fate::Stopped => LinkState::Stopped,
            Fate::Ready if self.expires_at <= now => LinkState::Expired,
            Fate::Ready if early && kind == LinkKind::Recover => LinkState::Early,
            Fate::Ready => LinkState::Ready,
        }
    }
}

impl Account {
    /// The only link that works from now on: those before are stopped (OOB-05).
    pub fn open_link(&mut self, link: RecoveryLink) {
        for former in self
            .links
            .iter_mut()
            .filter(|link| link.fate == Fate::Ready)
        {
            former.fate = Fate::Stopped;
        }
        self.links.push(link);
        let surplus = self.links.len().saturating_sub(MOST_LINKS);
        self.links.drain(..surplus);
    }

    /// The link of that name, and which of its two names it is.
    pub fn link(&self, name: &LinkName) -> Option<(LinkKind, &RecoveryLink)> {
        let mut links = self.links.iter();
        links.find_map(|link| Some((link.kind_of(name)?, link)))
    }

    /// Uses the link of that name up, if it works now: whoever pressed has the right to set up a new way.
    pub fn use_link(&mut self, name: &LinkName, now: UnixTime) -> bool {
        let ready = |link: &&mut RecoveryLink| {
            link.kind_of(name) == Some(LinkKind::Recover)
                && link.state(LinkKind::Recover, now) == LinkState::Ready
        };
        let Some(link) = self.links.iter_mut().find(ready) else {
            return false;
        };
        link.fate = Fate::Used;
        true
    }

    /// Stops what the link of that name is to stop. Whether there was something to stop.
    pub fn stop_link(&mut self, name: &LinkName, now: UnixTime) -> bool {
        let ready = |link: &&mut RecoveryLink| {
            link.kind_of(name) == Some(LinkKind::Stop)
                && link.state(LinkKind::Stop, now) == LinkState::Ready
        };
        let Some(link) = self.links.iter_mut().find(ready) else {
            return false;
        };
        link.fate = Fate::Stopped;
        true
    }

    /// A link that was not sent is not there.
    pub fn withdraw_link(&mut self, name: &LinkName) {
        self.links.retain(|link| link.kind_of(name).is_none());
    }

    /// The link that is under way.
    pub fn live_link(&self, now: UnixTime) -> Option<&RecoveryLink> {
        let live = |link: &&RecoveryLink| {
            matches!(
                link.state(LinkKind::Recover, now),
                LinkState::Ready | LinkState::Early
            )
        };
        self.links.iter().find(live)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;

    fn link(delay_hours: u32) -> (RecoveryLink, LinkName, LinkName) {
        let (recover, stop) = (LinkName::of("recover-secret"), LinkName::of("stop-secret"));
        let link = RecoveryLink::new(recover.clone(), stop.clone(), delay_hours, NOW);
        (link, recover, stop)
    }

    #[test]
    fn atk_101_a_link_works_once_for_fifteen_minutes_and_by_its_own_name() {
        let mut fixture = Fixture::active();
        let (link, recover, stop) = link(0);
        fixture.account.open_link(link);
        assert!(!fixture.account.use_link(&stop, NOW));
        assert!(!fixture.account.use_link(&LinkName::of("another"), NOW));
        assert!(!fixture.account.use_link(&recover, NOW.plus(900)));
        assert!(fixture.account.use_link(&recover, NOW.plus(899)));
        assert!(!fixture.account.use_link(&recover, NOW.plus(899)));
        assert!(!fixture.account.stop_link(&stop, NOW.plus(899)));
        let state = fixture
            .account
            .link(&recover)
            .map(|(kind, link)| link.state(kind, NOW));
        assert_eq!(state, Some(LinkState::Used));
    }

    #[test]
    fn atk_101_before_its_delay_a_link_does_nothing_and_can_be_stopped_for_good() {
        let mut fixture = Fixture::active();
        let (link, recover, stop) = link(24);
        let opens = NOW.plus(24 * 3600);
        assert_eq!(link.opens_at(), Some(opens));
        assert_eq!(
            link.state(LinkKind::Recover, opens.minus(1)),
            LinkState::Early
        );
        assert_eq!(link.state(LinkKind::Stop, NOW), LinkState::Ready);
        fixture.account.open_link(link);
        assert!(!fixture.account.clone().use_link(&recover, opens.minus(1)));
        assert!(fixture.account.clone().use_link(&recover, opens));
        assert!(!fixture.account.stop_link(&recover, NOW));
        assert!(fixture.account.stop_link(&stop, NOW));
        assert!(!fixture.account.use_link(&recover, opens));
    }

    #[test]
    fn oob_05_a_new_link_stops_the_one_before() {
        let mut fixture = Fixture::active();
        let (first, recover, _) = link(0);
        fixture.account.open_link(first);
        let second = RecoveryLink::new(LinkName::of("b"), LinkName::of("c"), 0, NOW);
        fixture.account.open_link(second);
        assert!(!fixture.account.use_link(&recover, NOW));
        assert!(fixture.account.use_link(&LinkName::of("b"), NOW));
    }
}
