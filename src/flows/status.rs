//! What is enrolled for a user.

use super::asked::Asked;
use super::change::load;
use super::destination::destination;
use crate::domain::account::State;
use crate::domain::method::{Channel, Method};
use crate::domain::time::UnixTime;
use crate::error::Error;

pub struct Status {
    pub mfa_enabled: bool,
    pub state: State,
    pub methods: Vec<Method>,
    pub recovery_codes_remaining: usize,
    pub locked_until: Option<UnixTime>,
    pub created_at: Option<UnixTime>,
    pub last_verified_at: Option<UnixTime>,
}

/// An unknown user has nothing enrolled, and that is an answer, not an error (decision 24).
pub async fn status(asked: &Asked) -> Result<Status, Error> {
    let loaded = load(asked).await?;
    let Some(stored) = loaded.stored else {
        return Ok(Status {
            mfa_enabled: false,
            state: State::None,
            methods: Vec::new(),
            recovery_codes_remaining: 0,
            locked_until: None,
            created_at: None,
            last_verified_at: None,
        });
    };
    let account = stored.account;
    let settings = &loaded.client.settings;
    let can = |channel| {
        let destination = destination(asked, &loaded.client, &account, channel);
        destination.is_ok() && !account.is_off() && !account.is_disabled(channel)
    };
    let usable = [
        (Method::Totp, account.has_active_totp()),
        (Method::Passkey, account.has_active_passkey()),
        (Method::Sms, can(Channel::Sms)),
        (Method::Email, can(Channel::Email)),
    ];
    Ok(Status {
        mfa_enabled: account.mfa_enabled(),
        state: account.state(asked.now()),
        methods: usable
            .into_iter()
            .filter(|(method, can)| *can && settings.allows(*method))
            .map(|(method, _)| method)
            .collect(),
        recovery_codes_remaining: account.recovery_codes_remaining(),
        locked_until: account.locked_until(asked.now()),
        created_at: Some(account.created_at()),
        last_verified_at: account.last_verified_at(),
    })
}
