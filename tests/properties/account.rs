//! An account under any interleaving of what can happen to it, against the model.

use candado::domain::account::{
    Accept, Account, Attempt, Consequence, Digests, Dispatch, Enrolment, FactorError, FactorType,
    Failure, Refusal, Verdict,
};
use candado::domain::codes::guess::GuessedCode;
use candado::domain::codes::numeric::Digits;
use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::recovery_code::RecoveryCode;
use candado::domain::codes::totp::{Algorithm, Parameters};
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::sealing::Vault;
use candado::domain::ids::{ClientId, FactorId, Owner, UserId};
use candado::domain::method::{Channel, Class, Method, Purpose};
use candado::domain::time::UnixTime;
use proptest::prelude::*;
use serde_json::Value;

use crate::model::{Answer, App, BUDGET, Counter, Delivered, Good, Life, Model};

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
    /// Another app beside those there are.
    Add {
        confirm: bool,
    },
    Remove(usize),
    Renew {
        app: usize,
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
        named: Option<Method>,
    },
    WrongRecoveryCode,
    /// Something no code looks like.
    Nonsense(Option<Method>),
    /// The code that was sent last, or the app's present one, said to be of that method.
    Named {
        sent: bool,
        method: Method,
    },
    /// Wrong guesses in a row, each after the lock of the last.
    GuessOn {
        eight: bool,
        times: u8,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let channel = prop_oneof![Just(Channel::Sms), Just(Channel::Email), Just(Channel::Api)];
    let purpose = prop_oneof![3 => Just(Purpose::Verify), 2 => Just(Purpose::Recovery)];
    let class = prop::sample::select(Class::ALL.to_vec());
    prop_oneof![
        4 => prop_oneof![0_u64..3, 10_u64..40, 55_u64..70, 290_u64..310, 590_u64..700, Just(4000_u64)].prop_map(Op::Wait),
        2 => class.prop_map(Op::WaitForLock),
        2 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(confirm, eight, sha256)| Op::Enrol { confirm, eight, sha256 }),
        3 => any::<bool>().prop_map(|confirm| Op::Add { confirm }),
        1 => (0_usize..6).prop_map(Op::Remove),
        2 => (0_usize..5, any::<bool>()).prop_map(|(app, revoke_current)| Op::Renew { app, revoke_current }),
        1 => Just(Op::Disable),
        1 => Just(Op::Unlock),
        1 => Just(Op::NewRecoveryCodes),
        4 => (channel, purpose).prop_map(|(channel, purpose)| Op::Send(channel, purpose)),
        1 => Just(Op::Withdraw),
        8 => (0_usize..4, -2_i64..=2).prop_map(|(app, offset)| Op::AppCode { app, offset }),
        6 => (0_usize..6).prop_map(Op::SentCode),
        3 => (0_usize..12).prop_map(Op::RecoveryCode),
        4 => (0_usize..6).prop_map(Op::OldCode),
        6 => (prop_oneof![4 => Just(false), 1 => Just(true)], named()).prop_map(|(eight, named)| Op::Wrong { eight, named }),
        2 => Just(Op::WrongRecoveryCode),
        1 => named().prop_map(Op::Nonsense),
        2 => (any::<bool>(), method()).prop_map(|(sent, method)| Op::Named { sent, method }),
        1 => (any::<bool>(), 1_u8..110).prop_map(|(eight, times)| Op::GuessOn { eight, times }),
    ]
}

fn method() -> impl Strategy<Value = Method> {
    let guessed = Method::ALL
        .into_iter()
        .filter(|method| method.class().is_some());
    prop::sample::select(guessed.collect::<Vec<_>>())
}

fn named() -> impl Strategy<Value = Option<Method>> {
    prop_oneof![3 => Just(None), 1 => method().prop_map(Some)]
}

