//! One guess at an account: the only place that says a code is good.

mod candidates;

use std::collections::HashMap;

use self::candidates::Candidates;
use super::Account;
use super::challenge::Challenge;
use super::counters::{Consequence, Failure, Locks};
use super::factor::{Factor, FactorKind, FactorState};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::totp::Step;
use crate::domain::crypto::digest::Digest;
use crate::domain::crypto::sealing::{SealError, Vault};
use crate::domain::ids::{ChallengeId, FactorId};
use crate::domain::method::{Class, Classes, Method};
use crate::domain::time::UnixTime;

/// The digests KV holds for an account's challenges. One that is missing matches nothing.
pub type Digests = HashMap<ChallengeId, String>;

/// Which methods an attempt may succeed by.
#[derive(Debug, Clone)]
pub struct Accept {
    methods: Vec<Method>,
    /// The class the caller named a method of: the only one a guess then concerns.
    named: Option<Class>,
}

impl Accept {
    /// Any of these, by what the guess could match.
    pub fn any_of(methods: impl IntoIterator<Item = Method>) -> Self {
        Self {
            methods: methods.into_iter().collect(),
            named: None,
        }
    }

    /// This one, which the caller named.
    pub fn named(method: Method) -> Self {
        Self {
            methods: vec![method],
            named: method.class(),
        }
    }

    fn allows(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    /// The classes a guess of that form can concern, whatever a user has.
    pub fn classes(&self, guess: &GuessedCode) -> Classes {
        let methods = self.methods.iter();
        let accepted = |class| methods.clone().any(|method| method.class() == Some(class));
        self.named_for(guess)
            .unwrap_or_else(|| guess.classes().filter(accepted))
    }

    fn concerned(&self, guess: &GuessedCode, fitting: &Candidates<'_>) -> Classes {
        self.named_for(guess).unwrap_or_else(|| fitting.classes())
    }

    /// What is no code is a guess at nothing, whatever it was said to be.
    fn named_for(&self, guess: &GuessedCode) -> Option<Classes> {
        let class = self.named.filter(|_| *guess != GuessedCode::NoCode)?;
        Some([class].into_iter().collect())
    }
}

/// One guess, with all that is needed to judge it.
pub struct Attempt<'a> {
    pub vault: Vault<'a>,
    pub guess: &'a GuessedCode,
    pub accept: &'a Accept,
    pub digests: &'a Digests,
    pub now: UnixTime,
}

/// What an evaluated guess came to. The first two change the account, the others do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Verified {
        method: Method,
        /// Whether this was the first code of a pending factor, which now counts.
        confirmed: bool,
        /// The delivered code that was spent.
        spent: Option<ChallengeId>,
    },
    /// Counted once against each class it concerned and that was open.
    Wrong(Vec<Failure>),
    /// A right code that was used: not accepted and not counted.
    AlreadyUsed {
        /// When a TOTP code that was not is due; there is no such time for another code.
        next_code_at: Option<UnixTime>,
    },
    /// No code this could be is there: nothing was compared, so nothing is counted.
    NotACode { tries_left: Option<u32> },
}

/// Why a guess was not evaluated. Nothing was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Locked { until: UnixTime },
    FactorDisabled,
    NothingEnrolled,
    Unreadable(SealError),
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        Self::Unreadable(error)
    }
}

/// What the comparison found. Where a guess matches in several places, the first of these counts.
enum Found {
    /// The code of a step that is used up.
    UsedStep {
        next_code_at: UnixTime,
    },
    Challenge {
        id: ChallengeId,
        digest: String,
    },
    RecoveryCode(Digest),
    Step {
        factor: FactorId,
        step: Step,
    },
    Nothing,
}

impl Account {
    /// The challenges a guess could match, whose digests are worth fetching.
    pub fn challenges_for(
        &self,
        guess: &GuessedCode,
        accept: &Accept,
        now: UnixTime,
    ) -> Vec<ChallengeId> {
        let candidates = self.live(accept, now).fitting(guess);
        let codes = candidates.codes.iter();
        codes.map(|sent| sent.id.clone()).collect()
    }

