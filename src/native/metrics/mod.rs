//! What a Prometheus reads of the program, where `METRICS_LISTEN` says.
//!
//! Labels are of few values, and none is a caller's own text: no id of a user or client, no path, no address (LOG-02).

mod database;
mod engine;
mod listener;
#[cfg(target_os = "linux")]
mod process;

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(super) use self::database::Measured;
pub(super) use self::engine::Watched;
pub(super) use self::listener::serve;
use crate::call::Trace;
use crate::domain::method as proved;
use crate::domain::time::UnixTime;
use crate::error::ErrorCode;
use crate::flows::housekeeping::Report;

/// Upper bounds in seconds: a verification takes a few milliseconds, a message to a provider up to 5 s.
const BOUNDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

/// Histograms of one kind.
type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor(|| Histogram::new(BOUNDS))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    error: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Guessed {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Messaged {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// Everything that is counted, from the start of the program.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Durations<Route>,
    errors: Family<Failed, Counter>,
    verifications: Family<Guessed, Counter>,
    messages: Family<Messaged, Counter>,
    database: database::Counts,
    /// Connections that are open.
    pub connections: Gauge,
    keeping: Keeping,
}

/// Of the scheduled job.
#[derive(Default)]
struct Keeping {
    failures: Counter,
    succeeded_at: Gauge,
    left_to_reseal: Gauge,
    unreadable: Gauge,
    of_unknown_keys: Gauge,
}

impl Metrics {
    /// `connections`: the most there may be.
    pub(super) fn new(watched: Watched, connections: usize) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: durations(),
            errors: Family::default(),
            verifications: Family::default(),
            messages: Family::default(),
            database: database::Counts::default(),
            connections: Gauge::default(),
            keeping: Keeping::default(),
        };
        metrics.register(connections);
        metrics.start_at_zero();
        let registry = &mut metrics.registry;
        metrics.database.register(registry);
        metrics.keeping.register(registry);
        registry.register_collector(Box::new(watched));
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(process::Process));
        metrics
    }

    fn register(&mut self, connections: usize) {
        let version = Family::<Version, Gauge>::default();
        let this = Version {
            version: env!("CARGO_PKG_VERSION"),
        };
        version.get_or_create(&this).set(1);
        let most = ConstGauge::new(i64::try_from(connections).unwrap_or(i64::MAX));
        let to = &mut self.registry;
        to.register("candado_build_info", "The program's version", version);
        let help = "Requests that were answered";
        to.register("candado_requests", help, self.requests.clone());
        let help = "From a request's last byte until its answer is made";
        let name = "candado_request_duration_seconds";
        to.register(name, help, self.durations.clone());
        let help = "Answers with an error, by its code";
        to.register("candado_errors", help, self.errors.clone());
        let help = "Codes that were presented: the method proved or named, and success or the error's code";
        to.register("candado_verifications", help, self.verifications.clone());
        let help = "Messages that were asked for: success is that the provider took it";
        to.register("candado_messages", help, self.messages.clone());
        let help = "Connections that are open";
        to.register("candado_connections", help, self.connections.clone());
        let help = "The most connections there may be";
        to.register("candado_connections_limit", help, most);
    }

    /// What is alerted on is there from the start: the first increase of a series that was not shows as none.
    fn start_at_zero(&self) {
        for code in ErrorCode::ALL {
            let error = code.name();
            drop(self.errors.get_or_create(&Failed { error }));
        }
        let outcome = "success";
        for method in proved::Method::ALL {
            let method = method.name();
            let guessed = Guessed { method, outcome };
            drop(self.verifications.get_or_create(&guessed));
        }
        for channel in [proved::Channel::Sms, proved::Channel::Email] {
            let channel = channel.name();
            let messaged = Messaged { channel, outcome };
            drop(self.messages.get_or_create(&messaged));
        }
    }

    /// Counts a request that was answered.
    pub(super) fn answered(
        &self,
        method: &Method,
        status: StatusCode,
        trace: &Trace,
        took: Duration,
    ) {
        let method = known(method);
        let route = trace.route().unwrap_or("unmatched").to_owned();
        let durations = Route {
            method,
            route: route.clone(),
        };
        self.durations
            .get_or_create(&durations)
            .observe(took.as_secs_f64());
        let status = status.as_u16();
        let answered = Answered {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&answered).inc();
        if let Some(error) = trace.error() {
            self.errors.get_or_create(&Failed { error }).inc();
        }
        if let Some(guess) = trace.guess() {
            let guessed = Guessed {
                method: guess.method.map_or("unknown", |method| method.name()),
                outcome: guess.outcome,
            };
            self.verifications.get_or_create(&guessed).inc();
        }
        if let Some(message) = trace.message() {
            let messaged = Messaged {
                channel: message.channel.name(),
                outcome: message.outcome,
            };
            self.messages.get_or_create(&messaged).inc();
        }
    }

    /// Notes what a run of the scheduled job did; `None` if it failed.
    pub(super) fn kept_house(&self, report: Option<&Report>, now: UnixTime) {
        let Some(report) = report else {
            self.keeping.failures.inc();
            return;
        };
        let set = |gauge: &Gauge, count: u64| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        self.keeping.succeeded_at.set(now.as_sql());
        set(&self.keeping.left_to_reseal, report.left_to_reseal);
        set(&self.keeping.unreadable, report.unreadable);
        set(&self.keeping.of_unknown_keys, report.of_keys_not_in_ring);
    }

    /// All of it as Prometheus reads it, version 0.0.4 of its text format.
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Keeping {
    fn register(&self, to: &mut Registry) {
        let name = "candado_housekeeping_failures";
        to.register(
            name,
            "Runs of the scheduled job that failed",
            self.failures.clone(),
        );
        let name = "candado_housekeeping_success_timestamp_seconds";
        to.register(name, "When it last ended well", self.succeeded_at.clone());
        let help = "Accounts sealed with an older key of the ring";
        to.register(
            "candado_accounts_left_to_reseal",
            help,
            self.left_to_reseal.clone(),
        );
        let help = "Accounts its last run could not open with any key of the ring";
        to.register("candado_accounts_unreadable", help, self.unreadable.clone());
        let help = "Accounts sealed with a key that is not in the ring";
        to.register(
            "candado_accounts_of_keys_not_in_ring",
            help,
            self.of_unknown_keys.clone(),
        );
    }
}

