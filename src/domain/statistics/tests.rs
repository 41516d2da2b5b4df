use super::report::Row;
use super::*;

fn row(at: u64, what: &str, method: &str, outcome: &str, place: &str, count: u64) -> Row {
    let own = str::to_owned;
    Row {
        at: UnixTime::from_secs(at),
        client_id: String::new(),
        what: own(what),
        method: own(method),
        outcome: own(outcome),
        place: own(place),
        count,
    }
}

#[test]
fn buckets_begin_on_the_clock_and_are_whole_while_they_are_kept() {
    let time = UnixTime::from_secs(1_760_000_123);
    for (step, start) in [
        (Step::FiveMinutes, 1_760_000_100),
        (Step::Hour, 1_759_996_800),
        (Step::Day, 1_759_968_000),
    ] {
        assert_eq!(step.start_of(time).as_secs(), start);
        assert_eq!(step.start_of(UnixTime::from_secs(start)).as_secs(), start);
        let whole = step.whole_since(time);
        let kept = time.seconds_from(whole);
        assert!(
            kept >= step.kept() && kept < step.kept() + 86_400,
            "{step:?}"
        );
    }
}

#[test]
fn each_bound_is_at_most_1_3_times_the_one_before() {
    for pair in BOUNDS.windows(2) {
        assert!(
            pair[0] < pair[1] && pair[1] * 10 <= pair[0] * 13,
            "{pair:?}"
        );
    }
    for (milliseconds, expected) in [
        (0, 10),
        (10, 10),
        (11, 13),
        (333, 400),
        (10_000, 10_000),
        (60_000, 10_000),
    ] {
        assert_eq!(bound(milliseconds), expected, "{milliseconds}");
    }
}

/// Against the percentiles of the numbers themselves.
#[test]
fn a_percentile_is_never_too_small_and_at_most_30_percent_too_large() {
    for seed in 1..40_u64 {
        let mut times: Vec<u64> = (0..seed * 7)
            .map(|n| 10 + (n * n * 7919 + seed * 104_729) % (50 + seed * 200))
            .collect();
        let rows = times.iter().map(|time| {
            let bound = bound(*time).to_string();
            row(0, CALL, "twilio", "success", &bound, 1)
        });
        let report = Report::of(rows.collect(), Step::Hour, false);
        times.sort_unstable();
        let exact = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
        let calls = &report.total.provider_calls[0];
        for (told, exact) in [(calls.p50_ms, exact(50)), (calls.p95_ms, exact(95))] {
            assert!(told >= exact && told * 10 <= exact * 13, "{told} {exact}");
        }
    }
}

#[test]
fn what_failed_was_not_sent_and_is_no_more_than_was_asked_for() {
    let rows = vec![
        row(0, MESSAGE, "sms", "asked", "ES 34600", 5),
        row(0, MESSAGE, "sms", "failed", "ES 34600", 2),
        row(0, MESSAGE, "sms", "verified", "ES 34612", 1),
        row(0, "send_refused", "", "", "sms", 4),
    ];
    let report = Report::of(rows, Step::FiveMinutes, false);
    let [to_spain, refused] = &*report.buckets[0].counts.messages else {
        panic!("{report:?}")
    };
    assert_eq!(
        (to_spain.sent, to_spain.failed, to_spain.verified),
        (3, 2, 1)
    );
    assert_eq!((refused.refused, refused.country.as_deref()), (4, None));
    assert_eq!(report.total, report.buckets[0].counts);
}

#[test]
fn log_06_a_range_is_told_by_the_day_and_from_ten_messages_on() {
    let rows = || {
        vec![
            row(0, MESSAGE, "sms", "asked", "ES 34600", 10),
            row(0, MESSAGE, "sms", "asked", "ES 34612", 9),
            row(0, MESSAGE, "sms", "verified", "ES 34600", 7),
            row(0, MESSAGE, "sms", "verified", "ES 34612", 8),
        ]
    };
    for step in [Step::FiveMinutes, Step::Hour] {
        let report = Report::of(rows(), step, false);
        let [spain] = &*report.total.messages else {
            panic!("{report:?}")
        };
        assert_eq!((spain.sent, spain.verified, &spain.range), (19, 15, &None));
    }
    let report = Report::of(rows(), Step::Day, false);
    let told: Vec<_> = report.total.messages.iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|it| (it.range.as_deref(), it.sent, it.verified))
        .collect();
    assert_eq!(told, [(None, 9, 8), (Some("34600"), 10, 7)]);

    // The whole of two days says no more than its days.
    let mut rows = rows();
    rows.push(row(86_400, MESSAGE, "sms", "asked", "ES 34612", 1));
    let report = Report::of(rows, Step::Day, false);
    let ranges = report.total.messages.iter();
    let ranges: Vec<_> = ranges.filter_map(|it| it.range.as_deref()).collect();
    assert_eq!(ranges, ["34600"]);
}

#[test]
fn what_is_finished_was_begun() {
    let rows = vec![
        row(0, "confirmed", "totp", "", "", 2),
        row(0, "enrolled", "", "", "", 3),
        row(0, "enrolled", "", "", "at_once", 1),
        row(0, "factor_added", "passkey", "", "", 1),
        row(0, "imported", "", "", "", 4),
        row(0, "renewed", "", "", "", 1),
        row(300, "confirmed", "totp", "", "", 1),
    ];
    let report = Report::of(rows, Step::FiveMinutes, false);
    let of = |counts: &Counts| (counts.enrolments.begun, counts.enrolments.finished);
    let buckets: Vec<_> = report
        .buckets
        .iter()
        .map(|it| (it.at, of(&it.counts)))
        .collect();
    assert_eq!(buckets, [(0, (10, 8)), (300, (0, 1))]);
    assert_eq!(of(&report.total), (10, 9));
}
