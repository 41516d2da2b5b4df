//! An account under any interleaving of what can happen to it, against the model.

use candado::domain::account::{
    Accept, Account, Attempt, Digests, Dispatch, Enrolment, Refusal, Verdict,
};
use candado::domain::code::Digits;
use candado::domain::code::NumericCode;
use candado::domain::guess::GuessedCode;
use candado::domain::ids::{ClientId, Owner, UserId};
use candado::domain::keys::KeyRing;
use candado::domain::method::{Channel, Class, Method, Purpose};
use candado::domain::recovery::RecoveryCode;
use candado::domain::throttle::Consequence;
use candado::domain::time::UnixTime;
use candado::domain::totp::{Algorithm, Parameters};
use proptest::prelude::*;
use serde_json::Value;

use crate::model::{App, Counter, Delivered, Good, Life, Model};

const START: UnixTime = UnixTime::from_secs(1_760_000_010);

/// One thing that happens. Numbers choose among what is there.
#[derive(Debug, Clone)]
enum Op {
    Wait(u64),
    /// To the end of a lock, where the next guess is evaluated again.
    WaitForLock(Class),
    Enrol {
        confirm: bool,
        eight: bool,
        sha256: bool,
    },
    Renew {
        revoke_current: bool,
    },
    Disable,
    Unlock,
    NewRecoveryCodes,
    Send(Channel, Purpose),
    Withdraw,
    /// The code of an app, for the step before, now or after.
    AppCode {
        app: usize,
        offset: i64,
    },
    /// A numeric code that was sent, dead or alive.
    SentCode(usize),
    /// A recovery code that was ever shown.
    RecoveryCode(usize),
    /// A code that was accepted before.
    OldCode(usize),
    Wrong {
        eight: bool,
    },
    WrongRecoveryCode,
    /// Wrong guesses in a row, each after the lock of the last.
    GuessOn {
        eight: bool,
        times: u8,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let channel = prop_oneof![Just(Channel::Sms), Just(Channel::Email), Just(Channel::Api)];
    let purpose = prop_oneof![3 => Just(Purpose::Verify), 2 => Just(Purpose::Recovery)];
    let class = prop_oneof![Just(Class::Authenticator), Just(Class::Recovery)];
    prop_oneof![
        4 => prop_oneof![0_u64..3, 10_u64..40, 55_u64..70, 290_u64..310, 590_u64..700, Just(4000_u64)].prop_map(Op::Wait),
        2 => class.prop_map(Op::WaitForLock),
        2 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(confirm, eight, sha256)| Op::Enrol { confirm, eight, sha256 }),
        2 => any::<bool>().prop_map(|revoke_current| Op::Renew { revoke_current }),
        1 => Just(Op::Disable),
        1 => Just(Op::Unlock),
        1 => Just(Op::NewRecoveryCodes),
        4 => (channel, purpose).prop_map(|(channel, purpose)| Op::Send(channel, purpose)),
        1 => Just(Op::Withdraw),
        8 => (0_usize..2, -2_i64..=2).prop_map(|(app, offset)| Op::AppCode { app, offset }),
        6 => (0_usize..6).prop_map(Op::SentCode),
        3 => (0_usize..12).prop_map(Op::RecoveryCode),
        4 => (0_usize..6).prop_map(Op::OldCode),
        6 => prop_oneof![4 => Just(false), 1 => Just(true)].prop_map(|eight| Op::Wrong { eight }),
        2 => Just(Op::WrongRecoveryCode),
        1 => (any::<bool>(), 1_u8..110).prop_map(|(eight, times)| Op::GuessOn { eight, times }),
    ]
}

/// The account, the model, and everything an attacker who never forgets has seen.
struct World {
    keys: KeyRing,
    client: ClientId,
    user: UserId,
    now: UnixTime,
    account: Account,
    model: Model,
    secrets: u8,
    sent: Vec<(NumericCode, Dispatch)>,
    /// As a KV store that never forgets.
    digests: Digests,
    shown: Vec<RecoveryCode>,
    accepted: Vec<GuessedCode>,
}

