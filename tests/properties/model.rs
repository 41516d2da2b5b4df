//! What SECURITY.md promises about one user, as small as it can be said, and written without a look at
//! `Account`: who holds what, what was used, and how often somebody guessed wrong.

use std::collections::BTreeSet;

use candado::domain::code::NumericCode;
use candado::domain::guess::GuessedCode;
use candado::domain::method::{Channel, Class, Method, Purpose};
use candado::domain::recovery::RecoveryCode;
use candado::domain::time::UnixTime;
use candado::domain::totp::Parameters;

/// RATE-03: seconds a fifth, sixth, … consecutive failure locks; every further one an hour.
const LOCKS: [u64; 6] = [60, 120, 240, 480, 960, 1920];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Pending { until: UnixTime },
    Active,
    Disabled,
}

#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) secret: Vec<u8>,
    pub(crate) parameters: Parameters,
    pub(crate) life: Life,
    /// Every step a code of which was accepted.
    pub(crate) used: BTreeSet<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    /// Which of all codes ever sent.
    pub(crate) number: usize,
    pub(crate) channel: Channel,
    pub(crate) purpose: Purpose,
    pub(crate) code: NumericCode,
    pub(crate) expires_at: UnixTime,
    pub(crate) tries: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) failures: u32,
    pub(crate) locked_until: UnixTime,
}

/// A code that would be accepted now, and what accepting it uses up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Good {
    Step { app: usize, step: u64 },
    Sent { number: usize },
    Kept { index: usize },
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) apps: Vec<App>,
    pub(crate) live: Vec<Delivered>,
    pub(crate) kept: Vec<RecoveryCode>,
    pub(crate) authenticator: Counter,
    pub(crate) recovery: Counter,
}

impl App {
    fn usable(&self, now: UnixTime) -> bool {
        match self.life {
            Life::Pending { until } => until > now,
            Life::Active => true,
            Life::Disabled => false,
        }
    }

    /// Steps of the window whose code this is.
    fn matching(&self, guess: &NumericCode, now: UnixTime) -> Vec<u64> {
        let period = self.parameters.period.seconds();
        let current = now.as_secs() / period;
        (current - 1..=current + 1)
            .filter(|step| {
                let at = self.parameters.step_at(UnixTime::from_secs(step * period));
                self.parameters.code_at(&self.secret, at) == *guess
            })
            .collect()
    }
}

impl Model {
    pub(crate) fn counter(&mut self, class: Class) -> &mut Counter {
        match class {
            Class::Authenticator => &mut self.authenticator,
            Class::Recovery => &mut self.recovery,
        }
    }

