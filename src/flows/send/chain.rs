//! One message and the providers of its channel: the next is tried where one refuses it, is busy or does not
//! answer, all of them within one deadline (decision 98).

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::crypto::random;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Channel;
use crate::domain::provider::Provider;
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::record_later;
use crate::flows::statistics;
use crate::providers::{self, Means, Message, SendError};
use crate::storage::provider_pauses;

/// One message, all tries at all providers together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After a 429, which was never processed and is safe to send again (Twilio 20429).
const RETRIES: u32 = 2;
/// Seconds a provider is left alone that does not say for how long; and at most.
const PAUSE: u64 = 30;
const LONGEST_PAUSE: u64 = 3600;

/// What came of each provider that was tried or has a pause, in this order.
#[derive(Debug, Default, thiserror::Error)]
#[error("{}", self.told())]
pub(super) struct Failures(Vec<(Provider, SendError)>);

impl Failures {
    /// Whether it is certain that no message went out, by none of them.
    pub(super) fn nothing_sent(&self) -> bool {
        self.0.iter().all(|(_, error)| error.nothing_sent())
    }

    /// What the caller is told: that waiting does not help only where every one refused the message.
    pub(super) fn error(&self, channel: Channel) -> Error {
        let errors = || self.0.iter().map(|(_, error)| error);
        let refused = |error: &SendError| matches!(error, SendError::Refused { .. });
        let absent = |error: &SendError| matches!(error, SendError::NotConfigured);
        if errors().all(absent) {
            return Error::ChannelNotConfigured(channel);
        }
        if errors().all(|error| refused(error) || absent(error)) {
            return Error::DeliveryFailed;
        }
        if !self.nothing_sent() {
            return Error::DeliveryUnavailable { retry_after: 5 };
        }
        let pauses = errors().filter_map(|error| match error {
            SendError::Busy { retry_after } => Some(pause_seconds(*retry_after)),
            _ => None,
        });
        Error::DeliveryUnavailable {
            retry_after: pauses.min().unwrap_or(5),
        }
    }

    /// For the record: the last one's answer, and where there were several, what came of each.
    pub(super) fn detail(&self, channel: Channel) -> Value {
        let last = self.0.last();
        json!({
            "channel": channel,
            "provider": last.map(|(provider, _)| provider.name()),
            "provider_status": last.and_then(|(_, error)| error.provider_status()),
            "provider_code": last.and_then(|(_, error)| error.provider_code()),
            "tried": self.each(),
        })
    }

    /// Such as `twilio: refused`.
    fn each(&self) -> Vec<String> {
        let each = self.0.iter();
        each.map(|(provider, error)| [provider.name(), ": ", error.name()].concat())
            .collect()
    }

    fn told(&self) -> String {
        let each = self.0.iter();
        let each: Vec<String> = each
            .map(|(provider, error)| format!("{}: {error}", provider.name()))
            .collect();
        each.join("; ")
    }
}

/// Hands the message to the first that takes it. Each is given an equal part of the time that is left, so that one
/// that does not answer leaves some to the next.
pub(super) async fn carry(
    asked: &Asked,
    chain: &[Provider],
    message: &Message<'_>,
) -> Result<(), Failures> {
    let (ready, mut failures) = without_paused(asked, chain).await;
    let mut left = TIMEOUT;
    let mut others = u32::try_from(ready.len()).unwrap_or(1);
    for provider in ready {
        let share = left / others.max(1);
        others = others.saturating_sub(1);
        let attempt = Attempt {
            asked,
            provider,
            message,
            is_last: others == 0,
        };
        let (outcome, spent) = attempt.make(share).await;
        let Err(error) = outcome else {
            note_way(asked, provider, &failures);
            return Ok(());
        };
        failures.0.push((provider, error));
        left = left.saturating_sub(spent);
        if left.is_zero() {
            break;
        }
    }
    Err(failures)
}

