//! `candado statistics`: what happened in a period, in numbers.

use clap::ValueEnum;
use serde_json::Value;

use super::audit::moment;
use super::remote::{Service, list, text, with_query};
use super::table::{table, time};
use super::{Problem, print};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only of this client
    #[arg(long)]
    client: Option<String>,
    /// From then on: 30m, 2h or 7d ago, or Unix seconds; a day before --to
    #[arg(long, value_parser = moment)]
    from: Option<u64>,
    /// Before then, likewise; now
    #[arg(long, value_parser = moment)]
    to: Option<u64>,
    /// How long a line's bucket is
    #[arg(long, value_enum, default_value_t = Step::Hour)]
    step: Step,
    /// Each client on its own
    #[arg(long)]
    by_client: bool,
    /// What the service answered, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Step {
    #[value(name = "5m")]
    FiveMinutes,
    #[value(name = "1h")]
    Hour,
    #[value(name = "1d")]
    Day,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let step = match arguments.step {
        Step::FiveMinutes => 300,
        Step::Hour => 3600,
        Step::Day => 86_400,
    };
    let number = |number: Option<u64>| number.map(|it| it.to_string());
    let fields = [
        ("client_id", arguments.client.clone()),
        ("from", number(arguments.from)),
        ("to", number(arguments.to)),
        ("step", number(Some(step))),
        ("group_by", arguments.by_client.then(|| "client".to_owned())),
    ];
    let told = service.get(&with_query("/admin/statistics", &fields))?;
    print(&if arguments.json {
        format!("{told:#}\n")
    } else {
        describe(&told)
    })
}

fn whole(value: &Value, field: &str) -> u64 {
    value.get(field).and_then(Value::as_u64).unwrap_or_default()
}

/// The numbers of a field, of the items that are wanted.
fn sum(counts: &Value, items: &str, field: &str, wanted: impl Fn(&Value) -> bool) -> u64 {
    let items = list(counts, items).iter().filter(|item| wanted(item));
    items.map(|item| whole(item, field)).sum()
}

