//! A short run of the simulation, and that it notices rules that are taken out. `npm run simulate` has longer ones.

use candado_testkit::simulation::{Defect, Options, Report, run};

fn simulated(seed: u64, events: u64, defect: Option<Defect>) -> Report {
    let options = Options {
        users: 300,
        events,
        seed,
        defect,
    };
    run(options, &|_| {})
}

#[test]
fn no_rule_is_broken_by_a_database_that_is_slow_fails_and_forgets() {
    let report = simulated(1, 4000, None);
    assert_eq!(report.violations, Vec::<String>::new());
    let faults = &report.faults;
    assert!(
        faults.answers_lost > 20 && faults.conflicts > 20 && faults.refused > 20,
        "{faults}"
    );
    assert!(faults.failovers > 10 && faults.commits_lost > 0, "{faults}");
    assert!(
        report.accepted > 500 && report.messages > 100 && report.evaluated > 100,
        "{report:?}"
    );
}

#[test]
fn a_run_follows_from_its_seed() {
    let once = simulated(2, 800, None);
    assert_eq!(once, simulated(2, 800, None));
    assert_ne!(once.digest, simulated(3, 800, None).digest);
}

#[test]
fn a_rule_that_is_taken_out_is_noticed() {
    for (defect, expected) in [
        (Defect::NoCompareAndSwap, "was accepted twice"),
        (
            Defect::UncountedGuesses,
            "guesses were evaluated in 24 hours",
        ),
        (Defect::NoLimits, "messages in "),
        (Defect::SilentFailover, "was accepted twice"),
    ] {
        let found = (1..6).any(|seed| {
            let report = simulated(seed, 3000, Some(defect));
            report
                .violations
                .iter()
                .any(|violation| violation.contains(expected))
        });
        assert!(found, "{defect:?}");
    }
}
