//! What a guess may be right for.

use super::{Attempt, Digests, Found};
use crate::domain::account::challenge::Challenge;
use crate::domain::account::factor::Factor;
use crate::domain::account::recovery_set::RecoverySet;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::crypto::sealing::SealError;
use crate::domain::ids::ChallengeId;
use crate::domain::method::{Class, Classes, Method};

/// Gathered once, for KV and for the comparison alike.
pub(super) struct Candidates<'a> {
    pub(super) factors: Vec<&'a Factor>,
    pub(super) challenges: Vec<&'a Challenge>,
    pub(super) recovery: Option<&'a RecoverySet>,
}

impl<'a> Candidates<'a> {
    /// Those whose codes have the guess's form.
    pub(super) fn fitting(&self, guess: &GuessedCode) -> Candidates<'a> {
        let nothing = Candidates {
            factors: Vec::new(),
            challenges: Vec::new(),
            recovery: None,
        };
        match guess {
            GuessedCode::NoCode => nothing,
            GuessedCode::RecoveryCode(_) => Candidates {
                recovery: self.recovery,
                ..nothing
            },
            GuessedCode::Numeric(code) => Candidates {
                factors: only(&self.factors, |factor| code.has(factor.parameters.digits)),
                challenges: only(&self.challenges, |challenge| {
                    code.has(challenge.purpose.digits())
                }),
                recovery: None,
            },
        }
    }

    /// Those of these classes.
    pub(super) fn of(&self, classes: Classes) -> Candidates<'a> {
        Candidates {
            factors: only(&self.factors, |_| classes.contains(Class::Totp)),
            challenges: only(&self.challenges, |challenge| {
                classes.contains(challenge.method().class())
            }),
            recovery: self.recovery.filter(|_| classes.contains(Class::Recovery)),
        }
    }

    /// The classes in which there is one.
    pub(super) fn classes(&self) -> Classes {
        let challenges = self.challenges.iter();
        let delivered = challenges.map(|challenge| challenge.method().class());
        let totp = self.factors.first().map(|_| Class::Totp);
        let recovery = self.recovery.map(|_| Class::Recovery);
        totp.into_iter().chain(recovery).chain(delivered).collect()
    }

    /// The delivered codes that a guess was compared with: those whose digest was there.
    pub(super) fn tried(&self, digests: &Digests) -> Vec<ChallengeId> {
        let challenges = self.challenges.iter();
        let tried = challenges.filter(|challenge| digests.contains_key(&challenge.id));
        tried.map(|challenge| challenge.id.clone()).collect()
    }

    /// Compares the guess with every candidate, whatever matched before.
    pub(super) fn compare(&self, attempt: &Attempt<'_>) -> Result<Found, SealError> {
        match attempt.guess {
            GuessedCode::NoCode => Ok(Found::Nothing),
            GuessedCode::RecoveryCode(code) => {
                let digest = code.digest(attempt.vault.owner);
                let is_left = self.recovery.is_some_and(|set| set.is_left(&digest));
                Ok(if is_left {
                    Found::RecoveryCode(digest)
                } else {
                    Found::Nothing
                })
            }
            GuessedCode::Numeric(code) => {
                let challenge = self.compare_challenges(attempt, code);
                let step = self.compare_steps(attempt, code)?;
                Ok(match (step, challenge) {
                    (used @ Found::UsedStep { .. }, _) => used,
                    (_, Some(challenge)) => challenge,
                    (step, None) => step,
                })
            }
        }
    }

    /// The challenge whose code it is; of several the one that proves least.
    fn compare_challenges(&self, attempt: &Attempt<'_>, code: &NumericCode) -> Option<Found> {
        let mut matching: Vec<(Method, Found)> = Vec::new();
        for challenge in &self.challenges {
            let Some(stored) = attempt.digests.get(&challenge.id) else {
                continue;
            };
            let binding = challenge.binding(attempt.vault);
            if binding.matches(code, stored) {
                let (id, digest) = (challenge.id.clone(), stored.clone());
                matching.push((challenge.method(), Found::Challenge { id, digest }));
            }
        }
        let least = matching
            .into_iter()
            .min_by_key(|(method, _)| method.strength());
        least.map(|(_, found)| found)
    }

    /// The factor and the step whose code it is.
    fn compare_steps(&self, attempt: &Attempt<'_>, code: &NumericCode) -> Result<Found, SealError> {
        let (mut fresh, mut used) = (None, None);
        for factor in &self.factors {
            let secret = factor.secret(attempt.vault)?;
            match factor.parameters.matching_step(&secret, code, attempt.now) {
                Some(step) if factor.last_step.is_none_or(|last| step > last) => {
                    let factor = factor.id.clone();
                    fresh = fresh.or(Some(Found::Step { factor, step }));
                }
                Some(_) => {
                    let next_code_at = factor.next_step_at(attempt.now);
                    used = Some(Found::UsedStep { next_code_at });
                }
                None => {}
            }
        }
        Ok(used.or(fresh).unwrap_or(Found::Nothing))
    }
}

fn only<'a, T>(all: &[&'a T], keep: impl Fn(&T) -> bool) -> Vec<&'a T> {
    all.iter().copied().filter(|one| keep(one)).collect()
}
