//! `POST /mfa/sessions`: the application begins a session for one of its users.

use serde_json::json;

use crate::domain::account::{Account, Session};
use crate::domain::address::ReturnUrl;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::TokenEpoch;
use crate::domain::method::{Channel, Purpose};
use crate::domain::session::{
    AT_MOST, Held, IDLE, Nonce, REMEMBERED, SessionId, SessionPurpose, SessionRequest,
    SessionSecret, SessionState, Stage,
};
use crate::domain::settings::{Label, Locale};
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::{Conditions, Decision, Facts, change};
use crate::flows::destination::destination;
use crate::flows::enrol;
use crate::storage::sessions::{self, Named};

/// What the application asks for.
pub struct NewSession {
    pub purpose: SessionPurpose,
    pub return_url: String,
    pub state: Option<SessionState>,
    pub nonce: Option<Nonce>,
    pub locale: Option<Locale>,
    pub account_name: Option<Label>,
    pub remember: bool,
}

/// A session, in the one answer that shows its secret.
pub struct Created {
    pub session_id: String,
    pub url: String,
    /// Seconds, unless something is pressed.
    pub expires_in: u64,
}

/// Begins a session. The browser is sent to its address, whose secret stands in the fragment.
pub async fn create(asked: &Asked, wanted: &NewSession) -> Result<Created, Error> {
    let (id, secret) = (SessionId::draw()?, SessionSecret::draw()?);
    let (epoch, return_url) = change(asked, None, |account, facts| {
        let return_url = return_url(facts, &wanted.return_url)?;
        let new = account.is_none();
        let mut account = subject(account, facts, wanted.purpose)?;
        let stage = first_stage(&account, facts, wanted.purpose)?;
        let link = secret.digest(Held::Link, &id);
        let session = Session::new(id.clone(), link, wanted.purpose, stage, asked.now());
        account.open_session(session, asked.now());
        let event = Event::new(Kind::SessionBegun).with(json!({"purpose": wanted.purpose}));
        let outcome = (facts.client.token_epoch.clone(), return_url);
        let conditions = if new {
            enrol::rate(facts)
        } else {
            Conditions::default()
        };
        Ok(Decision::store(account, event, outcome).on(conditions))
    })
    .await?;
    note(asked, &id, wanted, epoch, return_url).await?;
    let base = asked.app().config.public_url.as_str();
    Ok(Created {
        url: format!("{base}/session#{}.{}", id.as_str(), secret.reveal()),
        session_id: id.as_str().to_owned(),
        expires_in: IDLE,
    })
}

/// Notes whose the session is. Should this fail, its account has one that nobody can open.
async fn note(
    asked: &Asked,
    id: &SessionId,
    wanted: &NewSession,
    epoch: TokenEpoch,
    return_url: ReturnUrl,
) -> Result<(), Error> {
    let request = SessionRequest {
        return_url,
        state: wanted.state.clone(),
        nonce: wanted.nonce.clone(),
        locale: wanted.locale,
        account_name: wanted.account_name.clone(),
        remember: wanted.remember,
    };
    let named = Named {
        owner: asked.owner.clone(),
        epoch,
        request: request.seal(asked.vault(), id)?,
        created_at: asked.now(),
    };
    let expires_at = asked.now().plus(AT_MOST + REMEMBERED);
    Ok(sessions::insert(&*asked.app().db, id, &named, expires_at).await?)
}

/// The address, if it is one of the client's, byte for byte (ATK-98).
fn return_url(facts: &Facts<'_>, text: &str) -> Result<ReturnUrl, Error> {
    let urls = facts.client.settings.return_urls.as_ref();
    let development = facts.asked.app().config.development;
    let found = urls
        .and_then(|urls| urls.find(text))
        .filter(|url| development || !url.is_plain());
    found.cloned().ok_or_else(|| {
        Error::invalid(
            "return_url",
            "Expected exactly one of the addresses in the client's setting return_urls; plain http only \
             where ENVIRONMENT is development",
        )
    })
}

/// The account it is about. To set something up, a user may be new.
fn subject(
    account: Option<Account>,
    facts: &Facts<'_>,
    purpose: SessionPurpose,
) -> Result<Account, Error> {
    match (account, purpose) {
        (Some(account), _) => Ok(account),
        (None, SessionPurpose::Enrol) => enrol::user_or_new(None, facts),
        (None, _) => Err(Error::UserNotFound),
    }
}

/// What it begins with: whoever could prove who they are has to, before anything is changed.
fn first_stage(
    account: &Account,
    facts: &Facts<'_>,
    purpose: SessionPurpose,
) -> Result<Stage, Error> {
    let reachable = is_reachable(account, facts);
    let enabled = account.mfa_enabled();
    let proves = enabled || (account.last_verified_at().is_some() && reachable);
    let (stage, possible) = match purpose {
        SessionPurpose::Verify => (Stage::Verify, enabled || reachable),
        SessionPurpose::Recover => (Stage::Recover, enabled),
        SessionPurpose::Enrol | SessionPurpose::Manage if proves => (Stage::Verify, true),
        SessionPurpose::Enrol => (Stage::Enrol, true),
        SessionPurpose::Manage => (Stage::Manage, true),
    };
    possible.then_some(stage).ok_or(Error::MfaNotEnabled)
}

/// Whether a code can be sent to the user.
fn is_reachable(account: &Account, facts: &Facts<'_>) -> bool {
    !account.is_off()
        && [Channel::Sms, Channel::Email].into_iter().any(|channel| {
            let method = channel.method(Purpose::Verify);
            facts.client.settings.allows(method)
                && destination(facts.asked, facts.client, account, channel).is_ok()
        })
}
