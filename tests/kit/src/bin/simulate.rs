//! `npm run simulate`: as many users and requests as are asked for, and how long they took.

use std::process::ExitCode;
use std::time::Instant;

use candado_testkit::simulation::{Options, run};

const HELP: &str = "\
npm run simulate -- [--users N] [--events N] [--seed N]

  --users   how many there are; 10,000 if not given
  --events  how many requests are simulated; 1,000,000 if not given
  --seed    what everything follows from; another one each time if it is not given
";

#[expect(
    clippy::disallowed_methods,
    reason = "what is told is how long it really took"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Options {
        users: 10_000,
        events: 1_000_000,
        seed: fastrand::u64(..1 << 32),
        defect: None,
    };
    for pair in arguments.chunks(2) {
        let parsed = match pair {
            [name, value] => set(&mut options, name, value),
            _ => None,
        };
        if parsed.is_none() {
            print!("{HELP}");
            return ExitCode::from(2);
        }
    }
    let Options {
        users,
        events,
        seed,
        ..
    } = options;
    println!("{users} users, {events} requests, seed {seed}");
    let began = Instant::now();
    let report = run(options, &|done| {
        let percent = 100 * done / events;
        eprint!("\r{percent:>3} % after {} s ", began.elapsed().as_secs());
    });
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "\r{} requests in {seconds:.1} s: {} codes accepted, {} wrong ones evaluated, {} messages, {} accounts\n{}\ndigest {:016x}",
        report.events,
        report.accepted,
        report.evaluated,
        report.messages,
        report.users,
        report.faults,
        report.digest
    );
    if report.violations.is_empty() {
        println!("No rule was broken.");
        return ExitCode::SUCCESS;
    }
    println!(
        "{} times a rule was broken; the first of them:",
        report.violations.len()
    );
    for violation in report.violations.iter().take(10) {
        println!("  {violation}");
    }
    println!("Again: npm run simulate -- --users {users} --events {events} --seed {seed}");
    ExitCode::FAILURE
}

fn set(options: &mut Options, name: &str, value: &str) -> Option<()> {
    match name {
        "--users" => options.users = value.parse().ok().filter(|users| *users > 0)?,
        "--events" => options.events = value.parse().ok().filter(|events| *events > 0)?,
        "--seed" => options.seed = value.parse().ok()?,
        _ => return None,
    }
    Some(())
}
