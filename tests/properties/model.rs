//! What is promised about one user, as small as it can be said, and written without a look at `Account`: who
//! holds what, what was used, and how often somebody guessed wrong.

use std::collections::BTreeSet;

use candado::domain::codes::guess::GuessedCode;
use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::recovery_code::RecoveryCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::method::{Channel, Class, Method, Purpose};
use candado::domain::time::UnixTime;

/// RATE-03: seconds a fifth, sixth, … consecutive failure locks; every further one an hour.
const LOCKS: [u64; 6] = [60, 120, 240, 480, 960, 1920];
const DAY: u64 = 86_400;
/// Wrong guesses of a class in a day.
pub(crate) const BUDGET: usize = 50;
/// Spent codes that are remembered.
const REMEMBERED: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Pending { until: UnixTime },
    Active,
    Disabled,
}

#[derive(Debug, Clone)]
pub(crate) struct App {
    /// Which of all apps ever bound.
    pub(crate) number: usize,
    /// The one whose place it takes with its first code.
    pub(crate) replaces: Option<usize>,
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

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) failures: u32,
    lock: UnixTime,
    /// When every wrong guess was made, but for what an operator forgave.
    pub(crate) wrong: Vec<UnixTime>,
}

impl Counter {
    fn of_a_day(&self, now: UnixTime) -> Vec<UnixTime> {
        let recent = |time: &&UnixTime| now.seconds_from(**time) < DAY;
        self.wrong.iter().filter(recent).copied().collect()
    }

    /// The end of the lock; not in the future if there is none.
    pub(crate) fn locked_until(&self, now: UnixTime) -> UnixTime {
        let today = self.of_a_day(now);
        let of_the_day = match today.len().checked_sub(BUDGET) {
            Some(first) => today[first].plus(DAY),
            None => UnixTime::default(),
        };
        self.lock.max(of_the_day)
    }

    pub(crate) fn tries_left(&self, now: UnixTime) -> u32 {
        if self.locked_until(now) > now {
            return 0;
        }
        let of_the_day = BUDGET - self.of_a_day(now).len();
        let in_a_row = 5_u32.saturating_sub(self.failures).max(1);
        in_a_row.min(u32::try_from(of_the_day).unwrap())
    }

    pub(crate) fn start_again(&mut self) {
        self.failures = 0;
        self.lock = UnixTime::default();
    }
}

/// A code that would be accepted now, and what accepting it uses up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Good {
    Step { app: usize, step: u64 },
    Sent { number: usize },
    Kept { index: usize },
}

/// What a guess must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    NothingEnrolled,
    Disabled,
    Used,
    Locked(UnixTime),
    NoCode,
    Good(Good),
    Wrong(Vec<Class>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) apps: Vec<App>,
    pub(crate) live: Vec<Delivered>,
    pub(crate) spent: Vec<Delivered>,
    pub(crate) kept: Vec<RecoveryCode>,
    pub(crate) used: Vec<RecoveryCode>,
    /// Whether there is a set of recovery codes, if only one that is used up.
    pub(crate) has_set: bool,
    counters: [Counter; 3],
}

impl App {
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.life, Life::Pending { .. })
    }

    fn usable(&self, now: UnixTime) -> bool {
        match self.life {
            Life::Pending { until } => until > now,
            Life::Active => true,
            Life::Disabled => false,
        }
    }

    /// The greatest step of the window whose code this is: two steps of one window may share it (TOTP-07).
    fn matching(&self, guess: &NumericCode, now: UnixTime) -> Option<u64> {
        let period = self.parameters.period.seconds();
        let current = now.as_secs() / period;
        (current - 1..=current + 1)
            .filter(|step| {
                let at = self.parameters.step_at(UnixTime::from_secs(step * period));
                self.parameters.code_at(&self.secret, at) == *guess
            })
            .max()
    }

    fn has_length_of(&self, guess: &NumericCode) -> bool {
        usize::from(self.parameters.digits.get()) == guess.as_str().len()
    }
}

impl Delivered {
    pub(crate) fn method(&self) -> Method {
        match (self.purpose, self.channel) {
            (Purpose::Recovery, _) => Method::RecoveryMessage,
            (Purpose::Verify, Channel::Sms) => Method::Sms,
            (Purpose::Verify, Channel::Email) => Method::Email,
            (Purpose::Verify, Channel::Api) => Method::Generated,
        }
    }

    fn class(&self) -> Class {
        class_of(self.method())
    }

    fn lives(&self, now: UnixTime) -> bool {
        self.expires_at > now && self.tries < 5
    }
}

impl Model {
    pub(crate) fn counter(&self, class: Class) -> &Counter {
        &self.counters[class as usize]
    }

    pub(crate) fn counter_mut(&mut self, class: Class) -> &mut Counter {
        &mut self.counters[class as usize]
    }

