//! Setting up an app, and what a way that was added brings with it.

use serde_json::json;

use super::act::{Act, Acted, Told, act};
use super::open::stored;
use super::{Done, Place, Refused, Visit};
use crate::domain::account::{Account, Enrolment, FactorType};
use crate::domain::client::ClientState;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::codes::totp::Parameters;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Method;
use crate::domain::session::Stage;
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::change::{Decision, Facts, Proof};
use crate::flows::judge::judge;

/// Where something is set up.
pub(super) const SETTING_UP: &[Stage] = &[Stage::Enrol, Stage::Manage];

/// Begins an app, or answers the one under way. With `fresh` another secret is drawn.
pub async fn begin_app(visit: &Visit, fresh: bool) -> Result<Done, Refused> {
    let what = Act {
        stages: SETTING_UP,
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        if !facts.client.settings.allows(Method::Totp) {
            return Err(Error::MethodNotUsed(Method::Totp));
        }
        let now = facts.asked.now();
        if let Some(session) = account.session_mut(&place.id) {
            session.contact = None;
        }
        if account.pending_app(now).is_some() && !fresh {
            return Ok(stored(account));
        }
        let vault = facts.asked.vault();
        let shown = account_name(place, facts);
        let session = account.session(&place.id);
        let locale = session.and_then(|session| session.locale);
        let locale = language(locale, place, facts.client);
        let name = numbered(&account, facts, unnamed(FactorType::Totp, locale))?;
        let enrolment = Enrolment::draw(vault, shown, Parameters::default(), true)?;
        account.add_app(enrolment.named(vault, Some(&name))?, now)?;
        let event = Event::new(Kind::Enrolled).with(json!({"confirm": true, "page": true}));
        let decision = Decision::store(account, event, ());
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// The account's name in the app: as the application calls it.
fn account_name(place: &Place, facts: &Facts<'_>) -> String {
    let name = place.request.account_name.as_ref();
    name.map_or(facts.asked.owner.user.as_str(), |name| name.as_str())
        .to_owned()
}

/// The language of a session.
pub(super) fn language(session: Option<Locale>, place: &Place, client: &ClientState) -> Locale {
    let asked_for = session.or(place.request.locale);
    asked_for.unwrap_or(client.settings.locale)
}

/// What a way is called that nobody named.
pub(super) const fn unnamed(kind: FactorType, locale: Locale) -> &'static str {
    match (kind, locale) {
        (FactorType::Totp, Locale::En) => "Authenticator app",
        (FactorType::Totp, Locale::Es) => "Aplicación de códigos",
        (FactorType::Passkey, Locale::En) => "Passkey",
        (FactorType::Passkey, Locale::Es) => "Llave de acceso",
    }
}

/// The name, or with a number behind it where it is taken.
pub(super) fn numbered(account: &Account, facts: &Facts<'_>, name: &str) -> Result<String, Error> {
    let listed = account.listed_factors(facts.asked.vault())?;
    let counting = listed.iter().filter(|factor| factor.state != "pending");
    let taken: Vec<&str> = counting
        .filter_map(|factor| factor.name.as_deref())
        .collect();
    let free = |name: &String| !taken.contains(&name.as_str());
    let names = (2..100).map(|number| format!("{name} {number}"));
    Ok([name.to_owned()]
        .into_iter()
        .chain(names)
        .find(free)
        .unwrap_or_else(|| name.to_owned()))
}

/// The first code of the app under way: it counts from now on.
pub async fn confirm_app(visit: &Visit, code: &GuessedCode) -> Result<Done, Refused> {
    let what = Act {
        stages: SETTING_UP,
        proof: Some(Proof::on_the_page(code, Method::Totp)),
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        let pending = account
            .pending_app(facts.asked.now())
            .ok_or(Error::NotNow)?
            .0;
        let mut judged = judge(&mut account, facts)?;
        let confirmed = judged.result.is_ok() && account.has_active_factor(&pending);
        if judged.result.is_ok() && !confirmed {
            // The code of another app of theirs, which is spent by it.
            judged.result = Err(Error::InvalidCode {
                attempts_remaining: None,
                retry_after: None,
            });
        }
        if confirmed {
            way_added(&mut account, place, facts, pending.as_str())?;
        }
        let decision = judged.into_decision(account);
        let added = pending.as_str().to_owned();
        Ok(decision.map(|result| {
            result.map(|_| Told {
                value: (),
                added: Some(added),
            })
        }))
    })
    .await?;
    Ok(acted.1)
}