impl World {
    fn new() -> Self {
        Self {
            keys: KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(),
            client: ClientId::try_from("shop".to_owned()).unwrap(),
            user: UserId::try_from("ann".to_owned()).unwrap(),
            now: START,
            account: Account::new(START),
            model: Model::default(),
            secrets: 0,
            sent: Vec::new(),
            digests: Digests::new(),
            shown: Vec::new(),
            accepted: Vec::new(),
        }
    }

    fn stored(&self) -> String {
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        self.account.clone().into_stored(&self.keys, owner).unwrap()
    }

    fn step(&mut self, op: &Op) {
        let before = self.stored();
        self.apply(op, &before);
        // What is stored reads back as the same account, and goes on from there.
        let stored = self.stored();
        self.account = Account::from_stored(&stored).unwrap();
        assert_eq!(self.stored(), stored);
        self.check(&stored);
    }

    fn apply(&mut self, op: &Op, before: &str) {
        match *op {
            Op::Wait(seconds) => self.now = self.now.plus(seconds),
            Op::WaitForLock(class) => {
                self.now = self.now.max(self.model.counter(class).locked_until);
            }
            Op::Enrol {
                confirm,
                eight,
                sha256,
            } => self.enrol(confirm, eight, sha256),
            Op::Renew { revoke_current } => self.renew(revoke_current),
            Op::Disable => {
                self.account.disable(self.now);
                let model = &mut self.model;
                model.apps.clear();
                model.live.clear();
                model.kept.clear();
            }
            Op::Unlock => {
                self.account.unlock();
                self.model.authenticator = Counter::default();
                self.model.recovery = Counter::default();
            }
            Op::NewRecoveryCodes => {
                let owner = Owner {
                    client: &self.client,
                    user: &self.user,
                };
                let codes = self
                    .account
                    .replace_recovery_codes(owner, self.now)
                    .unwrap();
                assert_eq!(codes.len(), 10);
                self.shown.extend(codes.clone());
                self.model.kept = codes;
            }
            Op::Send(channel, purpose) => self.send(channel, purpose, before),
            Op::Withdraw => {
                if let Some((_, dispatch)) = self.sent.last() {
                    self.account.withdraw(dispatch);
                    let last = self.sent.len() - 1;
                    self.model.live.retain(|live| live.number != last);
                }
            }
            Op::AppCode { app, offset } => {
                let Some(held) = self.model.apps.get(app) else {
                    return;
                };
                let period = held.parameters.period.seconds();
                let at = self
                    .now
                    .as_secs()
                    .saturating_add_signed(offset * i64::try_from(period).unwrap());
                let step = held.parameters.step_at(UnixTime::from_secs(at));
                let code = held.parameters.code_at(&held.secret, step);
                self.guess(&GuessedCode::Numeric(code));
            }
            Op::SentCode(back) => {
                let code = self
                    .sent
                    .iter()
                    .rev()
                    .nth(back)
                    .map(|(code, _)| code.clone());
                if let Some(code) = code {
                    self.guess(&GuessedCode::Numeric(code));
                }
            }
            Op::RecoveryCode(back) => {
                let code = self.shown.iter().rev().nth(back).cloned();
                if let Some(code) = code {
                    self.guess(&GuessedCode::Recovery(code));
                }
            }
            Op::OldCode(back) => {
                let code = self.accepted.iter().rev().nth(back).cloned();
                if let Some(code) = code {
                    self.guess(&code);
                }
            }
            Op::Wrong { eight } => self.guess_wrong(eight),
            Op::WrongRecoveryCode => {
                self.guess(&GuessedCode::Recovery(RecoveryCode::draw().unwrap()));
            }
            Op::GuessOn { eight, times } => {
                for _ in 0..times {
                    let locks = [self.model.authenticator, self.model.recovery];
                    let end = locks.map(|counter| counter.locked_until).into_iter().max();
                    self.now = self.now.max(end.unwrap());
                    self.guess_wrong(eight);
                }
            }
        }
    }