    pub(crate) fn is_locked(&self, class: Class, now: UnixTime) -> bool {
        match class {
            Class::Authenticator => self.authenticator.locked_until > now,
            Class::Recovery => self.recovery.locked_until > now,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.apps
            .iter()
            .any(|app| matches!(app.life, Life::Active | Life::Disabled))
    }

    /// Everything `guess` would be right for, of the classes that are not locked.
    pub(crate) fn good(&self, guess: &GuessedCode, now: UnixTime) -> Vec<Good> {
        let mut good = Vec::new();
        match guess {
            GuessedCode::Recovery(code) if !self.is_locked(Class::Recovery, now) => {
                let place = self.kept.iter().position(|kept| kept == code);
                good.extend(place.map(|index| Good::Kept { index }));
            }
            GuessedCode::Recovery(_) => {}
            GuessedCode::Numeric(code) => {
                let open = !self.is_locked(Class::Authenticator, now);
                for (app, held) in self.apps.iter().enumerate().filter(|_| open) {
                    let last = held.used.last().copied();
                    // The greatest counts: two steps of one window may share a code (TOTP-07).
                    let step = held.matching(code, now).into_iter().max();
                    let fresh = step.filter(|step| held.usable(now) && last < Some(*step));
                    good.extend(fresh.map(|step| Good::Step { app, step }));
                }
                good.extend(
                    self.candidates(code, now)
                        .filter(|sent| sent.code == *code)
                        .map(|sent| Good::Sent {
                            number: sent.number,
                        }),
                );
            }
        }
        good
    }

    /// Whether `guess` is the code of a step that is used up.
    pub(crate) fn is_used(&self, guess: &GuessedCode, now: UnixTime) -> bool {
        let GuessedCode::Numeric(code) = guess else {
            return false;
        };
        self.apps.iter().filter(|app| app.usable(now)).any(|app| {
            let step = app.matching(code, now).into_iter().max();
            step.is_some_and(|step| app.used.last().is_some_and(|last| step <= *last))
        })
    }

    /// Whom a guess is counted against: by what it could match, and where it could match nothing, by its
    /// length. Nobody where only a worn-out app is left to guess at.
    pub(crate) fn concerned(&self, guess: &GuessedCode, now: UnixTime) -> Vec<Class> {
        let GuessedCode::Numeric(code) = guess else {
            return vec![Class::Recovery];
        };
        let length = code.as_str().len();
        let fits = |app: &&App| usize::from(app.parameters.digits.get()) == length;
        let by_app = self.apps.iter().filter(fits).any(|app| app.usable(now));
        let sent = |class| {
            let fits = |sent: &Delivered| {
                sent.code.as_str().len() == length && sent.expires_at > now && sent.tries < 5
            };
            self.live
                .iter()
                .any(|sent| class_of(sent.purpose) == class && fits(sent))
        };
        let mut classes = Vec::new();
        if by_app || sent(Class::Authenticator) {
            classes.push(Class::Authenticator);
        }
        if sent(Class::Recovery) {
            classes.push(Class::Recovery);
        }
        if classes.is_empty() && !self.apps.iter().any(|app| app.life == Life::Disabled) {
            let of_recovery = length == 8 && !self.apps.iter().any(|app| fits(&app));
            classes.push(if of_recovery {
                Class::Recovery
            } else {
                Class::Authenticator
            });
        }
        classes
    }

    /// Live delivered codes a numeric guess is compared with.
    fn candidates(&self, code: &NumericCode, now: UnixTime) -> impl Iterator<Item = &Delivered> {
        let length = code.as_str().len();
        self.live.iter().filter(move |sent| {
            sent.expires_at > now
                && sent.tries < 5
                && sent.code.as_str().len() == length
                && !self.is_locked(class_of(sent.purpose), now)
        })
    }

    pub(crate) fn accept(&mut self, good: &Good, now: UnixTime) -> Method {
        let method = match *good {
            Good::Step { app, step } => {
                let held = &mut self.apps[app];
                assert!(held.used.insert(step), "a step accepted twice");
                if matches!(held.life, Life::Pending { .. }) {
                    held.life = Life::Active;
                    let held = held.clone();
                    self.apps = vec![held];
                    self.live.clear();
                }
                Method::Totp
            }
            Good::Sent { number } => {
                let place = self.live.iter().position(|sent| sent.number == number);
                let sent = self.live.remove(place.unwrap());
                match (sent.purpose, sent.channel) {
                    (Purpose::Recovery, _) => Method::Recovery,
                    (Purpose::Verify, Channel::Sms) => Method::Sms,
                    (Purpose::Verify, Channel::Email) => Method::Email,
                    (Purpose::Verify, Channel::Api) => Method::Generated,
                }
            }
            Good::Kept { index } => {
                self.kept.remove(index);
                Method::RecoveryCode
            }
        };
        let class = match method {
            Method::Recovery | Method::RecoveryCode => Class::Recovery,
            _ => Class::Authenticator,
        };
        assert!(!self.is_locked(class, now));
        *self.counter(class) = Counter::default();
        method
    }

    /// Counts a wrong guess against `classes`, and one try of every code it was compared with.
    pub(crate) fn refuse(&mut self, guess: &GuessedCode, classes: &[Class], now: UnixTime) {
        if let GuessedCode::Numeric(code) = guess {
            let tried: Vec<usize> = self.candidates(code, now).map(|sent| sent.number).collect();
            for sent in &mut self.live {
                sent.tries += u32::from(tried.contains(&sent.number));
            }
        }
        for &class in classes {
            let counter = self.counter(class);
            counter.failures += 1;
            if counter.failures == 100 {
                *counter = Counter::default();
                self.wear_out(class);
            } else if let Some(beyond) = counter.failures.checked_sub(5) {
                let lock = LOCKS.get(beyond as usize).copied().unwrap_or(3600);
                counter.locked_until = now.plus(lock);
            }
        }
    }

    /// The hundredth consecutive failure: what was guessed at must be bound again.
    fn wear_out(&mut self, class: Class) {
        self.live.retain(|sent| class_of(sent.purpose) != class);
        match class {
            Class::Recovery => self.kept.clear(),
            Class::Authenticator => {
                self.apps
                    .retain(|app| !matches!(app.life, Life::Pending { .. }));
                for app in &mut self.apps {
                    app.life = Life::Disabled;
                }
            }
        }
    }
}

pub(crate) fn class_of(purpose: Purpose) -> Class {
    match purpose {
        Purpose::Verify => Class::Authenticator,
        Purpose::Recovery => Class::Recovery,
    }
}
