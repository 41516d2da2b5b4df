//! The recovery codes a user keeps: digests only.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::domain::codes::recovery_code::{CODES_PER_SET, RecoveryCode};
use crate::domain::crypto::digest::Digest;
use crate::domain::crypto::random::RandomError;
use crate::domain::ids::Owner;
use crate::domain::time::UnixTime;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoverySet {
    /// Of the codes that are left.
    pub(super) digests: Vec<Digest>,
    /// Of those that were used: one of them typed again is told apart from a wrong one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) used: Vec<Digest>,
    pub(super) made_at: UnixTime,
}

impl RecoverySet {
    /// Whether the code of that digest is one that may still be used.
    pub(super) fn is_left(&self, digest: &Digest) -> bool {
        is_among(&self.digests, digest)
    }

    pub(super) fn was_used(&self, digest: &Digest) -> bool {
        is_among(&self.used, digest)
    }

    /// Moves the code of that digest to the used ones; `None` if it is not among those left.
    pub(super) fn spend(&mut self, digest: &Digest) -> Option<()> {
        let (spent, left): (Vec<_>, Vec<_>) = self
            .digests
            .drain(..)
            .partition(|stored| stored.matches(digest));
        self.digests = left;
        self.used.extend(spent.into_iter().next());
        self.was_used(digest).then_some(())
    }
}

/// Every digest is compared, so that the time does not tell a code's place.
fn is_among(digests: &[Digest], digest: &Digest) -> bool {
    let compared = digests.iter().map(|stored| stored.matches(digest));
    compared.fold(false, |found, matches| found | matches)
}

impl Account {
    pub fn recovery_codes_remaining(&self) -> usize {
        self.recovery.as_ref().map_or(0, |set| set.digests.len())
    }

    pub fn has_recovery_set(&self) -> bool {
        self.recovery.is_some()
    }

    /// A new set of recovery codes; every code of the former set is dead with it (REC-05).
    pub fn replace_recovery_codes(
        &mut self,
        owner: &Owner,
        now: UnixTime,
    ) -> Result<Vec<RecoveryCode>, RandomError> {
        let codes = (0..CODES_PER_SET)
            .map(|_| RecoveryCode::draw())
            .collect::<Result<Vec<_>, _>>()?;
        let digests = codes.iter().map(|code| code.digest(owner)).collect();
        self.recovery = Some(RecoverySet {
            digests,
            used: Vec::new(),
            made_at: now,
        });
        Ok(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fixture;
    use super::*;

    #[test]
    fn rec_05_a_new_set_of_recovery_codes_replaces_the_old_one() {
        let mut fixture = Fixture::active();
        let old = fixture.replace_recovery_codes();
        let new = fixture.replace_recovery_codes();
        assert_eq!(fixture.account.recovery_codes_remaining(), CODES_PER_SET);
        assert!(old.iter().all(|code| !new.contains(code)));
    }
}