    pub(crate) fn is_locked(&self, class: Class, now: UnixTime) -> bool {
        self.counter(class).locked_until(now) > now
    }

    pub(crate) fn is_on(&self) -> bool {
        self.apps.iter().any(App::counts)
    }

    /// What `guess` must come to, by any method or by that one.
    pub(crate) fn answer(
        &self,
        guess: &GuessedCode,
        named: Option<Method>,
        now: UnixTime,
    ) -> Answer {
        let accepts = |method| named.is_none_or(|named| named == method);
        if self.apps.is_empty() && self.live.is_empty() && self.spent.is_empty() && !self.has_set {
            return Answer::NothingEnrolled;
        }
        if self.is_spent(guess, &accepts, now) {
            return Answer::Used;
        }
        let fitting = self.classes(Some(guess), &accepts, now);
        let any = self.classes(None, &accepts, now);
        let nothing_else = match guess {
            GuessedCode::NoCode => any.is_empty(),
            GuessedCode::Numeric(_) => fitting.is_empty(),
            GuessedCode::RecoveryCode(_) => false,
        };
        let worn_out = self.apps.iter().any(|app| app.life == Life::Disabled);
        if nothing_else && worn_out && accepts(Method::Totp) {
            return Answer::Disabled;
        }
        let concerned = match named {
            Some(method) if *guess != GuessedCode::NoCode => vec![class_of(method)],
            _ => fitting,
        };
        let asked = if concerned.is_empty() {
            &any
        } else {
            &concerned
        };
        let ends = asked
            .iter()
            .map(|class| self.counter(*class).locked_until(now));
        let first_end = ends.min();
        let open: Vec<Class> = concerned
            .iter()
            .copied()
            .filter(|class| !self.is_locked(*class, now))
            .collect();
        if !asked.is_empty() && asked.iter().all(|class| self.is_locked(*class, now)) {
            return Answer::Locked(first_end.unwrap());
        }
        if concerned.is_empty() {
            return Answer::NoCode;
        }
        self.compared(guess, &accepts, &open, now)
    }

    fn compared(
        &self,
        guess: &GuessedCode,
        accepts: &dyn Fn(Method) -> bool,
        open: &[Class],
        now: UnixTime,
    ) -> Answer {
        let wrong = Answer::Wrong(open.to_vec());
        match guess {
            GuessedCode::NoCode => wrong,
            GuessedCode::RecoveryCode(code) => {
                let may = accepts(Method::RecoveryCode) && open.contains(&Class::Recovery);
                let place = self.kept.iter().position(|kept| kept == code);
                let place = place.filter(|_| may);
                place.map_or(wrong, |index| Answer::Good(Good::Kept { index }))
            }
            GuessedCode::Numeric(code) => {
                let may = accepts(Method::Totp) && open.contains(&Class::Totp);
                let apps = self.apps.iter().enumerate();
                let steps: Vec<(usize, u64, bool)> = apps
                    .filter(|(_, app)| may && app.usable(now))
                    .filter_map(|(index, app)| {
                        let step = app.matching(code, now)?;
                        Some((
                            index,
                            step,
                            app.used.last().is_some_and(|last| step <= *last),
                        ))
                    })
                    .collect();
                if steps.iter().any(|(_, _, used)| *used) {
                    return Answer::Used;
                }
                let sent = self.live.iter().filter(|sent| {
                    accepts(sent.method())
                        && open.contains(&sent.class())
                        && sent.lives(now)
                        && sent.code == *code
                });
                // What proves least.
                let order = [
                    Method::Generated,
                    Method::Email,
                    Method::Sms,
                    Method::RecoveryMessage,
                ];
                let place = |sent: &&Delivered| order.iter().position(|one| *one == sent.method());
                if let Some(sent) = sent.min_by_key(place) {
                    let number = sent.number;
                    return Answer::Good(Good::Sent { number });
                }
                steps.first().map_or(wrong, |(app, step, _)| {
                    let (app, step) = (*app, *step);
                    Answer::Good(Good::Step { app, step })
                })
            }
        }
    }

    /// Whether it is a code that was sent or kept, and used, of a class that is not locked.
    fn is_spent(
        &self,
        guess: &GuessedCode,
        accepts: &dyn Fn(Method) -> bool,
        now: UnixTime,
    ) -> bool {
        match guess {
            GuessedCode::NoCode => false,
            GuessedCode::RecoveryCode(code) => {
                accepts(Method::RecoveryCode)
                    && !self.is_locked(Class::Recovery, now)
                    && self.used.contains(code)
            }
            GuessedCode::Numeric(code) => self.spent.iter().any(|spent| {
                accepts(spent.method())
                    && !self.is_locked(spent.class(), now)
                    && spent.expires_at > now
                    && spent.code == *code
            }),
        }
    }

