//! CRY-15: what a database restored from a backup may still hold, at every second around the restoration.

use candado::domain::account::{
    Accept, Account, Attempt, Digests, Dispatch, Enrolment, State, Verdict,
};
use candado::domain::codes::guess::GuessedCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::sealing::Vault;
use candado::domain::ids::{ClientId, Owner, UserId};
use candado::domain::method::{Channel, Method, Purpose};
use candado::domain::time::UnixTime;
use proptest::prelude::*;

const START: UnixTime = UnixTime::from_secs(1_760_000_010);
const SECRET: &[u8] = b"12345678901234567890";

struct Backup {
    keys: KeyRing,
    owner: Owner,
}

impl Backup {
    fn new() -> Self {
        Self {
            keys: KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(),
            owner: Owner {
                client: ClientId::try_from("shop".to_owned()).unwrap(),
                user: UserId::try_from("ann".to_owned()).unwrap(),
            },
        }
    }

    fn vault(&self) -> Vault<'_> {
        Vault {
            keys: &self.keys,
            owner: &self.owner,
        }
    }

    fn enrolled(&self, confirm: bool) -> Account {
        let mut account = Account::new(START);
        let (label, secret) = ("ann".to_owned(), SECRET.to_vec());
        let parameters = Parameters::default();
        let enrolment = Enrolment::new(self.vault(), label, parameters, secret, confirm);
        account.enrol(enrolment.unwrap(), START).unwrap();
        account
    }

    fn verifies(&self, account: &mut Account, code_of: UnixTime, now: UnixTime) -> bool {
        let parameters = Parameters::default();
        let guess = GuessedCode::Numeric(parameters.code_at(SECRET, parameters.step_at(code_of)));
        let attempt = Attempt {
            vault: self.vault(),
            guess: &guess,
            accept: &Accept::any_of(Method::ALL),
            digests: &Digests::new(),
            now,
        };
        matches!(account.attempt(&attempt), Ok(Verdict::Verified { .. }))
    }
}

#[test]
fn cry_15_codes_and_pending_secrets_from_before_the_restoration_are_gone_and_later_ones_stay() {
    let backup = Backup::new();
    for (age, kept) in [(0, true), (1, false)] {
        let restored = START.plus(age);
        for purpose in [Purpose::Verify, Purpose::Recovery] {
            let mut account = backup.enrolled(false);
            let (dispatch, challenge) =
                Dispatch::draw(backup.vault(), Channel::Sms, purpose, START).unwrap();
            account.open_challenge(challenge, 60, START).unwrap();
            account.forget_before(restored);
            let guess = GuessedCode::Numeric(dispatch.code);
            let left = account
                .challenges_for(&guess, &Accept::any_of(Method::ALL), restored)
                .len();
            assert_eq!(left, usize::from(kept), "{purpose:?} {age}");
        }
        let mut account = backup.enrolled(false);
        account
            .replace_recovery_codes(&backup.owner, START)
            .unwrap();
        account.forget_before(restored);
        assert_eq!(
            account.recovery_codes_remaining(),
            if kept { 10 } else { 0 }
        );

        let mut account = backup.enrolled(true);
        account.forget_before(restored);
        let state = if kept { State::Pending } else { State::None };
        assert_eq!(account.state(restored), state);
    }
}

#[test]
fn cry_15_an_app_bound_after_the_restoration_loses_no_step() {
    let backup = Backup::new();
    let mut account = backup.enrolled(false);
    account.forget_before(START);
    assert!(backup.verifies(&mut account, START, START));
}

proptest! {
    #[test]
    fn cry_15_no_code_that_may_have_been_accepted_before_the_restoration_is_accepted_after_it(
        age in 1_u64..300, used in 0_u64..400, later in 0_u64..200, ahead in -1_i64..=1
    ) {
        let backup = Backup::new();
        let restored = START.plus(age);
        let mut before = backup.enrolled(false);
        let mut after = before.clone();
        // Accepted after the backup was made and before it was restored: by the account that is lost.
        let then = START.plus(used.min(age - 1));
        let code_of = UnixTime::from_secs(then.as_secs().saturating_add_signed(ahead * 30));
        prop_assert!(backup.verifies(&mut before, code_of, then));
        after.forget_before(restored);
        prop_assert!(!backup.verifies(&mut after, code_of, restored.plus(later)));
        // And soon the next code is good again.
        let recovered = restored.plus(90);
        prop_assert!(backup.verifies(&mut after, recovered, recovered));
    }
}
