//! dudect's test of what compares secrets: the time of a right guess and of a wrong one, mixed at random,
//! and Welch's t of the two. A number to look at, not a gate: it grows with noise, and with the samples.
//! dudect takes |t| above 10 for a leak; the control, an ordinary `==`, shows what one looks like.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds are far below 2^52"
)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark has nobody to report to"
)]

use std::hint::black_box;
use std::time::Instant;

use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::recovery_code::RecoveryCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::crypto::digest::{self, Digest};
use candado::domain::ids::{ClientId, Owner, UserId};
use candado::domain::time::UnixTime;

const SAMPLES: usize = 100_000;
/// Different inputs of each class, so that no class is one cache line.
const INPUTS: usize = 256;

fn main() {
    // `cargo test --benches` calls this too; measuring is not testing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "{SAMPLES} samples a class and case; |t| of the slowest-tail cuts, the greatest counts"
    );
    digests();
    steps();
    recovery_codes();
    control();
}

fn digests() {
    let stored = digest::plain("bench", &[b"stored"]);
    let random = |n: usize| digest::plain("bench", &[&n.to_be_bytes()]);
    let same: Vec<Digest> = (0..INPUTS).map(|_| stored.clone()).collect();
    let others: Vec<Digest> = (0..INPUTS).map(random).collect();
    let nearly: Vec<Digest> = (0..INPUTS)
        .map(|_| {
            let hex = stored.as_hex();
            let last = if hex.ends_with('0') { '1' } else { '0' };
            Digest::from_stored(format!("{}{last}", &hex[..63]))
        })
        .collect();
    let matches =
        |guess: &Digest| (0..8).fold(false, |any, _| any ^ black_box(&stored).matches(guess));
    report(
        "Digest::matches, equal against random",
        &same,
        &others,
        matches,
    );
    report(
        "Digest::matches, equal but the last against random",
        &nearly,
        &others,
        matches,
    );
}

fn steps() {
    let parameters = Parameters::default();
    let secret = b"12345678901234567890";
    let now = UnixTime::from_secs(1_760_000_010);
    let codes = |code: fn(usize) -> String| -> Vec<NumericCode> {
        (0..INPUTS)
            .map(|n| NumericCode::parse(&code(n)).unwrap())
            .collect()
    };
    let at = |seconds: u64| {
        let step = parameters.step_at(UnixTime::from_secs(seconds));
        vec![parameters.code_at(secret, step); INPUTS]
    };
    let wrong = codes(|n| format!("{:06}", n * 3907 % 1_000_000));
    let matching = |guess: &NumericCode| {
        parameters
            .matching_step(black_box(secret), guess, now)
            .is_some()
    };
    report(
        "Parameters::matching_step, right against wrong",
        &at(1_760_000_010),
        &wrong,
        matching,
    );
    report(
        "Parameters::matching_step, first step against last",
        &at(1_759_999_980),
        &at(1_760_000_040),
        matching,
    );
}

fn recovery_codes() {
    let owner = Owner {
        client: ClientId::try_from("shop".to_owned()).unwrap(),
        user: UserId::try_from("ann".to_owned()).unwrap(),
    };
    let codes: Vec<RecoveryCode> = (0..10).map(|_| RecoveryCode::draw().unwrap()).collect();
    let stored: Vec<Digest> = codes.iter().map(|code| code.digest(&owner)).collect();
    let wrong: Vec<RecoveryCode> = (0..INPUTS).map(|_| RecoveryCode::draw().unwrap()).collect();
    // As the account does it: every digest of the set is compared.
    let found = |guess: &RecoveryCode| {
        let digest = guess.digest(&owner);
        black_box(&stored)
            .iter()
            .filter(|stored| stored.matches(&digest))
            .count()
            > 0
    };
    report(
        "recovery codes, the first against none",
        &vec![codes[0].clone(); INPUTS],
        &wrong,
        found,
    );
    report(
        "recovery codes, the first against the last",
        &vec![codes[0].clone(); INPUTS],
        &vec![codes[9].clone(); INPUTS],
        found,
    );
}

fn control() {
    let stored = "7".repeat(64);
    let nearly = vec![format!("{}8", "7".repeat(63)); INPUTS];
    let others = vec!["8".repeat(64); INPUTS];
    let find = |guess: &String| {
        (0..8).fold(false, |any, _| {
            any ^ black_box(&stored)
                .bytes()
                .zip(guess.bytes())
                .all(|(a, b)| a == b)
        })
    };
    report(
        "control, a loop that stops at the first difference",
        &nearly,
        &others,
        find,
    );
}

fn report<T: Clone>(name: &str, left: &[T], right: &[T], run: impl Fn(&T) -> bool) {
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    // By turns, so that neither class lies nearer to the core than the other.
    let inputs: Vec<T> = left
        .iter()
        .zip(right)
        .flat_map(|(left, right)| [left.clone(), right.clone()])
        .collect();
    // A linear congruential generator chooses: it needs to be fair, not secret.
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    while times.iter().any(|times| times.len() < SAMPLES) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let class = usize::from(state >> 63 == 1);
        let input = usize::try_from(state >> 40).unwrap_or(0) % INPUTS;
        // A copy, made the same way for both, lies in the same place.
        let guess = inputs[2 * input + class].clone();
        let time = nanoseconds(|| run(black_box(&guess)));
        if times[class].len() < SAMPLES {
            times[class].push(time);
        }
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    // The slowest samples were interrupted; dudect cuts them off at several places and takes the worst.
    let cuts = [50, 75, 90, 95, 99, 100];
    let worst = cuts
        .map(|cut| {
            let limit = all[(all.len() - 1) * cut / 100];
            let [left, right] =
                [0, 1].map(|class| Summary::of(times[class].iter().filter(|time| **time <= limit)));
            left.t(&right).abs()
        })
        .into_iter()
        .fold(0.0, f64::max);
    let [left, right] = [0, 1].map(|class| Summary::of(times[class].iter()));
    println!(
        "{name:<56} |t| = {worst:>8.2}   means {:.0} and {:.0} ns",
        left.mean, right.mean
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs natively, and time is what it measures"
)]
fn nanoseconds(run: impl FnOnce() -> bool) -> f64 {
    let began = Instant::now();
    black_box(run());
    began.elapsed().as_nanos() as f64
}

struct Summary {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Summary {
    fn of<'a>(samples: impl Iterator<Item = &'a f64> + Clone) -> Self {
        let count = samples.clone().count() as f64;
        let mean = samples.clone().sum::<f64>() / count;
        let variance = samples.map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self {
            count,
            mean,
            variance,
        }
    }

    /// Welch's t.
    fn t(&self, other: &Self) -> f64 {
        (self.mean - other.mean)
            / (self.variance / self.count + other.variance / other.count).sqrt()
    }
}