    /// Judges one guess and makes the account's next value.
    ///
    /// 1. Where nothing is enrolled there is nothing to guess at.
    /// 2. A code that was used says so, and counts nothing: typing it twice is no guess.
    /// 3. Candidates are what lives, is accepted and has the guess's form.
    /// 4. The guess concerns the class the caller named, else each class it has a candidate in.
    /// 5. Locked classes are left out: their right code is neither told apart nor spent (RATE-10).
    /// 6. The guess is compared with every candidate that is left, in constant time.
    /// 7. What was found is spent, or the failure is counted, once in each class that was left.
    ///
    /// A guess that somebody knows to be right must not be a free try at something better. So of what it
    /// matches, what was used comes first, then codes by how little they prove, and the app's last.
    ///
    /// Pure. The caller reveals the verdict only after it stored the account by compare-and-swap,
    /// which is what makes parallel guesses count one by one (RATE-04).
    pub fn attempt(&mut self, attempt: &Attempt<'_>) -> Result<Verdict, Refusal> {
        self.refuse_if_nothing_is_enrolled()?;
        if self.was_used(attempt) {
            return Ok(Verdict::AlreadyUsed { next_code_at: None });
        }
        let live = self.live(attempt.accept, attempt.now);
        let fitting = live.fitting(attempt.guess);
        self.refuse_if_disabled(attempt, &live, &fitting)?;
        let concerned = attempt.accept.concerned(attempt.guess, &fitting);
        if concerned.is_empty() {
            return self.answer_to_no_code(live.classes(), attempt.now);
        }
        let open = self.open(concerned, attempt.now)?;
        let candidates = fitting.of(open);
        let found = candidates.compare(attempt)?;
        let tried = candidates.tried(attempt.digests);
        Ok(self
            .settle(&found, attempt.now)
            .unwrap_or_else(|| self.count_failure(open, &tried, attempt.now)))
    }

    fn refuse_if_nothing_is_enrolled(&self) -> Result<(), Refusal> {
        let delivered = !self.challenges.is_empty() || !self.spent.is_empty();
        if delivered || !self.factors.is_empty() || self.recovery.is_some() {
            return Ok(());
        }
        Err(Refusal::NothingEnrolled)
    }

