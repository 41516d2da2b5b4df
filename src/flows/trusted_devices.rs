//! Remembered browsers: instead of a confirmation at a login, for the days that the client allows.

use serde_json::json;

use super::asked::Asked;
use super::change::{Decision, change, load};
use crate::domain::account::{Remembered, Trust, TrustedDeviceView, TrustedValue};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::TrustedDeviceId;
use crate::error::Error;

/// Whether the browser with that value is remembered. The value is used up by it, and the next one is the answer. One
/// that was used before ends its series and is an event: there are two who hold it.
pub async fn check_trusted_device(asked: &Asked, value: &str) -> Result<Remembered, Error> {
    let Some(value) = TrustedValue::parse(value) else {
        // The token is looked at all the same, and whether there is such a user.
        load(asked).await?.stored.ok_or(Error::UserNotFound)?;
        return Err(Error::NotTrusted);
    };
    let checked = change(asked, None, |account, facts| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let days = facts.client.settings.remember_days.get();
        let trust = account.check_browser(&asked.owner, &value, days, asked.now())?;
        Ok(match trust {
            Trust::Trusted(remembered) => {
                Decision::store(account, Event::new(Kind::BrowserTrusted), Ok(remembered))
            }
            Trust::Unknown => Decision::nothing(Err(Error::NotTrusted)),
            Trust::Reused(id) => {
                let event = Event::new(Kind::BrowserValueReused).with(json!({"id": id}));
                Decision::store(account, event, Err(Error::NotTrusted))
            }
        })
    });
    checked.await?
}

pub async fn trusted_devices(asked: &Asked) -> Result<Vec<TrustedDeviceView>, Error> {
    let loaded = load(asked).await?;
    let days = loaded.client.settings.remember_days.get();
    let stored = loaded.stored.ok_or(Error::UserNotFound)?;
    Ok(stored.account.trusted_devices(days, asked.now()))
}

/// Forgets a browser, or all of them. It takes nothing from anybody but a login without a question, so it asks for no
/// proof.
pub async fn forget_trusted_devices(
    asked: &Asked,
    id: Option<&TrustedDeviceId>,
) -> Result<(), Error> {
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let forgotten = account.forget_browsers(id);
        if id.is_some() && !forgotten {
            return Err(Error::TrustedDeviceNotFound);
        }
        let event = Event::new(Kind::BrowsersForgotten).with(json!({"id": id}));
        Ok(if forgotten {
            Decision::store(account, event, ())
        } else {
            Decision::nothing(())
        })
    })
    .await
}
