//! Opening a session, and looking at it.

use std::time::Duration;

use super::act::{Act, Seen, Told, act, look};
use super::view::View;
use super::{Done, Refused, Visit, find, told};
use crate::domain::account::Standing;
use crate::domain::session::{Held, SessionSecret};
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::change::{Decision, Effects, Write, change};

/// Between two looks of somebody who waits for news.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Exchanges the address's secret for the cookie that keeps the session. The first browser keeps it; from that
/// one the same is answered again. With the state, the cookie's value where the browser has none yet.
pub async fn open(visit: &Visit, secret: &str) -> Result<(View, Option<SessionSecret>), Refused> {
    let place = find(visit).await?;
    let cookie = SessionSecret::draw().map_err(Error::from)?;
    let now = place.asked.now();
    let outcome = change(&place.asked, None, |account, facts| {
        let nothing = |outcome| {
            Ok(Decision {
                effects: Effects::default(),
                outcome,
            })
        };
        let seen = Seen {
            visit,
            place: &place,
            client: facts.client,
        };
        let Some(mut account) = account else {
            return nothing(Err(Error::SessionNotFound.into()));
        };
        let Some(session) = account.session_mut(&place.id) else {
            return nothing(Err(Error::SessionNotFound.into()));
        };
        let kept = session.is_kept_by(visit.cookie.as_deref());
        let knows = session.opens_with(secret);
        match session.standing(now) {
            Standing::Ended => return nothing(Err(seen.over(session, Error::SessionEnded, false))),
            Standing::Expired => {
                let back = kept || knows;
                return nothing(Err(seen.over(session, Error::SessionExpired, back)));
            }
            Standing::Live if !knows => return nothing(Err(Error::SessionNotFound.into())),
            Standing::Live if !kept && !session.is_unopened() => {
                return nothing(Err(seen.over(session, Error::OtherBrowser, false)));
            }
            Standing::Live => {}
        }
        session.touch(now);
        session.keep(cookie.digest(Held::Browser, &place.id));
        let view = seen.view(&account, None)?;
        Ok(Decision {
            effects: Effects {
                write: Write::Store(Box::new(account)),
                ..Effects::default()
            },
            outcome: Ok((view, !kept)),
        })
    })
    .await;
    let (view, is_new) = outcome.map_err(told)??;
    Ok((view, is_new.then_some(cookie)))
}

/// The state, which looking does not change. With `since`, not before it differs from that revision or
/// `seconds` have passed.
pub async fn state(visit: &Visit, since: Option<&str>, seconds: u64) -> Result<View, Refused> {
    let mut place = find(visit).await?;
    let mut left = Duration::from_secs(seconds);
    loop {
        let view = look(visit, &place).await?;
        if since != Some(view.revision.as_str()) || left.is_zero() {
            return Ok(view);
        }
        let wait = LOOK_AGAIN.min(left);
        visit.call.app.http.wait(wait).await;
        left = left.saturating_sub(wait);
        place.asked.call.now_again();
    }
}

/// Something was pressed, and nothing else.
pub async fn keep_open(visit: &Visit) -> Result<Done, Refused> {
    let acted = act(visit, Act::IN_EVERY_STAGE, |account, _, _| {
        Ok(stored(account))
    })
    .await?;
    Ok(acted.1)
}

/// The language of the page, and of what is sent from now on.
pub async fn set_locale(visit: &Visit, locale: Locale) -> Result<Done, Refused> {
    let acted = act(visit, Act::IN_EVERY_STAGE, |mut account, place, _| {
        if let Some(session) = account.session_mut(&place.id) {
            session.locale = Some(locale);
        }
        Ok(stored(account))
    })
    .await?;
    Ok(acted.1)
}

/// A change that leaves no event.
pub(super) fn stored(
    account: crate::domain::account::Account,
) -> Decision<Result<Told<()>, Error>> {
    Decision {
        effects: Effects {
            write: Write::Store(Box::new(account)),
            ..Effects::default()
        },
        outcome: Ok(Told::plainly(())),
    }
}