/// What somebody can do without an operator's help who has whatever they like: the client's token, the phone, the
/// mailbox, the app. Each success comes with it.
fn attack() -> impl Strategy<Value = Op> {
    let channel = prop_oneof![Just(Channel::Sms), Just(Channel::Email), Just(Channel::Api)];
    prop_oneof![
        20 => (any::<bool>(), named()).prop_map(|(eight, named)| Op::Wrong { eight, named }),
        4 => Just(Op::WrongRecoveryCode),
        6 => prop_oneof![Just(1_u64), Just(30), Just(60), Just(301), Just(3600)].prop_map(Op::Wait),
        3 => prop::sample::select(Class::ALL.to_vec()).prop_map(Op::WaitForLock),
        6 => (channel, prop_oneof![3 => Just(Purpose::Verify), 1 => Just(Purpose::Recovery)])
            .prop_map(|(channel, purpose)| Op::Send(channel, purpose)),
        6 => (0_usize..2).prop_map(Op::SentCode),
        6 => Just(Op::AppCode { app: 0, offset: 0 }),
        3 => (0_usize..10).prop_map(Op::RecoveryCode),
        1 => Just(Op::NewRecoveryCodes),
        1 => any::<bool>().prop_map(|revoke_current| Op::Renew { app: 0, revoke_current }),
        1 => any::<bool>().prop_map(|confirm| Op::Add { confirm }),
        1 => (0_usize..6).prop_map(Op::Remove),
        1 => Just(Op::Disable),
        1 => Just(Op::Enrol { confirm: false, eight: false, sha256: false }),
    ]
}

