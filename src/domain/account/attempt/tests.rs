use super::super::State;
use super::super::delivery::Dispatch;
use super::super::tests::{Fixture, NOW};
use super::*;
use crate::domain::code::NumericCode;
use crate::domain::method::{Channel, Purpose};
use crate::domain::time::UnixTime;

fn numeric(text: &str) -> GuessedCode {
    GuessedCode::try_from(text.to_owned()).unwrap()
}

impl Fixture {
    fn guess_with(
        &mut self,
        guess: &GuessedCode,
        accept: &Accept,
        digests: &Digests,
        now: UnixTime,
    ) -> Result<Verdict, Refusal> {
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let attempt = Attempt {
            keys: &self.keys,
            owner,
            guess,
            accept,
            digests,
            now,
        };
        self.account.attempt(&attempt)
    }

    fn guess(&mut self, guess: &GuessedCode, now: UnixTime) -> Result<Verdict, Refusal> {
        self.guess_with(guess, &Accept::only(Method::ALL), &Digests::new(), now)
    }

    fn right(&mut self, now: UnixTime) -> Result<Verdict, Refusal> {
        let code = self.code_at(now);
        self.guess(&GuessedCode::Numeric(code), now)
    }

    /// A code the present window does not hold.
    fn wrong(&mut self, now: UnixTime) -> Result<Verdict, Refusal> {
        let window: Vec<NumericCode> = [now.minus(30), now, now.plus(30)]
            .map(|at| self.code_at(at))
            .into();
        let code = (0..4)
            .map(|n| NumericCode::parse(&format!("{n:06}")).unwrap())
            .find(|code| !window.contains(code));
        self.guess(&GuessedCode::Numeric(code.unwrap()), now)
    }

