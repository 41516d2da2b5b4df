//! What a guess may be right for.

use super::{Attempt, Digests, Found};
use crate::domain::account::app::App;
use crate::domain::account::challenge::Delivered;
use crate::domain::account::recovery_set::RecoverySet;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::crypto::sealing::SealError;
use crate::domain::ids::ChallengeId;
use crate::domain::method::{Class, Classes, Method};

/// Gathered once, for KV and for the comparison alike.
pub(super) struct Candidates<'a> {
    pub(super) apps: Vec<App<'a>>,
    pub(super) codes: Vec<&'a Delivered>,
    pub(super) recovery: Option<&'a RecoverySet>,
}

impl<'a> Candidates<'a> {
    /// Those whose codes have the guess's form.
    pub(super) fn fitting(&self, guess: &GuessedCode) -> Candidates<'a> {
        let nothing = Candidates {
            apps: Vec::new(),
            codes: Vec::new(),
            recovery: None,
        };
        match guess {
            GuessedCode::NoCode => nothing,
            GuessedCode::RecoveryCode(_) => Candidates {
                recovery: self.recovery,
                ..nothing
            },
            GuessedCode::Numeric(code) => Candidates {
                apps: only(&self.apps, |app| code.has(app.totp.parameters.digits)),
                codes: only(&self.codes, |sent| code.has(sent.purpose.digits())),
                recovery: None,
            },
        }
    }

    /// Those of these classes.
    pub(super) fn of(&self, classes: Classes) -> Candidates<'a> {
        Candidates {
            apps: only(&self.apps, |_| classes.contains(Class::Totp)),
            codes: only(&self.codes, |sent| classes.contains(sent.class())),
            recovery: self.recovery.filter(|_| classes.contains(Class::Recovery)),
        }
    }

    /// The classes in which there is one.
    pub(super) fn classes(&self) -> Classes {
        let delivered = self.codes.iter().map(|sent| sent.class());
        let totp = self.apps.first().map(|_| Class::Totp);
        let recovery = self.recovery.map(|_| Class::Recovery);
        totp.into_iter().chain(recovery).chain(delivered).collect()
    }

    /// The delivered codes that a guess was compared with: those whose digest was there.
    pub(super) fn tried(&self, digests: &Digests) -> Vec<ChallengeId> {
        let codes = self.codes.iter();
        let tried = codes.filter(|sent| digests.contains_key(&sent.id));
        tried.map(|sent| sent.id.clone()).collect()
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
                let challenge = self.compare_codes(attempt, code);
                let step = self.compare_steps(attempt, code)?;
                Ok(match (step, challenge) {
                    (used @ Found::UsedStep { .. }, _) => used,
                    (_, Some(challenge)) => challenge,
                    (step, None) => step,
                })
            }
        }
    }

    /// The delivered code it is; of several the one that proves least.
    fn compare_codes(&self, attempt: &Attempt<'_>, code: &NumericCode) -> Option<Found> {
        let mut matching: Vec<(Method, Found)> = Vec::new();
        for sent in &self.codes {
            let Some(stored) = attempt.digests.get(&sent.id) else {
                continue;
            };
            let binding = sent.binding(attempt.vault);
            if binding.matches(code, stored) {
                let (id, digest) = (sent.id.clone(), stored.clone());
                matching.push((sent.method(), Found::Challenge { id, digest }));
            }
        }
        let least = matching
            .into_iter()
            .min_by_key(|(method, _)| method.strength());
        least.map(|(_, found)| found)
    }

    /// The app and the step whose code it is. Every app is compared with, also after one that matched.
    fn compare_steps(&self, attempt: &Attempt<'_>, code: &NumericCode) -> Result<Found, SealError> {
        let (mut fresh, mut used) = (None, None);
        for app in &self.apps {
            let secret = app.secret(attempt.vault)?;
            let parameters = app.totp.parameters;
            match parameters.matching_step(&secret, code, attempt.now) {
                Some(step) if app.is_fresh(step) => {
                    let factor = app.factor.id.clone();
                    fresh = fresh.or(Some(Found::Step { factor, step }));
                }
                Some(_) => {
                    let next_code_at = app.next_step_at(attempt.now);
                    used = Some(Found::UsedStep { next_code_at });
                }
                None => {}
            }
        }
        Ok(used.or(fresh).unwrap_or(Found::Nothing))
    }
}

fn only<T: Copy>(all: &[T], keep: impl Fn(T) -> bool) -> Vec<T> {
    all.iter().copied().filter(|one| keep(*one)).collect()
}