    /// The classes in which there is something a guess of that form, or of any, could be right for.
    fn classes(
        &self,
        guess: Option<&GuessedCode>,
        accepts: &dyn Fn(Method) -> bool,
        now: UnixTime,
    ) -> Vec<Class> {
        let numeric = |length: usize| match guess {
            None => true,
            Some(GuessedCode::Numeric(code)) => code.as_str().len() == length,
            Some(_) => false,
        };
        let app = |app: &App| match guess {
            None => true,
            Some(GuessedCode::Numeric(code)) => app.has_length_of(code),
            Some(_) => false,
        };
        let kept = matches!(guess, None | Some(GuessedCode::RecoveryCode(_)));
        let sent = |class| {
            self.live.iter().any(|sent| {
                accepts(sent.method())
                    && sent.class() == class
                    && sent.lives(now)
                    && numeric(sent.code.as_str().len())
            })
        };
        let mut classes = Vec::new();
        let apps = self.apps.iter();
        if accepts(Method::Totp) && apps.filter(|held| held.usable(now)).any(app) {
            classes.push(Class::Totp);
        }
        if sent(Class::Delivered) {
            classes.push(Class::Delivered);
        }
        let kept = kept && accepts(Method::RecoveryCode) && !self.kept.is_empty();
        if kept || sent(Class::Recovery) {
            classes.push(Class::Recovery);
        }
        classes
    }

    /// The least tries left of the classes that could be proved and are open.
    pub(crate) fn tries_left(&self, named: Option<Method>, now: UnixTime) -> Option<u32> {
        let accepts = |method| named.is_none_or(|named| named == method);
        let classes = self.classes(None, &accepts, now).into_iter();
        let open = classes.filter(|class| !self.is_locked(*class, now));
        open.map(|class| self.counter(class).tries_left(now)).min()
    }

    pub(crate) fn accept(&mut self, good: &Good, now: UnixTime) -> Method {
        let method = match *good {
            Good::Step { app, step } => {
                let held = &mut self.apps[app];
                assert!(held.used.insert(step), "a step accepted twice");
                if matches!(held.life, Life::Pending { .. }) {
                    held.life = Life::Active;
                    let replaced = held.replaces.take();
                    self.apps.retain(|app| Some(app.number) != replaced);
                    self.live.clear();
                }
                Method::Totp
            }
            Good::Sent { number } => {
                let place = self.live.iter().position(|sent| sent.number == number);
                let sent = self.live.remove(place.unwrap());
                let method = sent.method();
                self.spent.retain(|spent| spent.expires_at > now);
                self.spent.push(sent);
                if self.spent.len() > REMEMBERED {
                    self.spent.remove(0);
                }
                method
            }
            Good::Kept { index } => {
                let code = self.kept.remove(index);
                self.used.push(code);
                Method::RecoveryCode
            }
        };
        let class = class_of(method);
        assert!(!self.is_locked(class, now));
        if method != Method::Generated {
            self.counter_mut(class).start_again();
        }
        method
    }

    /// Counts a wrong guess against `classes`, and one try of every code it was compared with.
    pub(crate) fn refuse(
        &mut self,
        guess: &GuessedCode,
        named: Option<Method>,
        classes: &[Class],
        now: UnixTime,
    ) {
        if let GuessedCode::Numeric(code) = guess {
            for sent in &mut self.live {
                let compared = named.is_none_or(|named| named == sent.method())
                    && classes.contains(&sent.class())
                    && sent.lives(now)
                    && sent.code.as_str().len() == code.as_str().len();
                sent.tries += u32::from(compared);
            }
        }
        for &class in classes {
            let counter = self.counter_mut(class);
            counter.failures += 1;
            counter.wrong.push(now);
            if counter.failures == 100 {
                counter.start_again();
                self.wear_out(class);
            } else if let Some(beyond) = counter.failures.checked_sub(5) {
                let lock = LOCKS.get(beyond as usize).copied().unwrap_or(3600);
                counter.lock = now.plus(lock);
            }
        }
    }

    /// The hundredth consecutive failure: what was guessed at must be bound again.
    fn wear_out(&mut self, class: Class) {
        self.live.retain(|sent| sent.class() != class);
        match class {
            Class::Recovery => {
                self.kept.clear();
                self.used.clear();
                self.has_set = false;
            }
            Class::Delivered => {}
            Class::Totp => {
                self.apps
                    .retain(|app| !matches!(app.life, Life::Pending { .. }));
                for app in &mut self.apps {
                    app.life = Life::Disabled;
                }
            }
        }
    }
}

pub(crate) fn class_of(method: Method) -> Class {
    match method {
        Method::Totp => Class::Totp,
        Method::Sms | Method::Email | Method::Generated => Class::Delivered,
        Method::RecoveryMessage | Method::RecoveryCode => Class::Recovery,
        Method::Passkey => panic!("no guess"),
    }
}
