//! What users and those who attack them do.

use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::time::UnixTime;
use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::sleep;

use super::world::World;

/// Users under attack, the first ones: one in a hundred, and not many. They have no phone, so that every guess is of
/// one class.
fn hot(users: u32) -> u32 {
    (users / 100).clamp(1, 20)
}

/// Mostly anybody, and often one of those under attack.
pub(super) fn draw(rng: &mut Rng, users: u32) -> u32 {
    let among = if rng.u32(..4) == 0 { hot(users) } else { users };
    rng.u32(..among)
}

fn is_hot(world: &World, user: u32) -> bool {
    user < hot(world.users())
}

fn name(user: u32) -> String {
    format!("user-{user:07}")
}

fn phone(user: u32) -> String {
    format!("+346{user:08}")
}

pub(super) fn user_of_phone(phone: &str) -> u32 {
    phone.trim_start_matches("+346").parse().unwrap()
}

fn secret(user: u32) -> Vec<u8> {
    let mut secret = Sha256::digest(name(user)).to_vec();
    secret.truncate(20);
    secret
}

/// Seconds of a time step.
const PERIOD: u64 = 30;

fn code_at(user: u32, step: u64) -> String {
    let parameters = Parameters::default();
    let step = parameters.step_at(UnixTime::from_secs(step * PERIOD));
    let code: NumericCode = parameters.code_at(&secret(user), step);
    code.as_str().to_owned()
}

fn step(now: u64) -> u64 {
    now / PERIOD
}

/// Does something, once the user is there.
pub(super) async fn act(world: &World, user: u32, mut rng: Rng) {
    match (is_hot(world, user), rng.u32(..100)) {
        (true, 0..60) => guess(world, user, &mut rng).await,
        (false, 0..25) => message(world, user, &mut rng).await,
        (false, 25..27) => flood(world, user).await,
        (_, 95..) => recover(world, user, &mut rng).await,
        (_, 90..95) => drop(
            world
                .ask(
                    "/mfa/verify",
                    &json!({"user_id": name(user), "code": "no code"}),
                )
                .await,
        ),
        _ => log_in(world, user, &mut rng).await,
    }
}

pub(super) async fn import(world: &World, user: u32) {
    let mut body = json!({
        "user_id": name(user),
        "secret": base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &secret(user)),
    });
    if !is_hot(world, user) {
        body["phone"] = phone(user).into();
    }
    let (status, answer) = world.ask("/mfa/import", &body).await;
    // One whose answer was lost is there already.
    expect(world, status, &answer, &[200, 201, 409, 429, 503]);
}

fn expect(world: &World, status: u16, answer: &Value, among: &[u16]) {
    if !among.contains(&status) {
        let problem = format!("at {}: {status} {answer}", world.now());
        world.model.lock().unwrap().object(problem);
    }
}

/// A code, perhaps several times at once, and once more after an answer that did not come.
async fn log_in(world: &World, user: u32, rng: &mut Rng) {
    let step = step(world.now());
    let code = code_at(user, step);
    let what = format!("step {step}");
    let times = if rng.u32(..4) == 0 {
        rng.usize(2..5)
    } else {
        1
    };
    let answers = join_all((0..times).map(|_| verify(world, user, &code, &what))).await;
    if answers.contains(&404) {
        import(world, user).await;
    }
    if answers.contains(&503) || rng.u32(..10) == 0 {
        sleep(Duration::from_millis(rng.u64(..4000))).await;
        verify(world, user, &code, &what).await;
    }
}

/// A code that is used, and used again after something has happened.
pub(super) async fn log_in_around<F: Future<Output = ()>>(
    world: &World,
    user: u32,
    happens: impl FnOnce() -> F,
) {
    let step = step(world.now());
    let (code, what) = (code_at(user, step), format!("step {step}"));
    verify(world, user, &code, &what).await;
    happens().await;
    for _ in 0..3 {
        verify(world, user, &code, &what).await;
    }
}