    /// Everything that could be proved now, whatever the form of its code.
    fn live(&self, accept: &Accept, now: UnixTime) -> Candidates<'_> {
        let usable = self.factors.iter().filter(|factor| factor.is_usable(now));
        Candidates {
            apps: usable
                .filter_map(Factor::app)
                .filter(|_| accept.allows(Method::Totp))
                .collect(),
            codes: self
                .delivered()
                .filter(|sent| accept.allows(sent.method()) && sent.is_live(now))
                .collect(),
            recovery: self
                .recovery
                .as_ref()
                .filter(|set| accept.allows(Method::RecoveryCode) && !set.digests.is_empty()),
        }
    }

    /// Where only an app is left that failures disabled, its user is told so: no code of it helps.
    fn refuse_if_disabled(
        &self,
        attempt: &Attempt<'_>,
        live: &Candidates<'_>,
        fitting: &Candidates<'_>,
    ) -> Result<(), Refusal> {
        let nothing_else = match attempt.guess {
            GuessedCode::NoCode => live.classes().is_empty(),
            GuessedCode::Numeric(_) => fitting.classes().is_empty(),
            GuessedCode::RecoveryCode(_) => false,
        };
        let disabled = self
            .factors
            .iter()
            .any(|factor| factor.is_app() && factor.is_disabled());
        if nothing_else && disabled && attempt.accept.allows(Method::Totp) {
            return Err(Refusal::FactorDisabled);
        }
        Ok(())
    }

    /// The guess is no code, or none there is: it could match nothing. Under a lock it is told of the lock.
    fn answer_to_no_code(&self, live: Classes, now: UnixTime) -> Result<Verdict, Refusal> {
        let open = self.open(live, now)?;
        let tries_left = self.counters.tries_left(open, now);
        Ok(Verdict::NotACode { tries_left })
    }

    /// Those of the classes that are not locked.
    fn open(&self, concerned: Classes, now: UnixTime) -> Result<Classes, Refusal> {
        let locks = self.locks(now);
        if let Some(until) = locks.all_closed(concerned, now) {
            return Err(Refusal::Locked { until });
        }
        Ok(concerned.filter(|class| locks.of(class).is_none()))
    }

    /// Whether the guess is a code that was sent or kept, and used, of a class that is not locked.
    fn was_used(&self, attempt: &Attempt<'_>) -> bool {
        let locks = self.locks(attempt.now);
        let told = |method, class| attempt.accept.allows(method) && locks.of(class).is_none();
        match attempt.guess {
            GuessedCode::NoCode => false,
            GuessedCode::Numeric(code) => {
                let spent = self.spent.iter();
                let spent = spent.filter(|spent| told(spent.method(), spent.class()));
                spent.fold(false, |found, spent| {
                    found | spent.is(code, attempt.vault, attempt.now)
                })
            }
            GuessedCode::RecoveryCode(code) => {
                let set = self.recovery.as_ref();
                let set = set.filter(|_| told(Method::RecoveryCode, Class::Recovery));
                set.is_some_and(|set| set.was_used(&code.digest(attempt.vault.owner)))
            }
        }
    }

    /// Spends what was found, or says that it was. `None`: nothing is there to spend, the guess is wrong.
    fn settle(&mut self, found: &Found, now: UnixTime) -> Option<Verdict> {
        let (method, confirmed, spent) = match found {
            Found::UsedStep { next_code_at } => {
                return Some(Verdict::AlreadyUsed {
                    next_code_at: Some(*next_code_at),
                });
            }
            Found::Nothing => return None,
            Found::Challenge { id, digest } => {
                let method = self.spend_challenge(id, digest, now)?;
                (method, false, Some(id.clone()))
            }
            Found::Step { factor, step } => {
                (Method::Totp, self.use_step(factor, *step, now)?, None)
            }
            Found::RecoveryCode(digest) => {
                self.recovery.as_mut()?.spend(digest)?;
                (Method::RecoveryCode, false, None)
            }
        };
        self.succeed(method, now);
        Some(Verdict::Verified {
            method,
            confirmed,
            spent,
        })
    }

    /// Uses up a step and all before it (TOTP-05, TOTP-06). The first code of a pending app makes it count:
    /// whether it did is the answer.
    fn use_step(&mut self, id: &FactorId, step: Step, now: UnixTime) -> Option<bool> {
        let first = !self.mfa_enabled();
        let mut factors = self.factors.iter_mut();
        let factor = factors.find(|factor| factor.id == *id)?;
        let counted = factor.counts();
        let FactorKind::Totp(app) = &mut factor.kind else {
            return None;
        };
        app.last_step = Some(step);
        factor.last_used_at = Some(now);
        if !counted {
            factor.state = FactorState::Active { confirmed_at: now };
            let replaced = app.replaces.take();
            self.confirmed(first, replaced.as_ref(), now);
        }
        Some(!counted)
    }

    /// A success starts the row of its own class again, and of no other (RATE-11). A code the application
    /// asked for itself proves nothing about the user, so it starts none.
    pub(super) fn succeed(&mut self, method: Method, now: UnixTime) {
        if let Some(class) = method.class().filter(|_| method != Method::Generated) {
            self.counters.of_mut(class).reset();
        }
        if method.is_recovery() {
            self.end_trust();
        }
        self.last_verified_at = Some(now);
    }

    /// Counts a wrong guess once in each class it concerned, however many candidates it was compared with,
    /// and a try at each delivered code it was compared with.
    pub(super) fn count_failure(
        &mut self,
        classes: Classes,
        tried: &[ChallengeId],
        now: UnixTime,
    ) -> Verdict {
        for challenge in &mut self.challenges {
            if let Challenge::Delivered(sent) = challenge
                && tried.contains(&sent.id)
            {
                sent.tries = sent.tries.saturating_add(1);
            }
        }
        let failures = classes.iter().map(|class| {
            let failure = self.counters.of_mut(class).fail(class, now);
            if failure.consequence == Consequence::Disabled {
                self.disable_by_failures(class, now);
            }
            failure
        });
        Verdict::Wrong(failures.collect())
    }

    /// NIST SP 800-63B-4 §3.2.2: what 100 consecutive failures were made at must be bound again.
    fn disable_by_failures(&mut self, class: Class, now: UnixTime) {
        self.challenges.retain(|challenge| {
            let delivered = challenge.delivered();
            delivered.is_none_or(|sent| sent.class() != class)
        });
        match class {
            Class::Totp => {
                self.factors.retain(Factor::counts);
                for factor in self.factors.iter_mut().filter(|factor| factor.is_app()) {
                    factor.state = FactorState::Disabled { at: now };
                }
            }
            Class::Delivered => self.contact.disable(now),
            Class::Recovery => self.recovery = None,
        }
    }

    /// Until when each class is locked.
    pub fn locks(&self, now: UnixTime) -> Locks {
        self.counters.locks(now)
    }
}

#[cfg(test)]
mod tests;