/// Those that may be asked now. Where there is only one, the reservation has seen to it.
async fn without_paused(asked: &Asked, chain: &[Provider]) -> (Vec<Provider>, Failures) {
    let mut failures = Failures::default();
    if chain.len() < 2 {
        return (chain.to_vec(), failures);
    }
    let now = asked.now();
    let paused = provider_pauses::list(&*asked.app().db, chain, now).await;
    // Asking one that wanted to be left alone harms nobody's account.
    let paused = paused.unwrap_or_default();
    let until = |provider: Provider| {
        let pause = paused
            .iter()
            .find(|pause| pause.provider == provider.name());
        pause.map(|pause| pause.until.seconds_from(now))
    };
    let mut ready = Vec::new();
    for provider in chain {
        match until(*provider) {
            Some(seconds) => {
                let retry_after = Some(seconds);
                failures
                    .0
                    .push((*provider, SendError::Busy { retry_after }));
            }
            None => ready.push(*provider),
        }
    }
    (ready, failures)
}

/// That the first of a chain did not do, for whoever keeps the service.
fn note_way(asked: &Asked, provider: Provider, failures: &Failures) {
    if failures.0.is_empty() {
        return;
    }
    log::warn!("a message went by {}: {failures}", provider.name());
    let detail = json!({
        "channel": provider.channel(), "provider": provider, "tried": failures.each(),
    });
    record_later(asked, &Event::new(Kind::DeliveryFellBack).with(detail));
}

struct Attempt<'a> {
    asked: &'a Asked,
    provider: Provider,
    message: &'a Message<'a>,
    /// Whether nobody comes after it: a busy one is then waited for.
    is_last: bool,
}

impl Attempt<'_> {
    /// Tries one provider, again after a pause while that is busy and time is left; and says how long that took.
    async fn make(&self, share: Duration) -> (Result<(), SendError>, Duration) {
        let app = self.asked.app();
        let mut left = share;
        let mut retry = 0;
        loop {
            let (outcome, spent) = self.send_once(left).await;
            left = left.saturating_sub(spent);
            let Err(SendError::Busy { retry_after }) = outcome else {
                return (outcome, share.saturating_sub(left));
            };
            let wait = back_off(retry_after, retry);
            if !self.is_last || retry == RETRIES || wait >= left {
                leave_alone(app, self.provider, pause_seconds(retry_after)).await;
                return (outcome, share.saturating_sub(left));
            }
            // Noted first: while this request waits, nobody else's goes there either.
            leave_alone(app, self.provider, wait.as_secs() + 1).await;
            app.http.wait(wait).await;
            left = left.saturating_sub(wait);
            retry += 1;
        }
    }

    async fn send_once(&self, left: Duration) -> (Result<(), SendError>, Duration) {
        let app = self.asked.app();
        let http = &self.asked.call.http();
        let began = (app.clock)();
        let means = Means {
            http,
            mailer: app.mailer.as_deref(),
            config: &app.config.providers,
        };
        let (provider, message) = (self.provider, self.message);
        let outcome = providers::send(&means, provider, message, app.now(), left).await;
        let spent = Duration::from_millis((app.clock)().saturating_sub(began));
        statistics::count_call(self.asked, provider, spent, outcome.as_ref());
        let spent = match outcome {
            // Whatever the clock says: it may stand still.
            Err(SendError::TimedOut) => spent.max(left),
            _ => spent,
        };
        (outcome, spent)
    }
}

/// Seconds until a provider that is busy may be asked again.
fn pause_seconds(retry_after: Option<u64>) -> u64 {
    retry_after.unwrap_or(PAUSE).clamp(1, LONGEST_PAUSE)
}

async fn leave_alone(app: &App, provider: Provider, seconds: u64) {
    let until = app.now().plus(seconds);
    if let Err(error) = provider_pauses::insert(&*app.db, provider, until).await {
        log::warn!("the pause a provider asked for was not noted: {error}");
    }
}

/// What `Retry-After` says, else half a second and then a second; and up to a quarter more, so that
/// requests that were refused together do not come again together.
fn back_off(retry_after: Option<u64>, retry: u32) -> Duration {
    let wait = retry_after.map_or(Duration::from_millis(500 << retry), |seconds| {
        Duration::from_secs(seconds.max(1))
    });
    wait + wait * random::below(256).unwrap_or(0) / 1024
}
