//! A number or an address: it is on file only once its code came back.

use serde_json::json;

use super::act::{Act, Told, act};
use super::send::hand_over;
use super::setup::{SETTING_UP, way_added};
use super::{Done, Place, Refused, Visit};
use crate::domain::account::{Account, Dispatch, NewContact, TypedContact};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Purpose;
use crate::error::Error;
use crate::flows::change::{Decision, Facts};
use crate::flows::destination::typed_destination;
use crate::flows::judge::{judged, refused};
use crate::flows::send::{self, Reserved, Wanted};
use crate::flows::statistics;

fn setting_up<'a>() -> Act<'a> {
    Act {
        stages: SETTING_UP,
        ..Act::IN_EVERY_STAGE
    }
}

/// Sends a code to a destination that was typed.
pub async fn set_contact(visit: &Visit, typed: &TypedContact) -> Result<Done, Refused> {
    let (reserved, done, place) = act(visit, setting_up(), |account, place, facts| {
        let decision = begin(account, place, facts, typed)?;
        Ok(decision.map(|reserved| Ok(Told::plainly(reserved))))
    })
    .await?;
    hand_over(visit, &place, reserved, done).await
}

/// Sends another code there.
pub async fn send_again(visit: &Visit) -> Result<Done, Refused> {
    let (reserved, done, place) = act(visit, setting_up(), |account, place, facts| {
        let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
        let waiting = session.contact.as_ref().ok_or(Error::NotNow)?;
        let typed = waiting.open(&place.id, facts.asked.vault())?;
        let decision = begin(account, place, facts, &typed)?;
        Ok(decision.map(|reserved| Ok(Told::plainly(reserved))))
    })
    .await?;
    hand_over(visit, &place, reserved, done).await
}

/// Stores the destination with its code, under the limits of every other message.
fn begin(
    mut account: Account,
    place: &Place,
    facts: &Facts<'_>,
    typed: &TypedContact,
) -> Result<Decision<Reserved>, Error> {
    let (asked, channel) = (facts.asked, typed.channel());
    let method = channel.method(Purpose::Verify);
    if !facts.client.settings.allows(method) {
        return Err(Error::MethodNotUsed(method));
    }
    let destination = typed_destination(asked, facts.client, typed)?;
    send::refuse_if_locked(&account, Purpose::Verify, asked.now())?;
    let (dispatch, code) = Dispatch::draw(asked.vault(), channel, Purpose::Verify, asked.now())?;
    let cooldown = facts.client.settings.cooldown_seconds.get().into();
    account
        .count_message(channel, cooldown, asked.now())
        .map_err(|cooldown| Error::SendLimited {
            retry_after: cooldown.until.seconds_from(asked.now()),
        })?;
    account.drop_pending();
    let vault = asked.vault();
    let session = account
        .session_mut(&place.id)
        .ok_or(Error::SessionNotFound)?;
    session.wait_for(vault, typed, code, &dispatch)?;
    let locale = session.locale.or(place.request.locale);
    let wanted = Wanted {
        channel,
        purpose: Purpose::Verify,
        locale,
        on_the_page: true,
    };
    let event = Event::new(Kind::CodeSent)
        .by(method)
        .with(json!({"channel": channel, "purpose": "contact"}));
    let decision = Decision::store(account, event, dispatch);
    Ok(send::reserved(decision, facts, wanted, destination))
}

/// The code that came back: the destination is on file, and its codes can confirm who somebody is.
pub async fn confirm_contact(visit: &Visit, guess: &GuessedCode) -> Result<Done, Refused> {
    let acted = act(visit, setting_up(), |mut account, place, facts| {
        let (vault, now) = (facts.asked.vault(), facts.asked.now());
        let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
        if session.contact.is_none() {
            return Err(Error::NotNow);
        }
        let sent_at = session.contact.as_ref().map(NewContact::sent_at);
        let tried = account.try_new_contact(vault, &place.id, guess, now);
        let typed = match tried.map_err(|refusal| refused(refusal, now))? {
            Ok(typed) => typed,
            Err(verdict) => {
                let judged = judged(verdict, &account, now);
                let decision = judged.into_decision(account);
                return Ok(decision.map(|result| result.map(|_| Told::plainly(()))));
            }
        };
        let id = match &typed {
            TypedContact::Phone(phone) => {
                account.set_phone(vault, Some(phone), now)?;
                "sms"
            }
            TypedContact::Email(email) => {
                account.set_email(vault, Some(email), now)?;
                "email"
            }
        };
        way_added(&mut account, place, facts, id)?;
        let detail = json!({"phone": id == "sms", "email": id == "email", "page": true});
        let event = Event::new(Kind::ContactChanged).with(detail);
        let told = Told {
            value: (),
            added: Some(id.to_owned()),
        };
        let phone = match &typed {
            TypedContact::Phone(phone) => Some(phone.clone()),
            TypedContact::Email(_) => None,
        };
        let used = sent_at.and_then(|at| statistics::used(facts, typed.channel(), phone, at));
        Ok(Decision::store(account, event, Ok(told)).counting(used))
    })
    .await?;
    Ok(acted.1)
}