    fn enrolment(&mut self, parameters: Parameters, confirm: bool) -> (Enrolment, App) {
        self.secrets += 1;
        let secret = vec![self.secrets; parameters.algorithm.secret_bytes()];
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let label = "ann".to_owned();
        let enrolment = Enrolment::new(
            &self.keys,
            owner,
            label,
            parameters,
            secret.clone(),
            confirm,
        );
        let life = if confirm {
            Life::Pending {
                until: self.now.plus(600),
            }
        } else {
            Life::Active
        };
        let app = App {
            secret,
            parameters,
            life,
            used: std::collections::BTreeSet::new(),
        };
        (enrolment.unwrap(), app)
    }

    fn enrol(&mut self, confirm: bool, eight: bool, sha256: bool) {
        let parameters = Parameters {
            digits: if eight { Digits::EIGHT } else { Digits::SIX },
            algorithm: if sha256 {
                Algorithm::Sha256
            } else {
                Algorithm::Sha1
            },
            ..Parameters::default()
        };
        let (enrolment, app) = self.enrolment(parameters, confirm);
        let enrolled = self.account.enrol(enrolment, self.now);
        assert_eq!(enrolled.is_ok(), !self.model.is_on(), "ATK-11");
        if enrolled.is_ok() {
            self.model.apps = vec![app];
        }
    }

    fn renew(&mut self, revoke_current: bool) {
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let app = self.account.present_app(&self.keys, owner);
        let (_, parameters) = app.unwrap();
        let (enrolment, app) = self.enrolment(parameters, true);
        let renewed = self.account.renew(enrolment, revoke_current, self.now);
        assert_eq!(renewed.is_ok(), self.model.is_on());
        if renewed.is_err() {
            return;
        }
        let model = &mut self.model;
        model
            .apps
            .retain(|app| !matches!(app.life, Life::Pending { .. }));
        if revoke_current {
            model
                .apps
                .iter_mut()
                .for_each(|app| app.life = Life::Disabled);
            model.live.clear();
            // What was guessed at is dead.
            model.authenticator = Counter::default();
        }
        model.apps.push(app);
    }

    fn send(&mut self, channel: Channel, purpose: Purpose, before: &str) {
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let (dispatch, challenge) =
            Dispatch::draw(&self.keys, owner, channel, purpose, self.now).unwrap();
        if let Err(cooldown) = self.account.open_challenge(challenge, 60, self.now) {
            assert!(cooldown.until > self.now && channel != Channel::Api);
            assert!(cooldown.until <= self.now.plus(3600));
            assert_eq!(self.stored_without_old_sends(), without_sends(before));
            return;
        }
        self.digests
            .insert(dispatch.challenge.clone(), dispatch.stored_digest.clone());
        let now = self.now;
        self.model.live.retain(|live| {
            (live.channel, live.purpose) != (channel, purpose) && live.expires_at > now
        });
        let lifetime = if purpose == Purpose::Verify { 300 } else { 600 };
        assert_eq!(dispatch.lifetime, lifetime, "OOB-02");
        self.model.live.push(Delivered {
            number: self.sent.len(),
            channel,
            purpose,
            code: dispatch.code.clone(),
            expires_at: now.plus(lifetime),
            tries: 0,
        });
        self.sent.push((dispatch.code.clone(), dispatch));
    }

    fn stored_without_old_sends(&self) -> Value {
        without_sends(&self.stored())
    }

    /// A code that is right for nothing and never was.
    fn guess_wrong(&mut self, eight: bool) {
        let width = if eight { 8 } else { 6 };
        let wrong = (0..100)
            .map(|n| GuessedCode::try_from(format!("{n:0width$}")).unwrap())
            .find(|code| {
                self.model.good(code, self.now).is_empty() && !self.model.is_used(code, self.now)
            });
        self.guess(&wrong.unwrap());
    }