/// A caller may write any word there, and each would be a series of its own.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Guess, Message};

    const TOOK: Duration = Duration::from_millis(3);

    fn metrics() -> Metrics {
        Metrics::new(Watched::Nothing, 500)
    }

    #[test]
    fn a_request_is_counted_once_under_each_name() {
        let metrics = metrics();
        let trace = Trace::default();
        trace.set_route("/mfa/verify");
        trace.set_error("invalid_code");
        trace.set_guess(Guess {
            method: None,
            outcome: "invalid_code",
        });
        trace.set_message(Message {
            channel: proved::Channel::Sms,
            outcome: "success",
        });
        metrics.answered(&Method::POST, StatusCode::BAD_REQUEST, &trace, TOOK);
        let text = metrics.text().unwrap();
        for line in [
            r#"candado_requests_total{method="POST",route="/mfa/verify",status="400"} 1"#,
            r#"candado_request_duration_seconds_bucket{method="POST",route="/mfa/verify",le="0.0025"} 0"#,
            r#"candado_request_duration_seconds_bucket{method="POST",route="/mfa/verify",le="0.005"} 1"#,
            r#"candado_request_duration_seconds_count{method="POST",route="/mfa/verify"} 1"#,
            r#"candado_errors_total{error="invalid_code"} 1"#,
            r#"candado_verifications_total{method="unknown",outcome="invalid_code"} 1"#,
            r#"candado_messages_total{channel="sms",outcome="success"} 1"#,
            "candado_connections_limit 500",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }

    #[test]
    fn atk_82_no_caller_makes_series_of_its_own() {
        let metrics = metrics();
        let count = |metrics: &Metrics| metrics.text().unwrap().lines().count();
        let ask = |method: &str| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            metrics.answered(&method, StatusCode::NOT_FOUND, &Trace::default(), TOOK);
        };
        ask("X0");
        let before = count(&metrics);
        for number in 1..100 {
            ask(&format!("X{number}"));
        }
        assert_eq!(count(&metrics), before);
    }

    #[test]
    fn what_the_scheduled_job_found_is_that_of_its_last_run_that_ended_well() {
        let metrics = metrics();
        let report = Report {
            left_to_reseal: 7,
            of_keys_not_in_ring: 1,
            ..Report::default()
        };
        metrics.kept_house(Some(&report), UnixTime::from_secs(1_760_000_000));
        metrics.kept_house(None, UnixTime::from_secs(1_760_000_600));
        let text = metrics.text().unwrap();
        for line in [
            "candado_housekeeping_success_timestamp_seconds 1760000000",
            "candado_housekeeping_failures_total 1",
            "candado_accounts_left_to_reseal 7",
            "candado_accounts_unreadable 0",
            "candado_accounts_of_keys_not_in_ring 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
