//! `POST /mfa/sessions/result`: what came of a session, for the application, once.

use super::view::method_name;
use crate::call::Call;
use crate::domain::account::{Fetched, SessionProof};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::{Owner, UserId};
use crate::domain::method::Method;
use crate::domain::session::{SessionPurpose, SessionRequest, read_result_code};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::asked::{Asked, Caller};
use crate::flows::change::{Decision, Effects, Write, change, load};
use crate::flows::judge::Verified;
use crate::flows::results;
use crate::storage::sessions;

/// What the application may rely on: the user it has to compare with its own, and how they proved it.
pub struct SessionResult {
    pub user: UserId,
    pub purpose: SessionPurpose,
    /// Nothing where nobody had to prove anything, such as for a first way.
    pub method: Option<&'static str>,
    /// The proof in the words of RFC 8176.
    pub amr: &'static [&'static str],
    pub auth_time: Option<UnixTime>,
    pub nonce: Option<String>,
    /// Says the same to others, signed; nothing where nothing was proved.
    pub result_token: Option<String>,
    /// For a cookie of the application, where its user asked for the browser to be remembered.
    pub trusted_device: Option<String>,
}

/// Hands the result over to the client that began the session, within a minute and once. Asked for again it
/// says so: somebody else has had the code (ATK-100).
pub async fn result(call: Call, caller: Caller, code: &str) -> Result<SessionResult, Error> {
    let wrong = Error::InvalidCode {
        attempts_remaining: None,
        retry_after: None,
    };
    let found = match read_result_code(code) {
        Some((id, secret)) => sessions::find(&*call.app.db, &id, call.now)
            .await?
            .filter(|named| named.owner.client == caller.client)
            .map(|named| (id, secret, named)),
        None => None,
    };
    let Some((id, secret, named)) = found else {
        refuse_dead_tokens(call, caller).await?;
        return Err(wrong);
    };
    let Owner { user, .. } = named.owner;
    let asked = Asked::by_client(call, caller, user);
    let request = SessionRequest::open(asked.vault(), &id, &named.request)?;
    let fetched = change(&asked, None, |account, facts| {
        let mut account = account.ok_or_else(wrong_code)?;
        let session = account.session_mut(&id).ok_or_else(wrong_code)?;
        let outcome = session.fetch(secret, asked.now());
        let (purpose, proof) = (session.purpose, session.proof());
        let wanted = proof.filter(|proof| proof.remember && outcome == Fetched::Good);
        let days = facts.client.settings.remember_days.get();
        let remembered = match wanted {
            Some(proof) => {
                let proved = (proof.by, proof.browser);
                account.remember_browser(&asked.owner, proved, days, asked.now())?
            }
            None => None,
        };
        let mut events = vec![Event::new(Kind::SessionEnded)];
        events.extend(
            remembered
                .as_ref()
                .map(|_| Event::new(Kind::BrowserRemembered)),
        );
        let told = (outcome, purpose, proof, remembered);
        let effects = match outcome {
            Fetched::Wrong => Effects::default(),
            Fetched::Again => Effects {
                events: vec![Event::new(Kind::ResultReplayed)],
                ..Effects::default()
            },
            Fetched::Good => Effects {
                write: Write::Store(Box::new(account)),
                events,
                ..Effects::default()
            },
        };
        Ok(Decision {
            effects,
            outcome: told,
        })
    })
    .await?;
    let (outcome, purpose, proof, remembered) = fetched;
    match outcome {
        Fetched::Wrong => return Err(wrong),
        Fetched::Again => return Err(Error::CodeAlreadyUsed { retry_after: None }),
        Fetched::Good => {}
    }
    let verified = proof.map(verified);
    let mut result_token = None;
    if let (Some(verified), Some(proof)) = (verified, proof) {
        let nonce = request.nonce.as_ref();
        result_token = Some(results::result_token(&asked, verified, proof.at, nonce).await?);
    }
    Ok(SessionResult {
        user: asked.owner.user.clone(),
        purpose,
        method: proof.map(|proof| method_name(proof.by)),
        amr: verified.map_or(&[], results::amr),
        auth_time: proof.map(|proof| proof.at),
        nonce: request.nonce.map(|nonce| nonce.as_str().to_owned()),
        result_token,
        trusted_device: remembered.map(|remembered| remembered.value),
    })
}

fn wrong_code() -> Error {
    Error::InvalidCode {
        attempts_remaining: None,
        retry_after: None,
    }
}

/// A token that was revoked is told so, also where there is nothing to load for it.
async fn refuse_dead_tokens(call: Call, caller: Caller) -> Result<(), Error> {
    let nobody =
        UserId::try_from("-".to_owned()).map_err(|error| Error::internal(error.to_string()))?;
    load(&Asked::by_client(call, caller, nobody))
        .await
        .map(drop)
}

/// What the session kept of a success.
fn verified(proof: SessionProof) -> Verified {
    let by_passkey = proof.by == Method::Passkey;
    Verified {
        method: proof.by,
        user_verified: by_passkey.then_some(proof.user_verified),
    }
}