    fn guess(&mut self, guess: &GuessedCode) {
        let before = self.stored();
        let good = self.model.good(guess, self.now);
        let used = self.model.is_used(guess, self.now);
        let asked: Vec<_> = self.account.challenges_for(guess, self.now).collect();
        for good in &good {
            if let Good::Sent { number } = good {
                assert!(asked.contains(&&self.sent[*number].1.challenge));
            }
        }
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let attempt = Attempt {
            keys: &self.keys,
            owner,
            guess,
            accept: &Accept::only(Method::ALL),
            digests: &self.digests,
            now: self.now,
        };
        let verdict = self.account.attempt(&attempt);
        match verdict {
            Ok(Verdict::Verified {
                method,
                confirmed,
                spent,
            }) => self.verified(guess, &good, method, confirmed, spent.is_some()),
            Ok(Verdict::Wrong {
                class,
                failures,
                consequence,
            }) => {
                assert_eq!(good, [], "a right code was called wrong");
                self.wrong(guess, &before, class, failures, consequence);
            }
            Ok(Verdict::AlreadyUsed { next_step_at }) => {
                assert!(used && good.is_empty(), "{good:?}");
                assert!(next_step_at <= self.now.plus(90));
                assert_eq!(self.stored(), before, "a replay is not counted");
            }
            Err(refusal) => {
                assert_eq!(
                    self.stored(),
                    before,
                    "what is not evaluated changes nothing"
                );
                self.refused(guess, &good, &refusal);
            }
        }
    }

    fn verified(
        &mut self,
        guess: &GuessedCode,
        good: &[Good],
        method: Method,
        confirmed: bool,
        spent: bool,
    ) {
        // An app's code comes before a delivered one that is the same, and the code sent last before others.
        let by_app = good.iter().find(|good| matches!(good, Good::Step { .. }));
        let used_up = by_app.or(good.last());
        let used_up = used_up.expect("a wrong or old code was accepted");
        let confirms = match used_up {
            Good::Step { app, .. } => matches!(self.model.apps[*app].life, Life::Pending { .. }),
            _ => false,
        };
        assert_eq!(confirmed, confirms);
        assert_eq!(spent, matches!(used_up, Good::Sent { .. }));
        assert_eq!(self.model.accept(used_up, self.now), method);
        self.accepted.push(guess.clone());
    }

    fn wrong(
        &mut self,
        guess: &GuessedCode,
        before: &str,
        class: Class,
        failures: u32,
        consequence: Consequence,
    ) {
        let counted: Vec<Class> = [Class::Authenticator, Class::Recovery]
            .into_iter()
            .filter(|class| {
                stored_counter(before, *class) != stored_counter(&self.stored(), *class)
            })
            .collect();
        assert!(counted.contains(&class), "a wrong guess went uncounted");
        let mut open = self.model.concerned(guess, self.now);
        open.retain(|class| !self.model.is_locked(*class, self.now));
        assert_eq!(counted, open, "RATE-10");
        self.model.refuse(guess, &counted, self.now);
        let now = *self.model.counter(class);
        assert_eq!(failures, now.failures);
        let expected = match now.failures {
            0 => Consequence::Disabled,
            failures @ 1..=4 => Consequence::TriesLeft(5 - failures),
            _ => Consequence::LockedUntil(now.locked_until),
        };
        assert_eq!(consequence, expected);
    }

    fn refused(&self, guess: &GuessedCode, good: &[Good], refusal: &Refusal) {
        assert_eq!(good, [], "a right code of an open class was refused");
        let locks =
            [self.model.authenticator, self.model.recovery].map(|counter| counter.locked_until);
        let concerned = self.model.concerned(guess, self.now);
        match refusal {
            Refusal::Locked { until } => {
                assert!(*until > self.now && locks.contains(until));
                let locked = |class: &Class| self.model.is_locked(*class, self.now);
                assert!(!concerned.is_empty() && concerned.iter().all(locked));
                if guess.is_for_authenticators_only() {
                    assert_eq!(concerned, [Class::Authenticator]);
                }
            }
            Refusal::FactorDisabled => {
                assert_eq!(concerned, []);
                assert!(self.model.apps.iter().any(|app| app.life == Life::Disabled));
            }
            Refusal::NothingEnrolled => {
                let model = &self.model;
                assert!(model.apps.is_empty() && model.live.is_empty() && model.kept.is_empty());
            }
            Refusal::Unreadable(error) => panic!("{error}"),
        }
    }