/// The account, the model, and everything an attacker who never forgets has seen.
struct World {
    keys: KeyRing,
    owner: Owner,
    now: UnixTime,
    account: Account,
    model: Model,
    secrets: u8,
    /// Of all apps ever bound, by their numbers.
    ids: Vec<FactorId>,
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
            owner: Owner {
                client: ClientId::try_from("shop".to_owned()).unwrap(),
                user: UserId::try_from("ann".to_owned()).unwrap(),
            },
            now: START,
            account: Account::new(START),
            model: Model::default(),
            secrets: 0,
            ids: Vec::new(),
            sent: Vec::new(),
            digests: Digests::new(),
            shown: Vec::new(),
            accepted: Vec::new(),
        }
    }

    fn vault(&self) -> Vault<'_> {
        Vault {
            keys: &self.keys,
            owner: &self.owner,
        }
    }

    fn stored(&self) -> String {
        self.account.clone().into_stored(self.vault()).unwrap()
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
                let end = self.model.counter(class).locked_until(self.now);
                // Not a whole day: most of what is to be seen happens before.
                self.now = self.now.max(end.min(self.now.plus(3600)));
            }
            Op::Enrol {
                confirm,
                eight,
                sha256,
            } => self.enrol(confirm, eight, sha256),
            Op::Add { confirm } => self.add(confirm),
            Op::Remove(app) => self.remove(app),
            Op::Renew {
                app,
                revoke_current,
            } => self.renew(app, revoke_current),
            Op::Disable => {
                self.account.disable(self.now);
                let model = &mut self.model;
                model.apps.clear();
                model.live.clear();
                model.spent.clear();
                model.kept.clear();
                model.used.clear();
                model.has_set = false;
            }
            Op::Unlock => {
                self.account.unlock();
                for class in Class::ALL {
                    *self.model.counter_mut(class) = Counter::default();
                }
            }
            Op::NewRecoveryCodes => {
                let codes = self
                    .account
                    .replace_recovery_codes(&self.owner, self.now)
                    .unwrap();
                assert_eq!(codes.len(), 10);
                self.shown.extend(codes.clone());
                self.model.kept = codes;
                self.model.used.clear();
                self.model.has_set = true;
            }
            Op::Send(channel, purpose) => self.send(channel, purpose, before),
            Op::Withdraw => {
                if let Some((_, dispatch)) = self.sent.last() {
                    self.account.withdraw(dispatch);
                    let last = self.sent.len() - 1;
                    self.model.live.retain(|live| live.number != last);
                }
            }
            _ => self.type_in(op),
        }
    }

    /// The operations that are guesses.
    fn type_in(&mut self, op: &Op) {
        let numeric = GuessedCode::Numeric;
        let (code, named) = match *op {
            Op::AppCode { app, offset } => (self.code_of_app(app, offset).map(numeric), None),
            Op::SentCode(back) => {
                let sent = self.sent.iter().rev().nth(back);
                (sent.map(|(code, _)| numeric(code.clone())), None)
            }
            Op::RecoveryCode(back) => {
                let shown = self.shown.iter().rev().nth(back).cloned();
                (shown.map(GuessedCode::RecoveryCode), None)
            }
            Op::OldCode(back) => (self.accepted.iter().rev().nth(back).cloned(), None),
            Op::WrongRecoveryCode => {
                let code = RecoveryCode::draw().unwrap();
                (Some(GuessedCode::RecoveryCode(code)), None)
            }
            Op::Nonsense(named) => (Some(GuessedCode::NoCode), named),
            Op::Named { sent: true, method } => {
                let sent = self.sent.last();
                (sent.map(|(code, _)| numeric(code.clone())), Some(method))
            }
            Op::Named { method, .. } => (self.code_of_app(0, 0).map(numeric), Some(method)),
            Op::Wrong { eight, named } => return self.guess_wrong(eight, named),
            Op::GuessOn { eight, times } => {
                for _ in 0..times {
                    let end = |class| self.model.counter(class).locked_until(self.now);
                    self.now = self.now.max(Class::ALL.map(end).into_iter().max().unwrap());
                    self.guess_wrong(eight, None);
                }
                return;
            }
            _ => unreachable!("no guess"),
        };
        if let Some(code) = code {
            self.guess(&code, named);
        }
    }

    /// The code an app shows so many steps from now.
    fn code_of_app(&self, app: usize, offset: i64) -> Option<NumericCode> {
        let held = self.model.apps.get(app)?;
        let period = i64::try_from(held.parameters.period.seconds()).unwrap();
        let at = self.now.as_secs().saturating_add_signed(offset * period);
        let step = held.parameters.step_at(UnixTime::from_secs(at));
        Some(held.parameters.code_at(&held.secret, step))
    }

    fn enrolment(&mut self, parameters: Parameters, confirm: bool) -> (Enrolment, App) {
        self.secrets += 1;
        let secret = vec![self.secrets; parameters.algorithm.secret_bytes()];
        let label = "ann".to_owned();
        let enrolment = Enrolment::new(self.vault(), label, parameters, secret.clone(), confirm);
        let life = if confirm {
            Life::Pending {
                until: self.now.plus(600),
            }
        } else {
            Life::Active
        };
        let enrolment = enrolment.unwrap();
        let number = self.ids.len();
        self.ids.push(enrolment.factor_id.clone());
        let app = App {
            number,
            replaces: None,
            secret,
            parameters,
            life,
            used: std::collections::BTreeSet::new(),
        };
        (enrolment, app)
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

    fn add(&mut self, confirm: bool) {
        let counting = self.model.apps.iter().filter(|app| app.counts()).count();
        let (enrolment, app) = self.enrolment(Parameters::default(), confirm);
        let added = self.account.add_app(enrolment, self.now);
        assert_eq!(added.is_ok(), counting < 5);
        if added.is_ok() {
            self.model.apps.retain(App::counts);
            self.model.apps.push(app);
        }
    }

    fn remove(&mut self, app: usize) {
        let apps = &self.model.apps;
        let Some(gone) = apps.get(app).cloned() else {
            return;
        };
        let others = || apps.iter().filter(|app| app.number != gone.number);
        let is_last = (gone.life == Life::Active && !others().any(|app| app.life == Life::Active))
            || (gone.counts() && !others().any(App::counts));
        let removed = self.account.remove_factor(&self.ids[gone.number]);
        let expected = if is_last {
            Err(FactorError::Last)
        } else {
            Ok(FactorType::Totp)
        };
        assert_eq!(removed, expected);
        if removed.is_ok() {
            let number = Some(gone.number);
            let model = &mut self.model;
            model
                .apps
                .retain(|app| Some(app.number) != number && app.replaces != number);
            model.live.clear();
        }
    }

    fn renew(&mut self, app: usize, revoke_current: bool) {
        let counting: Vec<usize> = self
            .model
            .apps
            .iter()
            .filter(|app| app.counts())
            .map(|app| app.number)
            .collect();
        let unnamed = self.account.present_app(self.vault(), None);
        assert_eq!(unnamed.is_ok(), counting.len() == 1);
        let Some(&number) = counting.get(app % counting.len().max(1)) else {
            return;
        };
        let id = self.ids[number].clone();
        let present = self.account.present_app(self.vault(), Some(&id)).unwrap();
        let (enrolment, mut twin) = self.enrolment(present.parameters, true);
        twin.replaces = Some(number);
        let renewed = self
            .account
            .renew(enrolment, Some(&id), revoke_current, self.now);
        renewed.unwrap();
        let model = &mut self.model;
        model.apps.retain(App::counts);
        if revoke_current {
            let mut apps = model.apps.iter_mut();
            apps.find(|app| app.number == number).unwrap().life = Life::Disabled;
            model.live.clear();
            // What was guessed at is dead; what was counted today is not forgotten for it.
            if !model.apps.iter().any(|app| app.life == Life::Active) {
                model.counter_mut(Class::Totp).start_again();
            }
        }
        model.apps.push(twin);
    }

    fn send(&mut self, channel: Channel, purpose: Purpose, before: &str) {
        let (dispatch, challenge) =
            Dispatch::draw(self.vault(), channel, purpose, self.now).unwrap();
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
    fn guess_wrong(&mut self, eight: bool, named: Option<Method>) {
        let width = if eight { 8 } else { 6 };
        let wrong = (0..100)
            .map(|n| GuessedCode::from(format!("{n:0width$}")))
            .find(|code| {
                !matches!(
                    self.model.answer(code, None, self.now),
                    Answer::Good(_) | Answer::Used
                )
            });
        self.guess(&wrong.unwrap(), named);
    }

    fn guess(&mut self, guess: &GuessedCode, named: Option<Method>) {
        let before = self.stored();
        let expected = self.model.answer(guess, named, self.now);
        let accept = named.map_or_else(|| Accept::any_of(Method::ALL), Accept::named);
        let asked = self.account.challenges_for(guess, &accept, self.now);
        if let Answer::Good(Good::Sent { number }) = expected {
            assert!(asked.contains(&self.sent[number].1.challenge));
        }
        let attempt = Attempt {
            vault: Vault {
                keys: &self.keys,
                owner: &self.owner,
            },
            guess,
            accept: &accept,
            digests: &self.digests,
            now: self.now,
        };
        let verdict = self.account.attempt(&attempt);
        match (verdict, expected) {
            (
                Ok(Verdict::Verified {
                    method,
                    confirmed,
                    spent,
                }),
                Answer::Good(good),
            ) => self.verified(guess, &good, method, confirmed, spent.is_some()),
            (Ok(Verdict::Wrong(failures)), Answer::Wrong(classes)) => {
                self.wrong(guess, named, &failures, &classes);
            }
            (Ok(Verdict::AlreadyUsed { next_code_at }), Answer::Used) => {
                assert!(next_code_at.is_none_or(|at| at <= self.now.plus(90)));
                assert_eq!(self.stored(), before, "a replay is not counted");
            }
            (Ok(Verdict::NotACode { tries_left }), Answer::NoCode) => {
                assert_eq!(tries_left, self.model.tries_left(named, self.now));
                assert_eq!(
                    self.stored(),
                    before,
                    "what was not compared is not counted"
                );
            }
            (Err(refusal), expected) => {
                assert_eq!(
                    self.stored(),
                    before,
                    "what is not evaluated changes nothing"
                );
                let same = match refusal {
                    Refusal::Locked { until } => expected == Answer::Locked(until),
                    Refusal::FactorDisabled => expected == Answer::Disabled,
                    Refusal::NothingEnrolled => expected == Answer::NothingEnrolled,
                    Refusal::Unreadable(error) => panic!("{error}"),
                };
                assert!(same, "{expected:?}");
            }
            (verdict, expected) => panic!("{verdict:?} where it must be {expected:?}"),
        }
    }

    fn verified(
        &mut self,
        guess: &GuessedCode,
        good: &Good,
        method: Method,
        confirmed: bool,
        spent: bool,
    ) {
        let confirms = match good {
            Good::Step { app, .. } => matches!(self.model.apps[*app].life, Life::Pending { .. }),
            _ => false,
        };
        assert_eq!(confirmed, confirms);
        assert_eq!(spent, matches!(good, Good::Sent { .. }));
        assert_eq!(self.model.accept(good, self.now), method);
        self.accepted.push(guess.clone());
    }

    fn wrong(
        &mut self,
        guess: &GuessedCode,
        named: Option<Method>,
        failures: &[Failure],
        classes: &[Class],
    ) {
        let counted: Vec<Class> = failures.iter().map(|failure| failure.class).collect();
        assert_eq!(counted, classes, "RATE-10, ATK-87");
        let before = classes
            .iter()
            .map(|class| self.model.counter(*class).failures + 1);
        let before: Vec<u32> = before.collect();
        self.model.refuse(guess, named, classes, self.now);
        for (failure, in_a_row) in failures.iter().zip(before) {
            let of_class = self.model.counter(failure.class);
            assert_eq!(failure.in_a_row, in_a_row);
            let until = of_class.locked_until(self.now);
            let expected = if in_a_row == 100 {
                Consequence::Disabled
            } else if until > self.now {
                Consequence::LockedUntil(until)
            } else {
                Consequence::TriesLeft(of_class.tries_left(self.now))
            };
            assert_eq!(failure.consequence, expected);
        }
    }

    /// What is stored says what the model says.
    fn check(&self, stored: &str) {
        let model = &self.model;
        for class in Class::ALL {
            let until = model.counter(class).locked_until(self.now);
            let locked = Some(until).filter(|until| *until > self.now);
            assert_eq!(self.account.locks(self.now).of(class), locked);
            assert_eq!(
                stored_failures(stored, class),
                model.counter(class).failures
            );
        }
        assert!(stored.len() < 32 * 1024);
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
        let json: Value = serde_json::from_str(stored).unwrap();
        let challenges = json["challenges"].as_array().unwrap();
        let live: Vec<&Value> = challenges.iter().map(|one| &one["delivered"]).collect();
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

fn stored_failures(stored: &str, class: Class) -> u32 {
    let json: Value = serde_json::from_str(stored).unwrap();
    let class = serde_json::to_value(class).unwrap();
    let failures = &json["counters"][class.as_str().unwrap()]["failures"];
    u32::try_from(failures.as_u64().unwrap_or_default()).unwrap()
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
            let failures = world.model.counter(Class::Totp).failures;
            world.step(&Op::Wrong { eight, named: None });
            if world.model.counter(Class::Totp).failures > failures {
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

proptest! {
    // Each is a day or more of somebody's life.
    #![proptest_config(ProptestConfig::with_cases(24))]

    // The rule a thief of anything but the operator's token has to live with. (A user's deletion ends the user; what
    // is guessed at afterwards is another's.)
    #[test]
    fn atk_86_whatever_succeeds_between_no_more_than_fifty_guesses_of_a_class_are_evaluated_in_a_day(
        ops in proptest::collection::vec(attack(), 200..700)
    ) {
        let mut world = World::new();
        world.step(&Op::Enrol { confirm: false, eight: false, sha256: false });
        world.step(&Op::NewRecoveryCodes);
        for op in &ops {
            world.step(op);
        }
        for class in Class::ALL {
            let wrong = &world.model.counter(class).wrong;
            for window in wrong.windows(BUDGET + 1) {
                let (first, last) = (window[0], window[BUDGET]);
                prop_assert!(last >= first.plus(86_400), "{class:?}: {BUDGET} and one more from {first:?} to {last:?}");
            }
        }
    }

    #[test]
    fn atk_86_a_success_of_every_kind_before_each_guess_makes_no_more_than_fifty_of_a_day_either(
        method in method(), named in any::<bool>(), seconds in 0_u64..400
    ) {
        let mut world = World::new();
        world.step(&Op::Enrol { confirm: false, eight: false, sha256: false });
        let (mut last, end) = (0, START.plus(86_400));
        while world.now < end && last < 1000 {
            last += 1;
            let before = match method {
                Method::Totp => Op::AppCode { app: 0, offset: 0 },
                Method::Sms => Op::Send(Channel::Sms, Purpose::Verify),
                Method::Email => Op::Send(Channel::Email, Purpose::Verify),
                Method::Generated => Op::Send(Channel::Api, Purpose::Verify),
                Method::RecoveryMessage => Op::Send(Channel::Email, Purpose::Recovery),
                Method::RecoveryCode => Op::NewRecoveryCodes,
                Method::Passkey => panic!("no guess"),
            };
            world.step(&before);
            world.step(&Op::SentCode(0));
            world.step(&Op::RecoveryCode(0));
            for _ in 0..4 {
                world.step(&Op::Wrong { eight: false, named: named.then_some(method) });
            }
            world.step(&Op::WrongRecoveryCode);
            world.step(&Op::Wait(seconds));
        }
        for class in Class::ALL {
            let wrong = world.model.counter(class).wrong.iter();
            let of_the_day = wrong.filter(|time| **time < end).count();
            prop_assert!(of_the_day <= BUDGET, "{class:?}: {of_the_day}");
        }
    }
}