    fn challenge(
        &mut self,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> (Dispatch, Digests) {
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let (dispatch, challenge) =
            Dispatch::draw(&self.keys, owner, channel, purpose, now).unwrap();
        self.account.open_challenge(challenge, 60, now).unwrap();
        let digests = Digests::from([(dispatch.challenge.clone(), dispatch.stored_digest.clone())]);
        (dispatch, digests)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what an attempt is compared with")]
fn verified(method: Method) -> Result<Verdict, Refusal> {
    Ok(Verdict::Verified {
        method,
        confirmed: false,
        spent: None,
    })
}

fn other_than(code: &NumericCode) -> GuessedCode {
    let number: u64 = code.as_str().parse().unwrap();
    let width = code.as_str().len();
    numeric(&format!(
        "{:0width$}",
        (number + 1) % 10_u64.pow(u32::try_from(width).unwrap())
    ))
}

#[test]
fn atk_05_a_code_is_accepted_once_and_the_next_step_is_named() {
    let mut fixture = Fixture::active();
    assert_eq!(fixture.right(NOW), verified(Method::Totp));
    let next_step_at = UnixTime::from_secs(NOW.as_secs() / 30 * 30 + 30);
    for later in [0, 1, 10] {
        let code = GuessedCode::Numeric(fixture.code_at(NOW));
        assert_eq!(
            fixture.guess(&code, NOW.plus(later)),
            Ok(Verdict::AlreadyUsed { next_step_at })
        );
    }
    assert_eq!(fixture.account.throttles.authenticator.failures(), 0);
}

#[test]
fn atk_06_an_earlier_step_is_dead_once_a_later_one_was_used() {
    let mut fixture = Fixture::active();
    let (before, after) = (fixture.code_at(NOW), fixture.code_at(NOW.plus(30)));
    assert_eq!(
        fixture.guess(&GuessedCode::Numeric(after), NOW),
        verified(Method::Totp)
    );
    let verdict = fixture.guess(&GuessedCode::Numeric(before), NOW.plus(5));
    assert!(
        matches!(verdict, Ok(Verdict::AlreadyUsed { .. })),
        "{verdict:?}"
    );
}

#[test]
fn atk_07_the_confirming_code_is_spent() {
    let mut fixture = Fixture::empty();
    let enrolment = fixture.enrolment(true);
    fixture.account.enrol(enrolment, NOW).unwrap();
    assert_eq!(
        fixture.right(NOW),
        Ok(Verdict::Verified {
            method: Method::Totp,
            confirmed: true,
            spent: None
        })
    );
    assert_eq!(fixture.account.state(NOW), State::Active);
    assert!(matches!(
        fixture.right(NOW),
        Ok(Verdict::AlreadyUsed { .. })
    ));
}

#[test]
fn atk_09_a_code_two_neighbouring_steps_share_is_accepted_once() {
    let mut fixture = Fixture::active();
    let code = numeric("911617");
    let now = UnixTime::from_secs(27_322_110);
    assert_eq!(fixture.guess(&code, now), verified(Method::Totp));
    assert!(matches!(
        fixture.guess(&code, now),
        Ok(Verdict::AlreadyUsed { .. })
    ));
    assert!(matches!(
        fixture.guess(&code, now.plus(30)),
        Ok(Verdict::AlreadyUsed { .. })
    ));
}

#[test]
fn atk_85_a_clock_set_back_revives_no_code() {
    let mut fixture = Fixture::active();
    assert_eq!(fixture.right(NOW), verified(Method::Totp));
    for back in [30, 60, 600] {
        let verdict = fixture.right(NOW.minus(back));
        assert!(
            matches!(verdict, Ok(Verdict::AlreadyUsed { .. })),
            "{verdict:?}"
        );
    }
}

#[test]
fn rate_10_a_locked_account_evaluates_nothing_and_its_lock_does_not_move() {
    let mut fixture = Fixture::active();
    for left in [4, 3, 2, 1] {
        let verdict = fixture.wrong(NOW);
        assert!(
            matches!(verdict, Ok(Verdict::Wrong { consequence: Consequence::TriesLeft(n), .. }) if n == left),
            "{verdict:?}"
        );
    }
    let until = NOW.plus(60);
    let verdict = fixture.wrong(NOW);
    assert!(
        matches!(verdict, Ok(Verdict::Wrong { failures: 5, consequence: Consequence::LockedUntil(end), .. }) if end == until)
    );
    for later in [0, 30, 59] {
        assert_eq!(
            fixture.right(NOW.plus(later)),
            Err(Refusal::Locked { until })
        );
        assert_eq!(
            fixture.wrong(NOW.plus(later)),
            Err(Refusal::Locked { until })
        );
    }
    assert_eq!(fixture.right(until), verified(Method::Totp));
    assert_eq!(fixture.account.throttles.authenticator.failures(), 0);
}

#[test]
fn atk_21_one_hundred_failures_disable_the_factor_until_it_is_renewed() {
    let mut fixture = Fixture::active();
    let mut now = NOW;
    for _ in 0..99 {
        fixture.wrong(now).unwrap();
        now = fixture.account.locked_until(now).unwrap_or(now);
    }
    assert!(matches!(
        fixture.wrong(now),
        Ok(Verdict::Wrong {
            consequence: Consequence::Disabled,
            ..
        })
    ));
    assert_eq!(fixture.account.state(now), State::Disabled);
    assert!(
        fixture.account.mfa_enabled(),
        "guessing must not turn MFA off"
    );
    assert_eq!(
        fixture.right(now.plus(86_400)),
        Err(Refusal::FactorDisabled)
    );

    let enrolment = fixture.enrolment(true);
    fixture.account.renew(enrolment, false, now).unwrap();
    assert!(matches!(
        fixture.right(now),
        Ok(Verdict::Verified {
            confirmed: true,
            ..
        })
    ));
    assert_eq!(fixture.account.state(now), State::Active);
}

#[test]
fn atk_33_the_old_secret_works_until_the_new_one_is_confirmed_and_never_after() {
    let mut fixture = Fixture::active();
    let old = fixture.secret.clone();
    fixture.secret = b"09876543210987654321".to_vec();
    let enrolment = fixture.enrolment(true);
    fixture.account.renew(enrolment, false, NOW).unwrap();
    let new = std::mem::replace(&mut fixture.secret, old.clone());
    assert_eq!(fixture.right(NOW), verified(Method::Totp));
    fixture.secret = new;
    assert!(matches!(
        fixture.right(NOW),
        Ok(Verdict::Verified {
            confirmed: true,
            ..
        })
    ));
    fixture.secret = old;
    assert!(matches!(
        fixture.right(NOW.plus(60)),
        Ok(Verdict::Wrong { .. })
    ));
}

#[test]
fn a_revoked_secret_is_dead_at_once() {
    let mut fixture = Fixture::active();
    let old = std::mem::replace(&mut fixture.secret, b"09876543210987654321".to_vec());
    let enrolment = fixture.enrolment(true);
    fixture.account.renew(enrolment, true, NOW).unwrap();
    fixture.secret = old;
    assert!(matches!(fixture.right(NOW), Ok(Verdict::Wrong { .. })));
}

#[test]
fn atk_34_an_expired_enrolment_verifies_nothing() {
    let mut fixture = Fixture::empty();
    let enrolment = fixture.enrolment(true);
    fixture.account.enrol(enrolment, NOW).unwrap();
    assert!(matches!(
        fixture.right(NOW.plus(600)),
        Ok(Verdict::Wrong { .. })
    ));
}

#[test]
fn atk_35_an_account_with_nothing_enrolled_has_nothing_to_verify() {
    let mut fixture = Fixture::empty();
    assert_eq!(fixture.right(NOW), Err(Refusal::NothingEnrolled));
    let mut fixture = Fixture::active();
    fixture.account.disable(NOW);
    assert_eq!(fixture.right(NOW), Err(Refusal::NothingEnrolled));
}

#[test]
fn a_delivered_code_is_accepted_once_and_names_its_method() {
    for (channel, purpose, method) in [
        (Channel::Sms, Purpose::Verify, Method::Sms),
        (Channel::Email, Purpose::Verify, Method::Email),
        (Channel::Api, Purpose::Verify, Method::Generated),
        (Channel::Sms, Purpose::Recovery, Method::Recovery),
        (Channel::Email, Purpose::Recovery, Method::Recovery),
    ] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(channel, purpose, NOW);
        let code = GuessedCode::Numeric(dispatch.code.clone());
        let accept = Accept::only(Method::ALL);
        assert_eq!(
            fixture.guess_with(&code, &accept, &digests, NOW),
            Ok(Verdict::Verified {
                method,
                confirmed: false,
                spent: Some(dispatch.challenge.clone())
            })
        );
        // The digest may live on in a cache; the account says the code is spent (ATK-81).
        let again = fixture.guess_with(&code, &accept, &digests, NOW);
        assert!(matches!(again, Ok(Verdict::Wrong { .. })), "{again:?}");
    }
}

#[test]
fn oob_02_a_delivered_code_lives_until_its_last_second() {
    for (late, good) in [(299, true), (300, false)] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
        let code = GuessedCode::Numeric(dispatch.code);
        let verdict =
            fixture.guess_with(&code, &Accept::only(Method::ALL), &digests, NOW.plus(late));
        assert_eq!(
            matches!(verdict, Ok(Verdict::Verified { .. })),
            good,
            "{late}: {verdict:?}"
        );
    }
}

#[test]
fn atk_32_a_code_is_dead_after_five_tries() {
    let mut fixture = Fixture::active();
    let (dispatch, digests) = fixture.challenge(Channel::Email, Purpose::Recovery, NOW);
    let wrong = other_than(&dispatch.code);
    let accept = Accept::only(Method::ALL);
    for _ in 0..5 {
        assert!(matches!(
            fixture.guess_with(&wrong, &accept, &digests, NOW),
            Ok(Verdict::Wrong { .. })
        ));
    }
    let code = GuessedCode::Numeric(dispatch.code);
    let after_the_lock = NOW.plus(61);
    let verdict = fixture.guess_with(&code, &accept, &digests, after_the_lock);
    assert!(matches!(verdict, Ok(Verdict::Wrong { .. })), "{verdict:?}");
}

#[test]
fn oob_08_a_code_whose_digest_is_missing_matches_nothing_and_is_not_tried() {
    let mut fixture = Fixture::active();
    let (dispatch, _) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    for digests in [
        Digests::new(),
        Digests::from([(dispatch.challenge.clone(), String::new())]),
    ] {
        let code = GuessedCode::Numeric(dispatch.code.clone());
        let verdict = fixture.guess_with(&code, &Accept::only(Method::ALL), &digests, NOW);
        assert!(matches!(verdict, Ok(Verdict::Wrong { .. })), "{verdict:?}");
    }
}

#[test]
fn atk_17_asking_for_a_new_code_resets_no_count() {
    let mut fixture = Fixture::active();
    let mut now = NOW;
    for _ in 0..2 {
        let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, now);
        let wrong = other_than(&dispatch.code);
        for _ in 0..2 {
            fixture
                .guess_with(&wrong, &Accept::only([Method::Sms]), &digests, now)
                .unwrap();
        }
        now = now.plus(120);
    }
    assert_eq!(fixture.account.throttles.authenticator.failures(), 4);
    assert!(matches!(
        fixture.wrong(now),
        Ok(Verdict::Wrong {
            consequence: Consequence::LockedUntil(_),
            ..
        })
    ));
}

