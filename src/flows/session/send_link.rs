//! Sending a recovery link, and telling every other channel of it where it has to wait.

use serde_json::json;

use super::act::{Act, Told, act};
use super::send::hand_over;
use super::{Done, Refused, Visit};
use crate::domain::account::{Account, Dispatch, RecoveryLink};
use crate::domain::address::ReturnUrl;
use crate::domain::event::{Event, Kind};
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::session::{LinkName, REMEMBERED, SessionRequest, SessionSecret, Stage};
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::{Decision, Facts, change};
use crate::flows::destination::destination;
use crate::flows::send::{self, LinkLetter, Reserved, Wanted};
use crate::storage::sessions::{self, Named};

/// The two secrets of a link, drawn before anything is decided.
struct Drawn {
    recover: SessionSecret,
    stop: SessionSecret,
}

impl Drawn {
    fn new() -> Result<Self, Error> {
        Ok(Self {
            recover: SessionSecret::draw()?,
            stop: SessionSecret::draw()?,
        })
    }

    fn names(&self) -> [LinkName; 2] {
        [&self.recover, &self.stop].map(|secret| LinkName::of(secret.reveal()))
    }

    fn letter(&self, asked: &Asked, link: &RecoveryLink) -> LinkLetter {
        let base = asked.app().config.public_url.as_str();
        LinkLetter {
            name: LinkName::of(self.recover.reveal()),
            url: format!("{base}/session#recover.{}", self.recover.reveal()),
            stop_url: format!("{base}/session#stop.{}", self.stop.reveal()),
            opens_at: link.opens_at(),
        }
    }
}

/// `POST /session/recover` with a link.
pub async fn send_link_in_session(visit: &Visit) -> Result<Done, Refused> {
    let drawn = Drawn::new()?;
    let what = Act {
        stages: &[Stage::Verify, Stage::Recover],
        ..Act::IN_EVERY_STAGE
    };
    let (reserved, done, place) = act(visit, what, |account, place, facts| {
        let session = account.session(&place.id);
        let locale = session.and_then(|session| session.locale);
        let locale = locale.or(place.request.locale);
        let decision = reserve(account, facts, &drawn, locale)?;
        Ok(decision.map(|reserved| Ok(Told::plainly(reserved))))
    })
    .await?;
    if let Some(reserved) = &reserved {
        let back = Back {
            asked: &place.asked,
            fallback: Some(&place.request.return_url),
            locale: reserved.wanted.locale,
        };
        back.note(&drawn, reserved).await?;
    }
    hand_over(visit, &place, reserved, done).await
}

/// `POST /mfa/recovery` with a link. Seconds it may be used, or until it opens.
pub async fn send_link(asked: &Asked, locale: Option<Locale>) -> Result<u64, Error> {
    let drawn = Drawn::new()?;
    let reserved = change(asked, None, |account, facts| {
        let account = account.ok_or(Error::UserNotFound)?;
        reserve(account, facts, &drawn, locale)
    })
    .await?;
    let back = Back {
        asked,
        fallback: None,
        locale,
    };
    back.note(&drawn, &reserved).await?;
    send::hand_over(asked, &reserved).await?;
    Ok(reserved.lifetime(asked.now()))
}

/// Decides on a link as on any recovery message: its limits are the same.
fn reserve(
    mut account: Account,
    facts: &Facts<'_>,
    drawn: &Drawn,
    locale: Option<Locale>,
) -> Result<Decision<Reserved>, Error> {
    let (asked, settings) = (facts.asked, &facts.client.settings);
    if account.is_off() || !account.mfa_enabled() {
        return Err(Error::MfaNotEnabled);
    }
    if !settings.allows(Method::RecoveryMessage) {
        return Err(Error::MethodNotUsed(Method::RecoveryMessage));
    }
    return_url(facts, None)?;
    let to = destination(asked, facts.client, &account, Channel::Email)?;
    send::refuse_if_locked(&account, Purpose::Recovery, asked.now())?;
    let cooldown = settings.cooldown_seconds.get().into();
    account
        .count_message(Channel::Email, cooldown, asked.now())
        .map_err(|cooldown| Error::SendLimited {
            retry_after: cooldown.until.seconds_from(asked.now()),
        })?;
    let [recover, stop] = drawn.names();
    let link = RecoveryLink::new(
        recover,
        stop,
        settings.recovery_delay_hours.get(),
        asked.now(),
    );
    let letter = drawn.letter(asked, &link);
    account.open_link(link);
    let others = if letter.opens_at.is_some() {
        destination(asked, facts.client, &account, Channel::Sms).ok()
    } else {
        None
    };
    let wanted = Wanted {
        channel: Channel::Email,
        purpose: Purpose::Recovery,
        locale,
        on_the_page: true,
    };
    let (dispatch, _) = Dispatch::draw(
        asked.vault(),
        Channel::Email,
        Purpose::Recovery,
        asked.now(),
    )?;
    let event = Event::new(Kind::CodeSent)
        .by(Method::RecoveryMessage)
        .with(json!({"channel": "email", "purpose": "recovery_link"}));
    let decision = Decision::store(account, event, dispatch);
    Ok(send::reserved_link(
        decision, facts, wanted, to, letter, others,
    ))
}

/// Where a link's session ends: where the setting says, else where the session that asked for it does.
fn return_url(facts: &Facts<'_>, fallback: Option<&ReturnUrl>) -> Result<ReturnUrl, Error> {
    let settings = &facts.client.settings;
    let development = facts.asked.app().config.development;
    let set = settings.recovery_return_url.as_ref();
    let first = settings.return_urls.as_ref().and_then(|urls| urls.first());
    let found = set
        .or(fallback)
        .or(first)
        .filter(|url| development || !url.is_plain());
    found.cloned().ok_or_else(|| {
        Error::invalid(
            "recovery_method",
            "A link needs somewhere to end: the operator sets the client's recovery_return_url, or return_urls",
        )
    })
}

struct Back<'a> {
    asked: &'a Asked,
    fallback: Option<&'a ReturnUrl>,
    locale: Option<Locale>,
}

impl Back<'_> {
    /// Notes whose the link is, under both of its names.
    async fn note(&self, drawn: &Drawn, reserved: &Reserved) -> Result<(), Error> {
        let (asked, client) = (self.asked, &reserved.client);
        let facts = Facts {
            asked,
            client,
            guess: None,
            answered: None,
        };
        let request = SessionRequest {
            return_url: return_url(&facts, self.fallback)?,
            state: None,
            nonce: None,
            locale: self.locale,
            account_name: None,
            remember: false,
        };
        let until = asked
            .now()
            .plus(reserved.lifetime(asked.now()) + REMEMBERED);
        for name in drawn.names() {
            self.insert(&name, &request, reserved, until).await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        name: &LinkName,
        request: &SessionRequest,
        reserved: &Reserved,
        until: UnixTime,
    ) -> Result<(), Error> {
        let (asked, id) = (self.asked, name.as_session());
        let named = Named {
            owner: asked.owner.clone(),
            epoch: reserved.client.token_epoch.clone(),
            request: request.seal(asked.vault(), id)?,
            created_at: asked.now(),
        };
        Ok(sessions::insert(&*asked.app().db, id, &named, until).await?)
    }
}
