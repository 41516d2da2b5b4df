//! `candado audit`: the record of events, as it is and as it goes on.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::time::Duration;

use clap::ValueEnum;
use http::Method;
use serde_json::Value;

use super::remote::{Service, list, text, with_query};
use super::serve::milliseconds;
use super::table::time;
use super::{Problem, print};

/// Greater than any id: where newest first begins.
const NEWEST: i64 = (1 << 53) - 1;
/// Events of one request.
const PAGE: u32 = 1000;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only of this client
    #[arg(long)]
    client: Option<String>,
    /// Only of this user
    #[arg(long)]
    user: Option<String>,
    /// Only of this kind, such as `failed`
    #[arg(long)]
    event: Option<String>,
    /// Only what this operator did
    #[arg(long)]
    operator: Option<String>,
    /// From then on: 30m, 2h or 7d ago, or Unix seconds
    #[arg(long, value_parser = moment)]
    from: Option<u64>,
    /// Before then, likewise
    #[arg(long, value_parser = moment)]
    to: Option<u64>,
    /// The last so many events; with --all, all there are
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// All events, oldest first
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Goes on with new events as they come, until Ctrl-C
    #[arg(long, short, conflicts_with_all = ["all", "to"])]
    follow: bool,
    #[arg(long, value_enum, default_value_t = Format::Lines)]
    format: Format,
    /// The same as --format jsonl
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line an event, for people
    Lines,
    /// An object a line, for programs
    Jsonl,
    /// For spreadsheets
    Csv,
}

/// So long ago, or Unix seconds.
pub(super) fn moment(text: &str) -> Result<u64, String> {
    let expected = || "expected 30m, 2h or 7d for so long ago, or Unix seconds".to_owned();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(expected)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    let ago = number.checked_mul(unit).ok_or_else(expected)?;
    Ok((milliseconds() / 1000).saturating_sub(ago))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let reader = Reader {
        service: &service,
        arguments,
        format: if arguments.json {
            Format::Jsonl
        } else {
            arguments.format
        },
    };
    let done = if arguments.all {
        reader.all()
    } else {
        reader.last()
    };
    // Whoever reads it has seen enough: `candado audit --all | head`.
    match done {
        Err(problem) if problem == ErrorKind::BrokenPipe.to_string() => Ok(()),
        done => done,
    }
}

struct Reader<'a> {
    service: &'a Service,
    arguments: &'a Arguments,
    format: Format,
}

impl Reader<'_> {
    fn page(&self, place: (&'static str, i64), limit: u32) -> Result<Value, Problem> {
        self.service.get(&self.path(place, limit, None))
    }

    fn path(&self, (name, id): (&'static str, i64), limit: u32, format: Option<&str>) -> String {
        let Arguments {
            client,
            user,
            event,
            operator,
            from,
            to,
            ..
        } = self.arguments;
        let fields = [
            ("client_id", client.clone()),
            ("user_id", user.clone()),
            ("event", event.clone()),
            ("operator", operator.clone()),
            ("from", from.map(|seconds| seconds.to_string())),
            ("to", to.map(|seconds| seconds.to_string())),
            (name, Some(id.to_string())),
            ("limit", Some(limit.to_string())),
            ("format", format.map(str::to_owned)),
        ];
        with_query("/admin/audit", &fields)
    }

    /// The last events in their order; then, if that is asked for, those that come.
    fn last(&self) -> Result<(), Problem> {
        let (mut newest_first, mut before) = (Vec::new(), NEWEST);
        while newest_first.len() < self.arguments.limit as usize {
            let missing = self.arguments.limit as usize - newest_first.len();
            let limit = u32::try_from(missing).unwrap_or(PAGE).min(PAGE);
            let page = self.page(("before", before), limit)?;
            newest_first.extend(list(&page, "events").iter().cloned());
            match page.get("next").and_then(Value::as_i64) {
                Some(next) => before = next,
                None => break,
            }
        }
        newest_first.reverse();
        let mut last = newest_first.last().and_then(id_of).unwrap_or(0);
        self.show(&newest_first, true)?;
        if !self.arguments.follow {
            return Ok(());
        }
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let page = self.page(("after", last), PAGE)?;
            let events = list(&page, "events");
            last = events.last().and_then(id_of).unwrap_or(last);
            self.show(events, false)?;
        }
    }

    fn all(&self) -> Result<(), Problem> {
        let (mut after, mut first) = (0, true);
        loop {
            let page = self.page(("after", after), PAGE)?;
            self.show(list(&page, "events"), first)?;
            first = false;
            match page.get("next").and_then(Value::as_i64) {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    fn show(&self, events: &[Value], first: bool) -> Result<(), Problem> {
        let mut shown = String::new();
        match self.format {
            Format::Lines => {
                for event in events {
                    shown.push_str(&line(event));
                }
            }
            Format::Jsonl => {
                for event in events {
                    let _ = writeln!(shown, "{event}");
                }
            }
            Format::Csv => return self.csv(events, first),
        }
        print(&shown)
    }

    /// As the service writes it, so that it is one program that knows what a spreadsheet takes for a formula.
    fn csv(&self, events: &[Value], first: bool) -> Result<(), Problem> {
        let Some(before_first) = events.first().and_then(id_of).map(|id| id - 1) else {
            return Ok(());
        };
        let limit = u32::try_from(events.len()).unwrap_or(PAGE);
        for (page, start) in (0..limit).step_by(PAGE as usize).enumerate() {
            let id = match events.get(start as usize).and_then(id_of) {
                Some(id) => id - 1,
                None => before_first,
            };
            let path = self.path(("after", id), (limit - start).min(PAGE), Some("csv"));
            let answer = self.service.send(Method::GET, &path, None)?;
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            let rows = text.split_once("\r\n").map_or("", |(_, rows)| rows);
            print(if first && page == 0 { &text } else { rows })?;
        }
        Ok(())
    }
}

fn id_of(event: &Value) -> Option<i64> {
    event.get("id").and_then(Value::as_i64)
}

/// `2026-11-30 10:00:00  shop/ann  verified  totp  {…}`
fn line(event: &Value) -> String {
    let at = time(event.get("at").and_then(Value::as_u64));
    let (client, user) = (text(event, "client_id"), text(event, "user_id"));
    let whose = if user.is_empty() {
        client.to_owned()
    } else {
        format!("{client}/{user}")
    };
    let mut line = format!("{at}  {whose:24}  {:20}", text(event, "event"));
    for field in ["method", "operator"] {
        if !text(event, field).is_empty() {
            let _ = write!(line, "  {}", text(event, field));
        }
    }
    let detail = event.get("detail").and_then(Value::as_object);
    if let Some(detail) = detail.filter(|detail| !detail.is_empty()) {
        let _ = write!(line, "  {}", Value::Object(detail.clone()));
    }
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_unix_seconds() {
        assert_eq!(moment("1760000000"), Ok(1_760_000_000));
        let now = milliseconds() / 1000;
        for (text, ago) in [("30m", 1800), ("2h", 7200), ("7d", 604_800)] {
            let moment = moment(text).unwrap();
            assert!((now - ago..=now - ago + 1).contains(&moment), "{text}");
        }
        for wrong in [
            "",
            "h",
            "2w",
            "-1h",
            "yesterday",
            "99999999999999999999d",
            "2é",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_its_detail_holds() {
        let event = json!({"at": 1_760_000_020, "client_id": "shop", "user_id": "ann", "event": "failed", "method": null,
            "operator": null, "detail": {"name": "a\nb\u{1b}[31m"}});
        let line = line(&event);
        assert_eq!(line.lines().count(), 1);
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}
