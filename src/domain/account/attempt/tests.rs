use super::super::tests::{Fixture, NOW};
use super::super::{Dispatch, State};
use super::*;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::method::{Channel, Purpose};

fn numeric(text: &str) -> GuessedCode {
    GuessedCode::from(text.to_owned())
}

/// All classes' failures in a row.
fn failures(fixture: &Fixture) -> [u32; 3] {
    let state = serde_json::to_value(&fixture.account).unwrap();
    ["totp", "delivered", "recovery"].map(|class| {
        let failures = &state["counters"][class]["failures"];
        failures
            .as_u64()
            .map_or(0, |count| u32::try_from(count).unwrap())
    })
}

fn wrong_in(verdict: &Result<Verdict, Refusal>) -> Vec<Class> {
    match verdict {
        Ok(Verdict::Wrong(failures)) => failures.iter().map(|failure| failure.class).collect(),
        other => panic!("{other:?}"),
    }
}

fn consequence(verdict: &Result<Verdict, Refusal>) -> Consequence {
    match verdict {
        Ok(Verdict::Wrong(failures)) => failures[0].consequence,
        other => panic!("{other:?}"),
    }
}

fn is_used(verdict: &Result<Verdict, Refusal>) -> bool {
    matches!(verdict, Ok(Verdict::AlreadyUsed { .. }))
}

impl Fixture {
    fn guess_with(
        &mut self,
        guess: &GuessedCode,
        accept: &Accept,
        digests: &Digests,
        now: UnixTime,
    ) -> Result<Verdict, Refusal> {
        let attempt = Attempt {
            vault: Vault {
                keys: &self.keys,
                owner: &self.owner,
            },
            guess,
            accept,
            digests,
            now,
        };
        self.account.attempt(&attempt)
    }

    fn guess(&mut self, guess: &GuessedCode, now: UnixTime) -> Result<Verdict, Refusal> {
        self.guess_with(guess, &Accept::any_of(Method::ALL), &Digests::new(), now)
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
        let dispatch = self.open(channel, purpose, now).unwrap();
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
            Ok(Verdict::AlreadyUsed {
                next_code_at: Some(next_step_at)
            })
        );
    }
    assert_eq!(failures(&fixture), [0; 3]);
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
        assert_eq!(
            consequence(&fixture.wrong(NOW)),
            Consequence::TriesLeft(left)
        );
    }
    let until = NOW.plus(60);
    assert_eq!(
        consequence(&fixture.wrong(NOW)),
        Consequence::LockedUntil(until)
    );
    assert_eq!(failures(&fixture), [5, 0, 0]);
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
    assert_eq!(failures(&fixture), [0; 3]);
}

#[test]
fn atk_21_one_hundred_failures_disable_the_factor_until_it_is_renewed() {
    let mut fixture = Fixture::active();
    let mut now = NOW;
    for _ in 0..99 {
        fixture.wrong(now).unwrap();
        now = fixture.account.locked_until(now).unwrap_or(now);
    }
    assert_eq!(failures(&fixture), [99, 0, 0]);
    assert_eq!(consequence(&fixture.wrong(now)), Consequence::Disabled);
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
    fixture.account.renew(enrolment, None, false, now).unwrap();
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
    fixture.account.renew(enrolment, None, false, NOW).unwrap();
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
    assert!(matches!(fixture.right(NOW.plus(60)), Ok(Verdict::Wrong(_))));
}

#[test]
fn a_revoked_secret_is_dead_at_once() {
    let mut fixture = Fixture::active();
    let old = std::mem::replace(&mut fixture.secret, b"09876543210987654321".to_vec());
    let enrolment = fixture.enrolment(true);
    fixture.account.renew(enrolment, None, true, NOW).unwrap();
    fixture.secret = old;
    assert!(matches!(fixture.right(NOW), Ok(Verdict::Wrong(_))));
}