/// A way counts. A first one brings the first recovery codes, the new one of a recovery the question what was lost.
pub(super) fn way_added(
    account: &mut Account,
    place: &Place,
    facts: &Facts<'_>,
    id: &str,
) -> Result<(), Error> {
    let session = account
        .session_mut(&place.id)
        .ok_or(Error::SessionNotFound)?;
    session.added.push(id.to_owned());
    let added = session.added.clone();
    let recovered = session.recovered;
    account.forget_browsers(None);
    if recovered {
        if former_ways(account, facts, &added)?.is_empty() {
            return conclude_recovery(account, place, facts);
        }
        if let Some(session) = account.session_mut(&place.id) {
            session.stage = Stage::Lost;
        }
        return Ok(());
    }
    let wants_codes = facts.client.settings.allows(Method::RecoveryCode);
    if wants_codes && account.mfa_enabled() && !account.has_recovery_set() {
        show_new_codes(account, place, facts)?;
    }
    Ok(())
}

/// Ids of the ways that were not set up in this session.
pub(super) fn former_ways(
    account: &Account,
    facts: &Facts<'_>,
    added: &[String],
) -> Result<Vec<String>, Error> {
    let vault = facts.asked.vault();
    let mut ids: Vec<String> = account
        .listed_factors(vault)?
        .into_iter()
        .filter(|factor| factor.state != "pending")
        .map(|factor| factor.id.as_str().to_owned())
        .collect();
    if account.phone(vault)?.is_some() {
        ids.push("sms".to_owned());
    }
    if account.email(vault)?.is_some() {
        ids.push("email".to_owned());
    }
    ids.retain(|id| !added.contains(id));
    Ok(ids)
}

/// New codes in the place of all former ones, and then the result. Whatever somebody else has open is over.
pub(super) fn conclude_recovery(
    account: &mut Account,
    place: &Place,
    facts: &Facts<'_>,
) -> Result<(), Error> {
    if facts.client.settings.allows(Method::RecoveryCode) {
        show_new_codes(account, place, facts)?;
    }
    account.end_other_sessions(&place.id);
    account.forget_browsers(None);
    if let Some(session) = account.session_mut(&place.id) {
        session.stage = Stage::Done;
    }
    Ok(())
}

/// Makes recovery codes, and keeps them to be shown until their user has them.
pub(super) fn show_new_codes(
    account: &mut Account,
    place: &Place,
    facts: &Facts<'_>,
) -> Result<(), Error> {
    let codes = account.replace_recovery_codes(&facts.asked.owner, facts.asked.now())?;
    let codes: Vec<String> = codes.iter().map(RecoveryCode::display).collect();
    let vault = facts.asked.vault();
    let session = account
        .session_mut(&place.id)
        .ok_or(Error::SessionNotFound)?;
    Ok(session.show(vault, &codes)?)
}

/// A new set of recovery codes; the former codes stop working at once.
pub async fn new_codes(visit: &Visit) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Enrol, Stage::Manage, Stage::Done],
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
        let spent_one = session.proof().map(|proof| proof.by) == Some(Method::RecoveryCode);
        if session.stage == Stage::Done && !spent_one {
            return Err(Error::NotNow);
        }
        if !facts.client.settings.allows(Method::RecoveryCode) {
            return Err(Error::MethodNotUsed(Method::RecoveryCode));
        }
        if !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        show_new_codes(&mut account, place, facts)?;
        let decision = Decision::store(account, Event::new(Kind::RecoveryCodesReplaced), ());
        Ok(decision.map(|()| Ok(Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}

/// They are kept: nobody is told them again.
pub async fn codes_kept(visit: &Visit) -> Result<Done, Refused> {
    let acted = act(visit, Act::IN_EVERY_STAGE, |mut account, place, _| {
        if let Some(session) = account.session_mut(&place.id) {
            session.hide();
        }
        Ok(stored(account))
    })
    .await?;
    Ok(acted.1)
}

/// What is being set up is dropped.
pub async fn drop_pending(visit: &Visit) -> Result<Done, Refused> {
    let what = Act {
        stages: SETTING_UP,
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, _| -> Acted<()> {
        account.drop_pending();
        if let Some(session) = account.session_mut(&place.id) {
            session.contact = None;
        }
        Ok(stored(account))
    })
    .await?;
    Ok(acted.1)
}
