//! One guess at an account: the only place that says a code is good.

use std::collections::HashMap;

use super::{Account, Challenge, Factor, FactorState};
use crate::domain::code::{CodeBinding, NumericCode};
use crate::domain::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, Owner};
use crate::domain::keys::KeyRing;
use crate::domain::method::{Class, Method, Purpose};
use crate::domain::recovery::RecoveryCode;
use crate::domain::sealing::SealError;
use crate::domain::throttle::Consequence;
use crate::domain::time::UnixTime;
use crate::domain::totp::Step;

/// Tries at one delivered code; with the last one it is dead (OOB-06).
const TRIES_PER_CODE: u32 = 5;

/// The digests KV holds for an account's challenges. One that is missing matches nothing.
pub type Digests = HashMap<ChallengeId, String>;

/// Which methods an attempt may succeed by.
#[derive(Debug, Clone)]
pub struct Accept(Vec<Method>);

impl Accept {
    pub fn only(methods: impl IntoIterator<Item = Method>) -> Self {
        Self(methods.into_iter().collect())
    }

    fn allows(&self, method: Method) -> bool {
        self.0.contains(&method)
    }
}

/// One guess, with all that is needed to judge it.
pub struct Attempt<'a> {
    pub keys: &'a KeyRing,
    pub owner: Owner<'a>,
    pub guess: &'a GuessedCode,
    pub accept: &'a Accept,
    pub digests: &'a Digests,
    pub now: UnixTime,
}

/// What an evaluated guess came to. Every one of these changes the account, except `AlreadyUsed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Verified {
        method: Method,
        /// Whether this was the first code of a pending factor, which now counts.
        confirmed: bool,
        /// The delivered code that was spent.
        spent: Option<ChallengeId>,
    },
    Wrong {
        class: Class,
        failures: u32,
        consequence: Consequence,
    },
    /// The right code of a step that is used up: not accepted and not counted.
    AlreadyUsed { next_step_at: UnixTime },
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

/// Where a guess matched.
enum Match {
    Factor { index: usize, step: Step },
    Challenge { index: usize },
    UsedStep { next_step_at: UnixTime },
}