/// The status of the answer, which the model is told.
async fn verify(world: &World, user: u32, code: &str, what: &str) -> u16 {
    let body = json!({"user_id": name(user), "code": code});
    let (status, answer) = world.ask("/mfa/verify", &body).await;
    expect(world, status, &answer, &[200, 400, 404, 429, 503]);
    let mut model = world.model.lock().unwrap();
    if status == 200 {
        model.accept(user, what.to_owned(), world.now());
    }
    // Recovery codes are a class of their own.
    let is_six_digits = !what.starts_with("recovery");
    if answer["error"] == "invalid_code" && is_hot(world, user) && is_six_digits {
        model.evaluate(user, world.now());
    }
    status
}

/// Wrong codes, some at once and some one after the other.
async fn guess(world: &World, user: u32, rng: &mut Rng) {
    let now = step(world.now());
    let near: Vec<String> = (now - 3..now + 4).map(|step| code_at(user, step)).collect();
    let codes = std::iter::repeat_with(|| format!("{:06}", rng.u32(..1_000_000)));
    let wrong: Vec<String> = codes.filter(|code| !near.contains(code)).take(5).collect();
    let (together, after) = wrong.split_at(rng.usize(..5));
    let answers = join_all(
        together
            .iter()
            .map(|code| verify(world, user, code, "wrong")),
    )
    .await;
    if answers.contains(&404) {
        import(world, user).await;
    }
    for code in after {
        verify(world, user, code, "wrong").await;
    }
}

/// A message is asked for, and its code used at once and again.
async fn message(world: &World, user: u32, rng: &mut Rng) {
    let times = rng.usize(1..3);
    let asked = json!({"user_id": name(user)});
    let sent = join_all((0..times).map(|_| world.ask("/mfa/sms", &asked))).await;
    for (status, answer) in &sent {
        expect(world, *status, answer, &[200, 400, 404, 409, 429, 502, 503]);
    }
    if sent.iter().any(|(status, _)| *status == 404) {
        import(world, user).await;
    }
    let Some(code) = world
        .code_of(user)
        .filter(|_| sent.iter().any(|(status, _)| *status == 200))
    else {
        return;
    };
    let what = format!("message {code}");
    join_all((0..times).map(|_| verify(world, user, &code, &what))).await;
    sleep(Duration::from_millis(rng.u64(..30_000))).await;
    verify(world, user, &code, &what).await;
}

/// As many messages as the cooldown allows, for most of a day: it doubles, and is forgotten after an hour.
async fn flood(world: &World, user: u32) {
    let Some(_few) = world.one_of_few() else {
        return;
    };
    let asked = json!({"user_id": name(user)});
    for _ in 0..14 {
        let (status, answer) = world.ask("/mfa/sms", &asked).await;
        expect(world, status, &answer, &[200, 400, 404, 409, 429, 502, 503]);
        sleep(Duration::from_mins(61)).await;
    }
}

/// New recovery codes, of which one is used at once and again.
async fn recover(world: &World, user: u32, rng: &mut Rng) {
    let step = step(world.now());
    let body = json!({"user_id": name(user), "code": code_at(user, step)});
    let (status, answer) = world.ask("/mfa/recovery-codes", &body).await;
    expect(world, status, &answer, &[200, 400, 404, 409, 429, 503]);
    if status == 404 {
        import(world, user).await;
    }
    if answer["error"] == "invalid_code" && is_hot(world, user) {
        world.model.lock().unwrap().evaluate(user, world.now());
    }
    let Some(codes) = answer["recovery_codes"].as_array() else {
        return;
    };
    let code = codes[rng.usize(..codes.len())].as_str().unwrap();
    let what = format!("recovery code {code}");
    let times = rng.usize(1..4);
    join_all((0..times).map(|_| verify(world, user, code, &what))).await;
    sleep(Duration::from_millis(rng.u64(..60_000))).await;
    verify(world, user, code, &what).await;
}
