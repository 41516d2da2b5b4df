//! `candado top`: what happens now, in numbers.

use std::collections::{BTreeMap, VecDeque};
use std::io::IsTerminal;
use std::time::Duration;

use serde_json::{Value, json};

use super::remote::{Service, list, text, with_query};
use super::serve::milliseconds;
use super::table::{table, time};
use super::{Problem, print};

/// Seconds that are looked back on.
const WINDOW: u64 = 60;
const PAGE: u32 = 1000;
/// Events kept of a window: a service that has more is told apart by its metrics.
const MOST: usize = 50_000;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only of this client
    #[arg(long)]
    client: Option<String>,
    /// Seconds between two looks
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    interval: u64,
    /// One look, then the end
    #[arg(long)]
    once: bool,
    /// An object a look, for programs
    #[arg(long)]
    json: bool,
}

struct Seen {
    at: u64,
    client: String,
    event: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let mut last_id = 0;
    let mut window: VecDeque<Seen> = VecDeque::new();
    loop {
        let since = (milliseconds() / 1000).saturating_sub(WINDOW);
        last_id = read(&service, arguments, since, last_id, &mut window)?;
        while window.front().is_some_and(|seen| seen.at < since) || window.len() > MOST {
            window.pop_front();
        }
        show(arguments, &service, &window)?;
        if arguments.once {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(arguments.interval));
    }
}

/// Adds what is new since the event `after`, of this window.
fn read(
    service: &Service,
    arguments: &Arguments,
    since: u64,
    mut after: i64,
    window: &mut VecDeque<Seen>,
) -> Result<i64, Problem> {
    loop {
        let fields = [
            ("client_id", arguments.client.clone()),
            ("from", Some(since.to_string())),
            ("after", Some(after.to_string())),
            ("limit", Some(PAGE.to_string())),
        ];
        let page = service.get(&with_query("/admin/audit", &fields))?;
        for event in list(&page, "events") {
            after = event.get("id").and_then(Value::as_i64).unwrap_or(after);
            window.push_back(Seen {
                at: event.get("at").and_then(Value::as_u64).unwrap_or(0),
                client: text(event, "client_id").to_owned(),
                event: text(event, "event").to_owned(),
            });
        }
        if page.get("next").is_none_or(Value::is_null) {
            return Ok(after);
        }
    }
}

/// How many events of each kind each client has in the window.
fn counts(window: &VecDeque<Seen>) -> BTreeMap<(&str, &str), u64> {
    let mut counts = BTreeMap::new();
    for seen in window {
        *counts
            .entry((seen.client.as_str(), seen.event.as_str()))
            .or_insert(0) += 1;
    }
    counts
}

fn show(arguments: &Arguments, service: &Service, window: &VecDeque<Seen>) -> Result<(), Problem> {
    let now = milliseconds() / 1000;
    let counts = counts(window);
    if arguments.json {
        let events = counts.iter().map(
            |((client, event), count)| json!({"client_id": client, "event": event, "count": count}),
        );
        let look = json!({"at": now, "seconds": WINDOW, "events": events.collect::<Vec<_>>()});
        return print(&format!("{look}\n"));
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|(one, first), (other, second)| second.cmp(first).then(one.cmp(other)));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|((client, event), count)| {
            vec![client.to_owned(), event.to_owned(), count.to_string()]
        })
        .collect();
    let head = format!(
        "{}   {}   events of the last {WINDOW} s\n\n",
        service.url(),
        time(Some(now))
    );
    // Cursor home, and nothing below: only for a screen.
    let clear = if std::io::stdout().is_terminal() && !arguments.once {
        "\u{1b}[H\u{1b}[J"
    } else {
        ""
    };
    print(&format!(
        "{clear}{head}{}",
        table(&["CLIENT", "EVENT", "COUNT"], &rows)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_client_and_kind() {
        let seen = |client: &str, event: &str| Seen {
            at: 0,
            client: client.to_owned(),
            event: event.to_owned(),
        };
        let window = VecDeque::from([
            seen("a", "verified"),
            seen("b", "failed"),
            seen("a", "verified"),
        ]);
        let expected = BTreeMap::from([(("a", "verified"), 2), (("b", "failed"), 1)]);
        assert_eq!(counts(&window), expected);
    }
}