#[test]
fn a_wrong_guess_counts_once_however_many_candidates_it_was_compared_with() {
    let mut fixture = Fixture::active();
    let (sms, mut digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    digests.extend(fixture.challenge(Channel::Email, Purpose::Verify, NOW).1);
    digests.extend(fixture.challenge(Channel::Api, Purpose::Verify, NOW).1);
    let wrong = other_than(&sms.code);
    fixture
        .guess_with(&wrong, &Accept::only(Method::ALL), &digests, NOW)
        .unwrap();
    assert_eq!(fixture.account.throttles.authenticator.failures(), 1);
    assert!(
        fixture
            .account
            .challenges
            .iter()
            .all(|challenge| challenge.tries == 1)
    );
}

#[test]
fn only_the_accepted_methods_succeed_and_only_they_are_tried() {
    let mut fixture = Fixture::active();
    let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    let code = GuessedCode::Numeric(dispatch.code);
    let verdict = fixture.guess_with(&code, &Accept::only([Method::Totp]), &digests, NOW);
    assert!(matches!(verdict, Ok(Verdict::Wrong { .. })));
    assert_eq!(fixture.account.challenges[0].tries, 0);
    let verdict = fixture.guess_with(&code, &Accept::only([Method::Sms]), &digests, NOW);
    assert!(matches!(
        verdict,
        Ok(Verdict::Verified {
            method: Method::Sms,
            ..
        })
    ));
}

#[test]
fn rec_03_a_recovery_code_works_once() {
    let mut fixture = Fixture::active();
    let owner = Owner {
        client: &fixture.client,
        user: &fixture.user,
    };
    let codes = fixture.account.replace_recovery_codes(owner, NOW).unwrap();
    for (used, code) in codes.into_iter().enumerate() {
        let code = GuessedCode::Recovery(code);
        assert_eq!(fixture.guess(&code, NOW), verified(Method::RecoveryCode));
        assert_eq!(fixture.account.recovery_codes_remaining(), 9 - used);
        assert!(matches!(
            fixture.guess(&code, NOW),
            Ok(Verdict::Wrong {
                class: Class::Recovery,
                ..
            })
        ));
    }
}

#[test]
fn rec_07_recovery_has_a_counter_of_its_own() {
    let mut fixture = Fixture::active();
    let owner = Owner {
        client: &fixture.client,
        user: &fixture.user,
    };
    let codes = fixture.account.replace_recovery_codes(owner, NOW).unwrap();
    for _ in 0..5 {
        fixture.wrong(NOW).unwrap();
    }
    assert!(matches!(fixture.right(NOW), Err(Refusal::Locked { .. })));
    assert_eq!(
        fixture.guess(&GuessedCode::Recovery(codes[0].clone()), NOW),
        verified(Method::RecoveryCode)
    );
    assert!(
        matches!(fixture.right(NOW), Err(Refusal::Locked { .. })),
        "a recovery resets no authenticator's lock"
    );

    let unknown = GuessedCode::Recovery(RecoveryCode::draw().unwrap());
    for _ in 0..5 {
        assert!(matches!(
            fixture.guess(&unknown, NOW),
            Ok(Verdict::Wrong {
                class: Class::Recovery,
                ..
            })
        ));
    }
    assert!(matches!(
        fixture.guess(&GuessedCode::Recovery(codes[1].clone()), NOW),
        Err(Refusal::Locked { .. })
    ));
    assert_eq!(fixture.right(NOW.plus(60)), verified(Method::Totp));
}

#[test]
fn a_locked_authenticator_leaves_a_recovery_message_usable_and_untried_by_its_own_codes() {
    let mut fixture = Fixture::active();
    let (dispatch, digests) = fixture.challenge(Channel::Email, Purpose::Recovery, NOW);
    for _ in 0..5 {
        fixture.wrong(NOW).unwrap();
    }
    assert_eq!(
        fixture.account.challenges[0].tries, 0,
        "six digits are no guess at an eight-digit code"
    );
    let code = GuessedCode::Numeric(dispatch.code);
    let verdict = fixture.guess_with(&code, &Accept::only(Method::ALL), &digests, NOW);
    assert!(matches!(
        verdict,
        Ok(Verdict::Verified {
            method: Method::Recovery,
            ..
        })
    ));
}

#[test]
fn cry_06_an_unreadable_secret_is_refused_and_never_a_wrong_code() {
    let mut fixture = Fixture::active();
    fixture.keys = KeyRing::parse("k9:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=").unwrap();
    assert!(matches!(
        fixture.right(NOW),
        Err(Refusal::Unreadable(SealError::UnknownKey(_)))
    ));
    assert_eq!(fixture.account.throttles.authenticator.failures(), 0);
}