fn describe(told: &Value) -> String {
    let locked = told.get("locked").unwrap_or(&Value::Null);
    let now = format!(
        "{} users; locked now: totp {}, delivered {}, recovery {}\n",
        whole(told, "users"),
        whole(locked, "totp"),
        whole(locked, "delivered"),
        whole(locked, "recovery"),
    );
    let total = told.get("total").unwrap_or(&Value::Null);
    let mut parts = vec![now, buckets(told)];
    let clients = list(told, "clients");
    if !clients.is_empty() {
        let row = |client: &Value| {
            let locked = client.get("locked").unwrap_or(&Value::Null);
            let locked =
                ["totp", "delivered", "recovery"].map(|class| whole(locked, class).to_string());
            let mut cells = vec![
                text(client, "client_id").to_owned(),
                whole(client, "users").to_string(),
            ];
            cells.extend(locked);
            cells
        };
        let rows: Vec<_> = clients.iter().map(row).collect();
        let names = [
            "CLIENT",
            "USERS",
            "TOTP LOCKED",
            "DELIVERED LOCKED",
            "RECOVERY LOCKED",
        ];
        parts.push(table(&names, &rows));
    }
    parts.extend([methods(total), messages(total), calls(total)]);
    if told.get("complete") == Some(&Value::Bool(false)) {
        parts.push("More is in the record than is counted yet: ask again.\n".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn buckets(told: &Value) -> String {
    let row = |at: String, client: &str, counts: &Value| {
        let enrolments = counts.get("enrolments").unwrap_or(&Value::Null);
        let outcomes = |wanted: &[&str]| {
            let is = |item: &Value| wanted.contains(&text(item, "outcome"));
            sum(counts, "verifications", "count", is)
        };
        let numbers = [
            whole(enrolments, "begun"),
            whole(enrolments, "finished"),
            outcomes(&["verified", "recovered"]),
            outcomes(&["failed", "replayed"]),
            sum(counts, "locks", "count", |_| true),
            sum(counts, "messages", "sent", |_| true),
            sum(counts, "messages", "verified", |_| true),
        ];
        let mut cells = vec![at, client.to_owned()];
        cells.extend(numbers.map(|number| number.to_string()));
        cells
    };
    let mut rows: Vec<_> = list(told, "buckets")
        .iter()
        .map(|bucket| {
            row(
                time(Some(whole(bucket, "at"))),
                text(bucket, "client_id"),
                bucket,
            )
        })
        .collect();
    if rows.is_empty() {
        return "Nothing happened then.\n".to_owned();
    }
    let total = told.get("total").unwrap_or(&Value::Null);
    rows.push(row("all".to_owned(), "", total));
    let names = [
        "FROM", "CLIENT", "BEGUN", "ENROLLED", "VERIFIED", "WRONG", "LOCKS", "SENT", "USED",
    ];
    table(&names, &rows)
}

fn methods(total: &Value) -> String {
    let row = |item: &Value| {
        let kind = match (text(item, "method"), text(item, "class")) {
            ("", "") => "-",
            ("", class) => class,
            (method, _) => method,
        };
        let cells = [kind, text(item, "outcome")].map(str::to_owned);
        [cells.to_vec(), vec![whole(item, "count").to_string()]].concat()
    };
    let rows: Vec<_> = list(total, "verifications").iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(&["METHOD OR CLASS", "OUTCOME", "COUNT"], &rows)
}

fn messages(total: &Value) -> String {
    let row = |item: &Value| {
        let (sent, used) = (whole(item, "sent"), whole(item, "verified"));
        let share = (used * 100).checked_div(sent);
        let share = share.map_or("-".to_owned(), |percent| format!("{percent} %"));
        let names = ["channel", "country", "range"].map(|field| match text(item, field) {
            "" => "-".to_owned(),
            name => name.to_owned(),
        });
        let numbers =
            ["sent", "failed", "refused", "verified"].map(|field| whole(item, field).to_string());
        [names.to_vec(), numbers.to_vec(), vec![share]].concat()
    };
    let rows: Vec<_> = list(total, "messages").iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let names = [
        "CHANNEL", "COUNTRY", "RANGE", "SENT", "FAILED", "REFUSED", "USED", "SHARE",
    ];
    table(&names, &rows)
}

fn calls(total: &Value) -> String {
    let row = |item: &Value| {
        let mut cells = vec![text(item, "provider").to_owned()];
        let fields = ["count", "failures", "p50_ms", "p95_ms"];
        cells.extend(fields.map(|field| whole(item, field).to_string()));
        cells
    };
    let rows: Vec<_> = list(total, "provider_calls").iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(&["PROVIDER", "CALLS", "FAILED", "P50 MS", "P95 MS"], &rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_told_as_tables() {
        let counts = json!({
            "enrolments": {"begun": 2, "finished": 1},
            "verifications": [
                {"method": null, "class": "totp", "outcome": "failed", "count": 3},
                {"method": "totp", "class": null, "outcome": "verified", "count": 9},
            ],
            "locks": [],
            "messages": [{"channel": "sms", "country": "ES", "range": null, "sent": 4, "failed": 1, "refused": 0, "verified": 3}],
            "provider_calls": [{"provider": "twilio", "count": 5, "failures": 1, "p50_ms": 320, "p95_ms": 800}],
        });
        let mut bucket = counts.clone();
        bucket["at"] = json!(1_760_004_000);
        let told = json!({
            "complete": false, "users": 7, "locked": {"totp": 1, "delivered": 0, "recovery": 0},
            "clients": [], "buckets": [bucket], "total": counts,
        });
        let text = describe(&told);
        for line in [
            "7 users; locked now: totp 1, delivered 0, recovery 0",
            "2025-10-09 10:00:00          2      1         9         3      0      4     3",
            "totp             failed    3",
            "sms      ES       -      4     1       0        3     75 %",
            "twilio    5      1       320     800",
            "More is in the record than is counted yet: ask again.",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let nothing = json!({"users": 0, "buckets": [], "total": {}});
        assert!(describe(&nothing).ends_with("Nothing happened then.\n"));
    }
}