impl Account {
    /// The challenges a guess could match, whose digests are worth fetching.
    pub fn challenges_for<'a>(
        &'a self,
        guess: &GuessedCode,
        now: UnixTime,
    ) -> impl Iterator<Item = &'a ChallengeId> {
        let numeric = match guess {
            GuessedCode::Numeric(code) => Some(code.clone()),
            GuessedCode::Recovery(_) => None,
        };
        self.challenges
            .iter()
            .filter(move |challenge| {
                numeric
                    .as_ref()
                    .is_some_and(|code| challenge.could_match(code, now))
            })
            .map(|challenge| &challenge.id)
    }

    /// Judges one guess and makes the account's next value.
    ///
    /// Pure. The caller reveals the verdict only after it stored the account by compare-and-swap,
    /// which is what makes parallel guesses count one by one (RATE-04).
    pub fn attempt(&mut self, attempt: &Attempt<'_>) -> Result<Verdict, Refusal> {
        let classes = self.open_classes(attempt)?;
        match attempt.guess {
            GuessedCode::Numeric(code) => self.attempt_numeric(attempt, code, &classes),
            GuessedCode::Recovery(code) => Ok(self.attempt_recovery_code(attempt, code)),
        }
    }

    /// The counters this guess would be counted by, locked ones left out: a locked class is not
    /// evaluated, so its right code is neither told apart nor spent (RATE-10).
    fn open_classes(&self, attempt: &Attempt<'_>) -> Result<Vec<Class>, Refusal> {
        if self.factors.is_empty() && self.challenges.is_empty() && self.recovery.is_none() {
            return Err(Refusal::NothingEnrolled);
        }
        let mut concerned = Vec::new();
        match attempt.guess {
            GuessedCode::Recovery(_) => concerned.push(Class::Recovery),
            GuessedCode::Numeric(code) => {
                let by_factor = self
                    .factors
                    .iter()
                    .any(|factor| factor.could_match(code, attempt));
                let challenges = self
                    .challenges
                    .iter()
                    .filter(|challenge| challenge.is_candidate(code, attempt));
                let classes: Vec<Class> = challenges
                    .map(|challenge| challenge.method().class())
                    .collect();
                if !by_factor && classes.is_empty() && self.is_disabled_by_failures() {
                    return Err(Refusal::FactorDisabled);
                }
                // A guess that could match nothing still counts, as one of the kind its length is of:
                // else it would tell what is enrolled.
                let of_recovery = code.has(Purpose::Recovery.digits()) && !self.has_app_of(code);
                let by_nothing = !by_factor && classes.is_empty();
                if by_factor
                    || classes.contains(&Class::Authenticator)
                    || by_nothing && !of_recovery
                {
                    concerned.push(Class::Authenticator);
                }
                if by_nothing && of_recovery {
                    concerned.push(Class::Recovery);
                }
                if classes.contains(&Class::Recovery) {
                    concerned.push(Class::Recovery);
                }
            }
        }
        let lock = |class: &Class| match class {
            Class::Authenticator => self.throttles.authenticator.locked_until(attempt.now),
            Class::Recovery => self.throttles.recovery.locked_until(attempt.now),
        };
        let first_end = concerned.iter().filter_map(lock).min();
        concerned.retain(|class| lock(class).is_none());
        match first_end {
            Some(until) if concerned.is_empty() => Err(Refusal::Locked { until }),
            _ => Ok(concerned),
        }
    }

    fn attempt_numeric(
        &mut self,
        attempt: &Attempt<'_>,
        code: &NumericCode,
        classes: &[Class],
    ) -> Result<Verdict, Refusal> {
        let (found, compared) = self.compare_all(attempt, code, classes)?;
        match found {
            Some(Match::Factor { index, step }) => Ok(self.use_step(index, step, attempt.now)),
            Some(Match::Challenge { index }) => Ok(self.spend_challenge(index, attempt.now)),
            Some(Match::UsedStep { next_step_at }) => Ok(Verdict::AlreadyUsed { next_step_at }),
            None => {
                for id in compared {
                    self.count_try(&id);
                }
                Ok(self.count_failure(classes, attempt.now))
            }
        }
    }

    /// Compares the guess with every candidate, whatever matched before, and says the best match and
    /// which challenges it was compared with.
    fn compare_all(
        &self,
        attempt: &Attempt<'_>,
        code: &NumericCode,
        classes: &[Class],
    ) -> Result<(Option<Match>, Vec<ChallengeId>), SealError> {
        let (mut fresh, mut delivered, mut used) = (None, None, None);
        let mut compared = Vec::new();
        if classes.contains(&Class::Authenticator) {
            for (index, factor) in self.factors.iter().enumerate() {
                if !factor.could_match(code, attempt) {
                    continue;
                }
                let secret = factor.secret(attempt.keys, attempt.owner)?;
                match factor.parameters.matching_step(&secret, code, attempt.now) {
                    Some(step) if factor.last_step.is_none_or(|last| step > last) => {
                        fresh = fresh.or(Some(Match::Factor { index, step }));
                    }
                    Some(_) => {
                        let last = factor
                            .last_step
                            .unwrap_or_else(|| factor.parameters.step_at(attempt.now));
                        used = Some(Match::UsedStep {
                            next_step_at: factor.parameters.start_of_next(last),
                        });
                    }
                    None => {}
                }
            }
        }
        for (index, challenge) in self.challenges.iter().enumerate() {
            let open = classes.contains(&challenge.method().class())
                && challenge.is_candidate(code, attempt);
            let Some(stored) = attempt.digests.get(&challenge.id).filter(|_| open) else {
                continue;
            };
            compared.push(challenge.id.clone());
            if challenge
                .binding(attempt.owner)
                .matches(attempt.keys, code, stored)
            {
                delivered = Some(Match::Challenge { index });
            }
        }
        Ok((fresh.or(delivered).or(used), compared))
    }

    /// Accepts a TOTP code: its step and all before it are used up (TOTP-05, TOTP-06). The first
    /// code of a pending factor makes it the only one.
    fn use_step(&mut self, index: usize, step: Step, now: UnixTime) -> Verdict {
        let mut confirmed = false;
        if let Some(factor) = self.factors.get_mut(index) {
            factor.last_step = Some(step);
            if matches!(factor.state, FactorState::Pending { .. }) {
                factor.state = FactorState::Active { confirmed_at: now };
                confirmed = true;
                // The twin it replaces dies now, not before (TOTP-14), and with it every code under way (REC-14).
                let id = factor.id.clone();
                self.factors.retain(|factor| factor.id == id);
                self.challenges.clear();
            }
        }
        self.succeed(Method::Totp, now);
        Verdict::Verified {
            method: Method::Totp,
            confirmed,
            spent: None,
        }
    }

    fn spend_challenge(&mut self, index: usize, now: UnixTime) -> Verdict {
        let challenge = self.challenges.remove(index);
        let method = challenge.method();
        self.succeed(method, now);
        Verdict::Verified {
            method,
            confirmed: false,
            spent: Some(challenge.id),
        }
    }

    fn attempt_recovery_code(&mut self, attempt: &Attempt<'_>, code: &RecoveryCode) -> Verdict {
        let digest = code.digest(attempt.owner);
        let allowed = attempt.accept.allows(Method::RecoveryCode);
        let set = self.recovery.as_mut().filter(|_| allowed);
        // Every digest is compared, so that the time does not tell a code's place.
        let found = set.and_then(|set| {
            let matches: Vec<usize> = set
                .digests
                .iter()
                .enumerate()
                .filter(|(_, stored)| stored.matches(&digest))
                .map(|(i, _)| i)
                .collect();
            matches.first().map(|&index| set.digests.remove(index))
        });
        if found.is_none() {
            return self.count_failure(&[Class::Recovery], attempt.now);
        }
        self.succeed(Method::RecoveryCode, attempt.now);
        Verdict::Verified {
            method: Method::RecoveryCode,
            confirmed: false,
            spent: None,
        }
    }

    /// A success starts the counter of its own kind again, and no other (RATE-11).
    fn succeed(&mut self, method: Method, now: UnixTime) {
        self.throttle(method.class()).reset();
        self.last_verified_at = Some(now);
    }

    /// Counts a wrong guess once per counter it concerned, however many candidates it was compared with.
    fn count_failure(&mut self, classes: &[Class], now: UnixTime) -> Verdict {
        let mut verdict = None;
        for &class in classes {
            let consequence = self.throttle(class).fail(now);
            if consequence == Consequence::Disabled {
                self.disable_by_failures(class, now);
            }
            let failures = self.throttle(class).failures();
            verdict = verdict.or(Some(Verdict::Wrong {
                class,
                failures,
                consequence,
            }));
        }
        // `open_classes` never gives an empty list; were it to, the guess is wrong all the same.
        verdict.unwrap_or(Verdict::Wrong {
            class: Class::Authenticator,
            failures: 0,
            consequence: Consequence::TriesLeft(0),
        })
    }

    fn count_try(&mut self, id: &ChallengeId) {
        for challenge in &mut self.challenges {
            if challenge.id == *id {
                challenge.tries = challenge.tries.saturating_add(1);
            }
        }
    }

    /// NIST SP 800-63B-4 §3.2.2: what 100 consecutive failures were made at must be bound again.
    fn disable_by_failures(&mut self, class: Class, now: UnixTime) {
        self.challenges
            .retain(|challenge| challenge.method().class() != class);
        match class {
            Class::Recovery => self.recovery = None,
            Class::Authenticator => {
                self.factors
                    .retain(|factor| !matches!(factor.state, FactorState::Pending { .. }));
                for factor in &mut self.factors {
                    factor.state = FactorState::Disabled { at: now };
                }
            }
        }
    }

    fn has_app_of(&self, code: &NumericCode) -> bool {
        self.factors
            .iter()
            .any(|factor| code.has(factor.parameters.digits))
    }

    fn is_disabled_by_failures(&self) -> bool {
        self.factors
            .iter()
            .any(|factor| matches!(factor.state, FactorState::Disabled { .. }))
    }
}

impl Factor {
    fn could_match(&self, code: &NumericCode, attempt: &Attempt<'_>) -> bool {
        attempt.accept.allows(Method::Totp)
            && code.has(self.parameters.digits)
            && self.is_usable(attempt.now)
    }
}

impl Challenge {
    pub(super) fn method(&self) -> Method {
        self.channel.method(self.purpose)
    }

    pub(super) fn binding<'a>(&'a self, owner: Owner<'a>) -> CodeBinding<'a> {
        CodeBinding {
            owner,
            challenge: &self.id,
            kind: self.channel.kind(self.purpose),
        }
    }

    fn could_match(&self, code: &NumericCode, now: UnixTime) -> bool {
        code.has(self.purpose.digits()) && self.expires_at > now && self.tries < TRIES_PER_CODE
    }

    fn is_candidate(&self, code: &NumericCode, attempt: &Attempt<'_>) -> bool {
        attempt.accept.allows(self.method()) && self.could_match(code, attempt.now)
    }
}

#[cfg(test)]
mod tests;