    /// What is stored says what the model says.
    fn check(&self, stored: &str) {
        let model = &self.model;
        for (class, counter) in [
            (Class::Authenticator, model.authenticator),
            (Class::Recovery, model.recovery),
        ] {
            let (failures, locked_until) = stored_counter(stored, class);
            assert_eq!(failures, counter.failures);
            assert_eq!(
                locked_until.unwrap_or_default(),
                counter.locked_until.as_secs()
            );
        }
        assert_eq!(self.account.mfa_enabled(), model.is_on());
        assert_eq!(
            self.account.has_active_totp(),
            model.apps.iter().any(|app| app.life == Life::Active)
        );
        assert_eq!(
            self.account.recovery_codes_remaining(),
            model.kept.len(),
            "I6"
        );
        let locked = self.account.locked_until(self.now);
        assert_eq!(
            locked.is_some(),
            model.is_locked(Class::Authenticator, self.now)
        );
        let json: Value = serde_json::from_str(stored).unwrap();
        let live = json["challenges"].as_array().unwrap();
        let ids: Vec<&str> = live
            .iter()
            .map(|live| live["id"].as_str().unwrap())
            .collect();
        let expected: Vec<&str> = model
            .live
            .iter()
            .map(|live| self.sent[live.number].1.challenge.as_str())
            .collect();
        assert_eq!(ids, expected);
        let tries: Vec<u64> = live
            .iter()
            .map(|live| live["tries"].as_u64().unwrap())
            .collect();
        let expected: Vec<u64> = model.live.iter().map(|live| live.tries.into()).collect();
        assert_eq!(tries, expected);
        let mut channels: Vec<String> = live
            .iter()
            .map(|live| format!("{} {}", live["channel"], live["purpose"]))
            .collect();
        let live = channels.len();
        channels.sort();
        channels.dedup();
        assert_eq!(
            channels.len(),
            live,
            "OOB-05: one code lives per channel and purpose"
        );
    }
}

fn stored_counter(stored: &str, class: Class) -> (u32, Option<u64>) {
    let json: Value = serde_json::from_str(stored).unwrap();
    let throttle = &json["throttles"][match class {
        Class::Authenticator => "authenticator",
        Class::Recovery => "recovery",
    }];
    let failures = throttle["failures"].as_u64().unwrap();
    (
        u32::try_from(failures).unwrap(),
        throttle["locked_until"].as_u64(),
    )
}

/// The account without the times of its messages: those older than an hour are forgotten at any time.
fn without_sends(stored: &str) -> Value {
    let mut json: Value = serde_json::from_str(stored).unwrap();
    json.as_object_mut().unwrap().remove("sends");
    json
}

proptest! {
    #[test]
    fn totp_05_rate_10_oob_06_no_interleaving_breaks_what_is_promised(ops in proptest::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in &ops {
            world.step(op);
        }
    }

    #[test]
    fn rate_02_no_interleaving_of_wrong_guesses_is_evaluated_more_often_than_the_schedule_says(
        waits in proptest::collection::vec(0_u64..200, 1..300), eight: bool
    ) {
        let mut world = World::new();
        world.step(&Op::Enrol { confirm: false, eight, sha256: false });
        let mut evaluated = Vec::new();
        for wait in waits {
            world.step(&Op::Wait(wait));
            let failures = world.model.authenticator.failures;
            world.step(&Op::Wrong { eight });
            if world.model.authenticator.failures > failures {
                evaluated.push(world.now);
            }
        }
        // Five are free; the sixth has waited a minute for the fifth, the seventh two for the sixth, and so on.
        for (index, pair) in evaluated.windows(2).enumerate().skip(4) {
            let least = 60_u64.saturating_mul(1 << (index - 4).min(20)).min(3600);
            prop_assert!(pair[1] >= pair[0].plus(least), "{} at {:?}", index, pair);
        }
    }
}
