//! The links of e-mails: to get back in, and to stop somebody who tries. Mail scanners open links and run what they
//! find there, so looking changes nothing (ATK-101).

use serde::Serialize;

use super::act::Seen;
use super::view::{self, Surroundings, View};
use super::{Place, Refused, Visit, told};
use crate::domain::account::{Account, LinkKind, LinkState, Session, SessionProof};
use crate::domain::browser::BrowserName;
use crate::domain::client::ClientState;
use crate::domain::event::{Event, Kind};
use crate::domain::method::{Channel, Method};
use crate::domain::session::{
    AT_MOST, Held, LinkName, REMEMBERED, SessionId, SessionPurpose, SessionSecret, Stage,
};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::change::{Decision, Effects, change, load};
use crate::flows::statistics;
use crate::storage::sessions::{self, Named};

/// What the page behind a link shows.
#[derive(Debug, Serialize)]
pub struct LinkView {
    #[serde(flatten)]
    surroundings: Surroundings,
    kind: LinkKind,
    state: LinkState,
    opens_at: Option<UnixTime>,
    server_time: UnixTime,
}

/// A link that was found.
struct Found {
    name: LinkName,
    place: Place,
}

async fn find(visit: &Visit, secret: &str) -> Result<Found, Error> {
    let name = LinkName::of(secret);
    let named = Visit {
        session: Some(name.as_session().clone()),
        ..visit.clone()
    };
    let place = super::find(&named).await?;
    Ok(Found { name, place })
}

impl Found {
    fn seen<'a>(&'a self, visit: &'a Visit, client: &'a ClientState) -> Seen<'a> {
        Seen {
            visit,
            place: &self.place,
            client,
        }
    }

    fn view(
        &self,
        visit: &Visit,
        client: &ClientState,
        account: &Account,
    ) -> Result<LinkView, Error> {
        let (kind, link) = account.link(&self.name).ok_or(Error::SessionNotFound)?;
        let now = self.place.asked.now();
        Ok(LinkView {
            surroundings: view::surroundings(&self.seen(visit, client), None),
            kind,
            state: link.state(kind, now),
            opens_at: link.opens_at(),
            server_time: now,
        })
    }
}

/// Looks at a link. It changes nothing, however often.
pub async fn look_at_link(visit: &Visit, secret: &str) -> Result<LinkView, Error> {
    let found = find(visit, secret).await?;
    let loaded = load(&found.place.asked).await.map_err(told)?;
    let account = loaded.stored.map(|stored| stored.account);
    let account = account.ok_or(Error::SessionNotFound)?;
    found.view(visit, &loaded.client, &account)
}

/// Stops what the link is to stop. A second time the answer is the same.
pub async fn stop_link(visit: &Visit, secret: &str) -> Result<LinkView, Error> {
    let found = find(visit, secret).await?;
    let now = found.place.asked.now();
    let stopped = change(&found.place.asked, None, |account, facts| {
        let mut account = account.ok_or(Error::SessionNotFound)?;
        let (kind, link) = account.link(&found.name).ok_or(Error::SessionNotFound)?;
        let done = link.state(kind, now) == LinkState::Stopped;
        if kind != LinkKind::Stop {
            return Err(Error::NotNow);
        }
        if !account.stop_link(&found.name, now) && !done {
            return Err(Error::NotNow);
        }
        let view = found.view(visit, facts.client, &account)?;
        if done {
            return Ok(Decision {
                effects: Effects::default(),
                outcome: view,
            });
        }
        Ok(Decision::store(
            account,
            Event::new(Kind::RecoveryStopped),
            view,
        ))
    });
    stopped.await.map_err(told)
}

/// A session that a link began, with the cookie of the browser that keeps it.
pub struct Followed {
    pub view: View,
    pub id: SessionId,
    pub cookie: SessionSecret,
}

/// Uses a link up and begins a session of a person who has lost every way, for this browser.
pub async fn follow_link(visit: &Visit, secret: &str) -> Result<Followed, Refused> {
    let found = find(visit, secret).await?;
    let asked = &found.place.asked;
    let (id, cookie) = (
        SessionId::draw().map_err(Error::from)?,
        SessionSecret::draw().map_err(Error::from)?,
    );
    // Its own name is the session's from now on.
    let place = Place {
        id: id.clone(),
        asked: asked.clone(),
        request: found.place.request.clone(),
    };
    let followed = change(asked, None, |account, facts| {
        let mut account = account.ok_or(Error::SessionNotFound)?;
        let link = account.link(&found.name);
        let sent_at = link.map(|(_, link)| link.sent_at());
        let sent_at = sent_at.ok_or(Error::SessionNotFound)?;
        if !account.mfa_enabled() || !account.use_link(&found.name, asked.now()) {
            return Err(Error::NotNow);
        }
        account.open_session(recovered(&id, &cookie, asked.now())?, asked.now());
        let seen = Seen {
            visit,
            place: &place,
            client: facts.client,
        };
        let view = seen.view(&account, None)?;
        let event = Event::new(Kind::Recovered).by(Method::RecoveryMessage);
        let epoch = facts.client.token_epoch.clone();
        let used = statistics::used(facts, Channel::Email, None, sent_at);
        Ok(Decision::store(account, event, (view, epoch)).counting(used))
    });
    let (view, epoch) = followed.await.map_err(told)?;
    let named = Named {
        owner: asked.owner.clone(),
        epoch,
        request: place
            .request
            .seal(asked.vault(), &id)
            .map_err(Error::from)?,
        created_at: asked.now(),
    };
    let expires_at = asked.now().plus(AT_MOST + REMEMBERED);
    let inserted = sessions::insert(&*asked.app().db, &id, &named, expires_at).await;
    inserted.map_err(Error::from)?;
    Ok(Followed { view, id, cookie })
}

/// A session in which the right to set up a new way is proved.
fn recovered(id: &SessionId, cookie: &SessionSecret, now: UnixTime) -> Result<Session, Error> {
    // Nobody is told the address it would be opened by.
    let nobody = SessionSecret::draw()?.digest(Held::Link, id);
    let mut session = Session::new(
        id.clone(),
        nobody,
        SessionPurpose::Recover,
        Stage::Recover,
        now,
    );
    session.keep(cookie.digest(Held::Browser, id));
    session.recover(SessionProof {
        at: now,
        by: Method::RecoveryMessage,
        browser: BrowserName::default(),
        remember: false,
        user_verified: false,
    });
    Ok(session)
}