#[test]
fn atk_34_an_expired_enrolment_verifies_nothing() {
    let mut fixture = Fixture::empty();
    let enrolment = fixture.enrolment(true);
    fixture.account.enrol(enrolment, NOW).unwrap();
    assert!(matches!(
        fixture.right(NOW.plus(600)),
        Ok(Verdict::NotACode { .. })
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
        (Channel::Sms, Purpose::Recovery, Method::RecoveryMessage),
        (Channel::Email, Purpose::Recovery, Method::RecoveryMessage),
    ] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(channel, purpose, NOW);
        let code = GuessedCode::Numeric(dispatch.code.clone());
        let accept = Accept::any_of(Method::ALL);
        assert_eq!(
            fixture.guess_with(&code, &accept, &digests, NOW),
            Ok(Verdict::Verified {
                method,
                confirmed: false,
                spent: Some(dispatch.challenge.clone())
            })
        );
        // The digest may live on in a cache; the account says the code is spent (ATK-81), and for the rest of
        // its life that it was right (ATK-92).
        let rest = purpose.lifetime();
        for (later, digests) in [
            (0, &digests),
            (rest - 1, &digests),
            (rest - 1, &Digests::new()),
        ] {
            let again = fixture.guess_with(&code, &accept, digests, NOW.plus(later));
            assert_eq!(
                again,
                Ok(Verdict::AlreadyUsed { next_code_at: None }),
                "{later}"
            );
        }
        assert_eq!(failures(&fixture), [0; 3]);
        let later = fixture.guess_with(&code, &accept, &digests, NOW.plus(rest));
        assert!(!is_used(&later), "{later:?}");
    }
}

#[test]
fn oob_02_a_delivered_code_lives_until_its_last_second() {
    for (late, good) in [(299, true), (300, false)] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
        let code = GuessedCode::Numeric(dispatch.code);
        let verdict = fixture.guess_with(
            &code,
            &Accept::any_of(Method::ALL),
            &digests,
            NOW.plus(late),
        );
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
    let accept = Accept::any_of(Method::ALL);
    for _ in 0..5 {
        let verdict = fixture.guess_with(&wrong, &accept, &digests, NOW);
        assert_eq!(wrong_in(&verdict), [Class::Recovery]);
    }
    let code = GuessedCode::Numeric(dispatch.code);
    let after_the_lock = NOW.plus(61);
    let verdict = fixture.guess_with(&code, &accept, &digests, after_the_lock);
    assert!(
        matches!(verdict, Ok(Verdict::NotACode { .. })),
        "{verdict:?}"
    );
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
        let verdict = fixture.guess_with(&code, &Accept::any_of(Method::ALL), &digests, NOW);
        assert!(matches!(verdict, Ok(Verdict::Wrong(_))), "{verdict:?}");
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
                .guess_with(&wrong, &Accept::named(Method::Sms), &digests, now)
                .unwrap();
        }
        now = now.plus(120);
    }
    assert_eq!(failures(&fixture), [0, 4, 0]);
    let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, now.plus(240));
    let wrong = other_than(&dispatch.code);
    let fifth = fixture.guess_with(&wrong, &Accept::named(Method::Sms), &digests, now.plus(240));
    assert!(matches!(consequence(&fifth), Consequence::LockedUntil(_)));
}

