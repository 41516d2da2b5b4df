//! Changing the ways that are there: names, removing one, turning all of it off.

use serde_json::json;

use super::act::{Act, Told, act};
use super::setup::{SETTING_UP, conclude_recovery, former_ways};
use super::{Done, Refused, Visit};
use crate::domain::account::Account;
use crate::domain::event::{Event, Kind};
use crate::domain::session::Stage;
use crate::domain::settings::Label;
use crate::error::Error;
use crate::flows::change::{Decision, Facts};

/// Seconds a proof is fresh enough to turn two-step verification off.
const FRESH: u64 = 300;
/// Characters of a name.
const LONGEST_NAME: usize = 40;

/// A name as it was typed: trimmed, 1 to 40 characters, all of which can be seen.
pub fn name_of(text: &str) -> Result<String, Error> {
    let expected = || Error::invalid("name", "Expected 1 to 40 visible characters");
    let name = Label::try_from(text.trim().to_owned()).map_err(|_| expected())?;
    let fits = name.as_str().chars().count() <= LONGEST_NAME;
    fits.then(|| name.as_str().to_owned()).ok_or_else(expected)
}

/// Gives a way another name, which no other one has.
pub async fn rename(visit: &Visit, id: &str, name: &str) -> Result<Done, Refused> {
    let what = Act {
        stages: SETTING_UP,
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, _, facts| {
        let vault = facts.asked.vault();
        let listed = account.listed_factors(vault)?;
        let (own, others): (Vec<_>, Vec<_>) =
            listed.iter().partition(|factor| factor.id.as_str() == id);
        let own = own.first().ok_or(Error::FactorNotFound)?;
        if others
            .iter()
            .any(|factor| factor.name.as_deref() == Some(name))
        {
            return Err(Error::NameTaken);
        }
        account.rename_factor(vault, &own.id, Some(name))?;
        let decision = Decision::store(account, Event::new(Kind::FactorRenamed), ());
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// Removes a way, unless it is the last that works.
pub async fn remove(visit: &Visit, id: &str) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Manage],
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, _, facts| {
        let event = remove_way(&mut account, facts, id, true)?;
        let decision = Decision::store(account, event, ());
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// Takes a way from the account. A number or an address is one of the page's ways, beside the factors.
fn remove_way(
    account: &mut Account,
    facts: &Facts<'_>,
    id: &str,
    keep_last: bool,
) -> Result<Event, Error> {
    let (vault, now) = (facts.asked.vault(), facts.asked.now());
    let (phone, email) = (
        account.phone(vault)?.is_some(),
        account.email(vault)?.is_some(),
    );
    let contacts = usize::from(phone) + usize::from(email);
    let is_contact = (id == "sms" && phone) || (id == "email" && email);
    if is_contact {
        if keep_last && account.active_factors() == 0 && contacts == 1 {
            return Err(Error::LastFactor);
        }
        if id == "sms" {
            account.set_phone(vault, None, now)?;
        } else {
            account.set_email(vault, None, now)?;
        }
        account.forget_browsers(None);
        let detail = json!({"phone": id == "sms", "email": id == "email", "page": true});
        return Ok(Event::new(Kind::ContactChanged).with(detail));
    }
    let listed = account.listed_factors(vault)?;
    let factor = listed.iter().find(|factor| factor.id.as_str() == id);
    let factor = factor.ok_or(Error::FactorNotFound)?;
    let kind = account.remove_factor(&factor.id)?;
    Ok(Event::new(Kind::FactorRemoved).with(json!({"type": kind, "page": true})))
}

/// Turns two-step verification off. It wants a proof of the last minutes: whoever finds a page open must not.
pub async fn turn_off(visit: &Visit) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Manage],
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        let (vault, now) = (facts.asked.vault(), facts.asked.now());
        let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
        let fresh = session
            .proof()
            .is_some_and(|proof| proof.at.plus(FRESH) > now);
        if account.mfa_enabled() && !fresh {
            return Err(Error::StepUpRequired);
        }
        account.disable(now);
        account.set_phone(vault, None, now)?;
        account.set_email(vault, None, now)?;
        account.end_other_sessions(&place.id);
        if let Some(session) = account.session_mut(&place.id) {
            session.contact = None;
            session.hide();
        }
        let event = Event::new(Kind::Disabled).with(json!({"page": true}));
        Ok(Decision::store(account, event, Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// After a recovery: removes the ways that are lost, and none that was set up in this session.
pub async fn lose(visit: &Visit, ids: &[String]) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Lost],
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
        let former = former_ways(&account, facts, &session.added.clone())?;
        let mut events = Vec::new();
        for (place_of, id) in ids.iter().enumerate() {
            if !former.contains(id) || ids.iter().position(|other| other == id) != Some(place_of) {
                return Err(Error::FactorNotFound);
            }
            events.push(remove_way(&mut account, facts, id, false)?);
        }
        conclude_recovery(&mut account, place, facts)?;
        let mut decision = Decision::store(account, Event::new(Kind::RecoveryCodesReplaced), ());
        decision.effects.events.extend(events);
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// Forgets a remembered browser, or all of them.
pub async fn forget_browsers(visit: &Visit, id: Option<&str>) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Manage],
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, _, facts| {
        let days = facts.client.settings.remember_days.get();
        let devices = account.trusted_devices(days, facts.asked.now());
        let of = |id: &str| {
            let found = devices.iter().find(|device| device.id.as_str() == id);
            found
                .map(|device| &device.id)
                .ok_or(Error::TrustedDeviceNotFound)
        };
        let one = id.map(of).transpose()?;
        account.forget_browsers(one);
        let event = Event::new(Kind::BrowsersForgotten).with(json!({"id": id, "page": true}));
        let decision = Decision::store(account, event, ());
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}
