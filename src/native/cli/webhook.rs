//! `candado webhook`: where an application is told of what happens to its users.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::client::{client_id, path};
use super::remote::{Service, list, step, text};
use super::table::{table, time};
use super::{Problem, print};
use crate::domain::ids::ClientId;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Prints the service's JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Sets where a client is told of events, and prints the secret that signs: nothing else ever will
    Set {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// An https address
        url: String,
        /// A kind of event it is told of; again for each, all of them if none is given
        #[arg(long = "event")]
        events: Vec<String>,
    },
    /// Shows where a client is told of what
    Show {
        #[arg(value_parser = client_id)]
        client: ClientId,
    },
    /// Sends an event of nothing that happened, and says what came of it
    Test {
        #[arg(value_parser = client_id)]
        client: ClientId,
    },
    /// Lists what was sent within a week, the newest first
    Deliveries {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Only those before this one
        #[arg(long)]
        before: Option<String>,
    },
    /// Sends one again, and says what came of it
    Redeliver {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// Its id, as `deliveries` shows it
        delivery: String,
    },
    /// Ends it: nothing more is sent, and its secrets are gone
    Delete {
        #[arg(value_parser = client_id)]
        client: ClientId,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let at = |client: &ClientId| format!("{}/webhook", path(client));
    let (answer, said) = match &arguments.command {
        Command::Set {
            client,
            url,
            events,
        } => {
            let mut body = json!({"url": url});
            if let (false, Some(body)) = (events.is_empty(), body.as_object_mut()) {
                body.insert("events".to_owned(), json!(events));
            }
            let set = service.ask(Method::PUT, &at(client), Some(&body))?;
            let line = format!("CANDADO_WEBHOOK_SECRET={}\n", text(&set, "secret"));
            (set, line)
        }
        Command::Show { client } => {
            let answer = service.get(&at(client))?;
            let said = webhook(&answer);
            (answer, said)
        }
        Command::Test { client } => {
            let sent = service.ask(Method::POST, &format!("{}/test", at(client)), None)?;
            let said = outcome(&sent);
            (sent, said)
        }
        Command::Deliveries {
            client,
            limit,
            before,
        } => {
            let mut path = format!("{}/deliveries?limit={limit}", at(client));
            if let Some(before) = before {
                path.push_str("&before=");
                path.push_str(&step(before));
            }
            let answer = service.get(&path)?;
            let said = deliveries(&answer);
            (answer, said)
        }
        Command::Redeliver { client, delivery } => {
            let path = format!("{}/deliveries/{}/redeliver", at(client), step(delivery));
            let sent = service.ask(Method::POST, &path, None)?;
            let said = outcome(&sent);
            (sent, said)
        }
        Command::Delete { client } => {
            let answer = service.ask(Method::DELETE, &at(client), None)?;
            let said = format!("{} is told of nothing any more.\n", client.as_str());
            (answer, said)
        }
    };
    print(&if arguments.json && !answer.is_null() {
        format!("{answer:#}\n")
    } else {
        said
    })
}

fn at(value: &Value, field: &str) -> String {
    time(value.get(field).and_then(Value::as_u64))
}

fn webhook(answer: &Value) -> String {
    let events = list(answer, "events").iter().filter_map(Value::as_str);
    let events: Vec<_> = events.collect();
    let former = match answer.get("previous_secret_expires_at") {
        Some(Value::Number(_)) => at(answer, "previous_secret_expires_at"),
        _ => "-".to_owned(),
    };
    format!(
        "Address            {}\nEvents             {}\nThe secret before  signs until {former}\n",
        text(answer, "url"),
        events.join(", "),
    )
}

/// Why a delivery is where it is.
fn reason(delivery: &Value) -> String {
    let status = delivery.get("response_status").and_then(Value::as_u64);
    match status {
        Some(status) => status.to_string(),
        None if text(delivery, "problem").is_empty() => "-".to_owned(),
        None => text(delivery, "problem").to_owned(),
    }
}

fn outcome(delivery: &Value) -> String {
    let (id, state) = (text(delivery, "id"), text(delivery, "state"));
    format!("{id} is {state}: {}\n", reason(delivery))
}

fn deliveries(answer: &Value) -> String {
    let all = list(answer, "deliveries");
    if all.is_empty() {
        return "Nothing was sent within a week.\n".to_owned();
    }
    let row = |delivery: &Value| {
        let attempts = delivery.get("attempts").and_then(Value::as_u64);
        vec![
            text(delivery, "id").to_owned(),
            at(delivery, "created_at"),
            text(delivery, "event").to_owned(),
            text(delivery, "state").to_owned(),
            attempts.unwrap_or_default().to_string(),
            reason(delivery),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let mut said = table(
        &["DELIVERY", "AT", "EVENT", "STATE", "TRIES", "ANSWER"],
        &rows,
    );
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        said.push_str("More: --before ");
        said.push_str(next);
        said.push('\n');
    }
    said
}