#[test]
fn a_wrong_guess_counts_once_however_many_candidates_it_was_compared_with() {
    let mut fixture = Fixture::active();
    let (sms, mut digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    digests.extend(fixture.challenge(Channel::Email, Purpose::Verify, NOW).1);
    digests.extend(fixture.challenge(Channel::Api, Purpose::Verify, NOW).1);
    let wrong = other_than(&sms.code);
    let verdict = fixture.guess_with(&wrong, &Accept::any_of(Method::ALL), &digests, NOW);
    assert_eq!(wrong_in(&verdict), [Class::Totp, Class::Delivered]);
    assert_eq!(failures(&fixture), [1, 1, 0]);
    assert!(fixture.account.delivered().all(|sent| sent.tries == 1));
}

#[test]
fn only_the_accepted_methods_succeed_and_only_they_are_tried() {
    let mut fixture = Fixture::active();
    let (dispatch, digests) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    let code = GuessedCode::Numeric(dispatch.code);
    let verdict = fixture.guess_with(&code, &Accept::named(Method::Totp), &digests, NOW);
    assert!(matches!(verdict, Ok(Verdict::Wrong(_))));
    assert!(fixture.account.delivered().all(|sent| sent.tries == 0));
    let verdict = fixture.guess_with(&code, &Accept::named(Method::Sms), &digests, NOW);
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
    let codes = fixture.replace_recovery_codes();
    for (used, code) in codes.into_iter().enumerate() {
        let code = GuessedCode::RecoveryCode(code);
        assert_eq!(fixture.guess(&code, NOW), verified(Method::RecoveryCode));
        assert_eq!(fixture.account.recovery_codes_remaining(), 9 - used);
        assert_eq!(
            fixture.guess(&code, NOW.plus(86_400)),
            Ok(Verdict::AlreadyUsed { next_code_at: None }),
            "ATK-92"
        );
    }
    assert_eq!(failures(&fixture), [0; 3]);
}

#[test]
fn rec_07_recovery_has_a_counter_of_its_own() {
    let mut fixture = Fixture::active();
    let codes = fixture.replace_recovery_codes();
    for _ in 0..5 {
        fixture.wrong(NOW).unwrap();
    }
    assert!(matches!(fixture.right(NOW), Err(Refusal::Locked { .. })));
    assert_eq!(
        fixture.guess(&GuessedCode::RecoveryCode(codes[0].clone()), NOW),
        verified(Method::RecoveryCode)
    );
    assert!(
        matches!(fixture.right(NOW), Err(Refusal::Locked { .. })),
        "a recovery resets no authenticator's lock"
    );

    let unknown = GuessedCode::RecoveryCode(RecoveryCode::draw().unwrap());
    for _ in 0..5 {
        assert_eq!(wrong_in(&fixture.guess(&unknown, NOW)), [Class::Recovery]);
    }
    assert!(matches!(
        fixture.guess(&GuessedCode::RecoveryCode(codes[1].clone()), NOW),
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
    assert!(
        fixture.account.delivered().all(|sent| sent.tries == 0),
        "six digits are no guess at an eight-digit code"
    );
    let code = GuessedCode::Numeric(dispatch.code);
    let verdict = fixture.guess_with(&code, &Accept::any_of(Method::ALL), &digests, NOW);
    assert!(matches!(
        verdict,
        Ok(Verdict::Verified {
            method: Method::RecoveryMessage,
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
    assert_eq!(failures(&fixture), [0; 3]);
}

#[test]
fn atk_86_what_a_caller_can_make_succeed_resets_no_other_class_and_a_generated_code_none() {
    for (channel, [totp, delivered, recovery]) in [
        (Channel::Api, [4, 4, 0]),
        (Channel::Email, [4, 0, 0]),
        (Channel::Sms, [4, 0, 0]),
    ] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(channel, Purpose::Verify, NOW);
        let (wrong, code) = (
            other_than(&dispatch.code),
            GuessedCode::Numeric(dispatch.code),
        );
        let accept = Accept::any_of(Method::ALL);
        for _ in 0..4 {
            fixture.guess_with(&wrong, &accept, &digests, NOW).unwrap();
        }
        assert_eq!(failures(&fixture), [4, 4, 0]);
        let right = fixture.guess_with(&code, &accept, &digests, NOW);
        assert!(matches!(right, Ok(Verdict::Verified { .. })), "{right:?}");
        assert_eq!(failures(&fixture), [totp, delivered, recovery]);
    }
}

#[test]
fn atk_86_a_code_somebody_knows_is_no_free_guess_at_the_app() {
    // One code that is right for the app and, as somebody knows, for what was sent: the lesser counts.
    for channel in [Channel::Api, Channel::Email, Channel::Sms] {
        let mut fixture = Fixture::active();
        let (dispatch, digests) = fixture.challenge(channel, Purpose::Verify, NOW);
        let both = GuessedCode::Numeric(fixture.code_at(NOW));
        let GuessedCode::Numeric(code) = &both else {
            unreachable!()
        };
        let sent = fixture.account.delivered().next().unwrap();
        let stored = sent.binding(fixture.vault()).stored_digest(code);
        let digests = Digests::from([(dispatch.challenge.clone(), stored)])
            .into_iter()
            .chain(
                digests
                    .into_iter()
                    .filter(|(id, _)| *id != dispatch.challenge),
            )
            .collect();
        let accept = Accept::any_of(Method::ALL);
        let first = fixture.guess_with(&both, &accept, &digests, NOW);
        assert!(
            matches!(first, Ok(Verdict::Verified { method, .. }) if method == channel.method(Purpose::Verify)),
            "{first:?}"
        );
        // Spent, it says no more about the app than before.
        let again = fixture.guess_with(&both, &accept, &digests, NOW);
        assert_eq!(again, Ok(Verdict::AlreadyUsed { next_code_at: None }));
        assert_eq!(fixture.right(NOW.plus(30)), verified(Method::Totp));
    }
}

#[test]
fn atk_86_of_two_codes_that_were_sent_and_are_alike_the_one_that_proves_less_counts() {
    let mut fixture = Fixture::active();
    let (sms, _) = fixture.challenge(Channel::Sms, Purpose::Verify, NOW);
    let (email, _) = fixture.challenge(Channel::Email, Purpose::Verify, NOW);
    let code = NumericCode::parse("123456").unwrap();
    let digests: Digests = fixture
        .account
        .delivered()
        .map(|sent| {
            let binding = sent.binding(fixture.vault());
            (sent.id.clone(), binding.stored_digest(&code))
        })
        .collect();
    let accept = Accept::any_of(Method::ALL);
    let code = GuessedCode::Numeric(code);
    for (method, spent) in [
        (Method::Email, email.challenge),
        (Method::Sms, sms.challenge),
    ] {
        // The first is spent, and then it is that one again.
        let verdict = fixture.guess_with(&code, &accept, &digests, NOW);
        if method == Method::Sms {
            assert!(is_used(&verdict), "{verdict:?}");
            continue;
        }
        let verified = Verdict::Verified {
            method,
            confirmed: false,
            spent: Some(spent),
        };
        assert_eq!(verdict, Ok(verified));
    }
}

#[test]
fn atk_87_with_a_named_method_only_its_class_is_concerned() {
    for (method, guess, concerned) in [
        (Method::Totp, "12345678", Class::Totp),
        (Method::Totp, "0123-4567-89AB-CDEF-GHJK-MNPQ", Class::Totp),
        (Method::Sms, "000000", Class::Delivered),
        (Method::Generated, "12345678", Class::Delivered),
        (Method::RecoveryCode, "000000", Class::Recovery),
        (Method::RecoveryCode, "12345678", Class::Recovery),
    ] {
        let mut fixture = Fixture::active();
        fixture.replace_recovery_codes();
        let (_, digests) = fixture.challenge(Channel::Sms, Purpose::Recovery, NOW);
        let verdict = fixture.guess_with(&numeric(guess), &Accept::named(method), &digests, NOW);
        assert_eq!(wrong_in(&verdict), [concerned], "{method:?} {guess}");
    }
}

#[test]
fn atk_87_without_one_it_is_the_classes_it_has_a_candidate_in_and_a_locked_one_is_left_out() {
    let mut fixture = Fixture::active();
    let eight = numeric("12345678");
    let verdict = fixture.guess(&eight, NOW);
    assert_eq!(
        verdict,
        Ok(Verdict::NotACode {
            tries_left: Some(5)
        }),
        "a guess at nothing"
    );
    let (dispatch, digests) = fixture.challenge(Channel::Email, Purpose::Verify, NOW);
    let accept = Accept::any_of(Method::ALL);
    for _ in 0..5 {
        let named = Accept::named(Method::Totp);
        fixture
            .guess_with(&other_than(&dispatch.code), &named, &digests, NOW)
            .unwrap();
    }
    let verdict = fixture.guess_with(&other_than(&dispatch.code), &accept, &digests, NOW);
    assert_eq!(wrong_in(&verdict), [Class::Delivered], "the app is locked");
    let right = GuessedCode::Numeric(fixture.code_at(NOW));
    let verdict = fixture.guess_with(&right, &accept, &digests, NOW);
    assert_eq!(
        wrong_in(&verdict),
        [Class::Delivered],
        "and its right code is not told apart"
    );
    let verdict = fixture.guess_with(&right, &Accept::named(Method::Totp), &digests, NOW);
    assert_eq!(
        verdict,
        Err(Refusal::Locked {
            until: NOW.plus(60)
        })
    );
    let code = GuessedCode::Numeric(dispatch.code);
    assert!(matches!(
        fixture.guess_with(&code, &accept, &digests, NOW),
        Ok(Verdict::Verified {
            method: Method::Email,
            ..
        })
    ));
}

#[test]
fn atk_08_what_cannot_be_a_code_is_wrong_and_not_counted() {
    let mut fixture = Fixture::active();
    for left in [5, 4, 3, 2, 1] {
        for text in ["12345", "", "abc", "1234567"] {
            for accept in [Accept::any_of(Method::ALL), Accept::named(Method::Totp)] {
                let verdict = fixture.guess_with(&numeric(text), &accept, &Digests::new(), NOW);
                assert_eq!(
                    verdict,
                    Ok(Verdict::NotACode {
                        tries_left: Some(left)
                    }),
                    "{text}"
                );
            }
        }
        fixture.wrong(NOW).unwrap();
    }
    let locked = Err(Refusal::Locked {
        until: NOW.plus(60),
    });
    assert_eq!(
        fixture.guess(&numeric("12345"), NOW),
        locked,
        "no way to ask without waiting"
    );
    let after = fixture.guess(&numeric("12345"), NOW.plus(60));
    assert_eq!(
        after,
        Ok(Verdict::NotACode {
            tries_left: Some(1)
        })
    );
}

#[test]
fn rate_02_a_hundred_failures_of_codes_that_were_sent_disable_what_they_were_sent_to() {
    let mut fixture = Fixture::active();
    let phone = crate::domain::contact::phone::Phone::parse("+34600111222").unwrap();
    let (account, vault) = fixture.account_and_vault();
    account.set_phone(vault, Some(&phone), NOW).unwrap();
    let mut now = NOW;
    let named = Accept::named(Method::Sms);
    let mut last = Consequence::TriesLeft(5);
    for _ in 0..100 {
        assert!(!fixture.account.is_disabled(Channel::Sms));
        let verdict = fixture.guess_with(&numeric("000000"), &named, &Digests::new(), now);
        last = consequence(&verdict);
        now = fixture
            .account
            .locks(now)
            .of(Class::Delivered)
            .unwrap_or(now);
    }
    assert_eq!(last, Consequence::Disabled);
    assert!(fixture.account.is_disabled(Channel::Sms));
    assert_eq!(
        fixture.right(now),
        verified(Method::Totp),
        "the app is another authenticator"
    );
}

#[test]
fn an_account_remembers_ten_spent_codes_and_forgets_what_has_expired() {
    let mut fixture = Fixture::active();
    let accept = Accept::any_of(Method::ALL);
    let mut codes = Vec::new();
    for n in 0..12 {
        let now = NOW.plus(n);
        let (dispatch, digests) = fixture.challenge(Channel::Api, Purpose::Verify, now);
        let code = GuessedCode::Numeric(dispatch.code);
        fixture.guess_with(&code, &accept, &digests, now).unwrap();
        codes.push(code);
    }
    let used = |fixture: &mut Fixture, code: &GuessedCode, now| is_used(&fixture.guess(code, now));
    let now = NOW.plus(12);
    assert!(codes[2..].iter().all(|code| used(&mut fixture, code, now)));
    assert!(!used(&mut fixture, &codes[0], now) && !used(&mut fixture, &codes[1], now));
    fixture.challenge(Channel::Api, Purpose::Verify, NOW.plus(309));
    assert!(used(&mut fixture, &codes[10], NOW.plus(309)));
    assert!(
        !used(&mut fixture, &codes[9], NOW.plus(309)),
        "ten seconds too old"
    );
}
