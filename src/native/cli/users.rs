//! `candado users`: users of clients, as the operator sees them.

use std::fmt::Write as _;

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::client::client_id;
use super::remote::{Service, list, step, text, with_query};
use super::table::{table, time};
use super::{Problem, print};
use crate::domain::ids::{ClientId, UserId};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Prints the service's JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Args)]
struct One {
    #[arg(value_parser = client_id)]
    client: ClientId,
    #[arg(value_parser = user_id)]
    user: UserId,
}

#[derive(Subcommand)]
enum Command {
    /// Lists users by id
    List {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// Only ids that begin so
        #[arg(long)]
        prefix: Option<String>,
        /// Begins after this id
        #[arg(long)]
        after: Option<String>,
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Shows what a user has set up, what is locked, and what happened last
    Show(One),
    /// Clears a user's counters and locks
    Unlock(One),
    /// Turns a user's MFA off, without a code
    Disable(One),
    /// Deletes a user and everything about it but the record
    Delete {
        #[command(flatten)]
        one: One,
        /// The user's id once more: there is no way back
        #[arg(long, value_name = "ID")]
        confirm: String,
    },
    /// Prints everything that is held about a user as JSON, secrets left out
    Export(One),
}

fn user_id(text: &str) -> Result<UserId, String> {
    let id = UserId::try_from(text.to_owned());
    id.map_err(|error| format!("expected {error}"))
}

impl One {
    fn path(&self) -> String {
        let (client, user) = (step(self.client.as_str()), step(self.user.as_str()));
        format!("/admin/users/{client}/{user}")
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let (answer, said) = ask(&service, &arguments.command)?;
    let json = arguments.json || matches!(arguments.command, Command::Export(_));
    print(&if json && !answer.is_null() {
        format!("{answer:#}\n")
    } else {
        said
    })
}

fn ask(service: &Service, command: &Command) -> Result<(Value, String), Problem> {
    match command {
        Command::List {
            client,
            prefix,
            after,
            limit,
        } => {
            let fields = [
                ("client_id", Some(client.as_str().to_owned())),
                ("prefix", prefix.clone()),
                ("after", after.clone()),
                ("limit", Some(limit.to_string())),
            ];
            let answer = service.get(&with_query("/admin/users", &fields))?;
            let said = users(&answer);
            Ok((answer, said))
        }
        Command::Show(one) => {
            let answer = service.get(&one.path())?;
            let said = user(&answer);
            Ok((answer, said))
        }
        Command::Export(one) => {
            let answer = service.get(&format!("{}/export", one.path()))?;
            Ok((answer, String::new()))
        }
        Command::Unlock(one) => {
            let body = json!({"client_id": one.client, "user_id": one.user});
            let answer = service.ask(Method::POST, "/admin/unlock", Some(&body))?;
            Ok((answer, format!("{} is unlocked.\n", one.user.as_str())))
        }
        Command::Disable(one) => {
            let path = format!("{}/disable", one.path());
            let answer = service.ask(Method::POST, &path, None)?;
            Ok((answer, format!("MFA of {} is off.\n", one.user.as_str())))
        }
        Command::Delete { one, confirm } => {
            let user = one.user.as_str();
            if user != confirm {
                return Err(format!(
                    "--confirm says {confirm}, which is not {user}: nothing was deleted"
                ));
            }
            let answer = service.ask(Method::DELETE, &one.path(), None)?;
            Ok((answer, format!("{user} is deleted.\n")))
        }
    }
}

fn at(value: &Value, field: &str) -> String {
    time(value.get(field).and_then(Value::as_u64))
}

fn users(answer: &Value) -> String {
    let row = |user: &Value| {
        let on = user.get("mfa_enabled").and_then(Value::as_bool) == Some(true);
        vec![
            text(user, "user_id").to_owned(),
            if on { "on" } else { "off" }.to_owned(),
            at(user, "created_at"),
            at(user, "updated_at"),
        ]
    };
    let rows: Vec<_> = list(answer, "users").iter().map(row).collect();
    let mut text = table(&["USER", "MFA", "MADE", "CHANGED"], &rows);
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        let _ = writeln!(text, "There are more: --after '{next}'");
    }
    text
}

fn user(answer: &Value) -> String {
    let or_dash = |field: &str| match text(answer, field) {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    let number = |field: &str| answer.get(field).map(Value::to_string).unwrap_or_default();
    let rows = vec![
        vec!["client".to_owned(), or_dash("client_id")],
        vec!["user".to_owned(), or_dash("user_id")],
        vec!["state".to_owned(), or_dash("state")],
        vec!["phone".to_owned(), or_dash("phone")],
        vec!["email".to_owned(), or_dash("email")],
        vec![
            "recovery codes".to_owned(),
            number("recovery_codes_remaining"),
        ],
        vec!["made".to_owned(), at(answer, "created_at")],
        vec!["last verified".to_owned(), at(answer, "last_verified_at")],
    ];
    let factor = |factor: &Value| {
        let of = |field: &str| text(factor, field).to_owned();
        vec![of("id"), of("name"), of("state"), at(factor, "created_at")]
    };
    let count = |count: &Value| {
        let number = |field: &str| count.get(field).map(Value::to_string).unwrap_or_default();
        vec![
            text(count, "class").to_owned(),
            number("failures"),
            number("failures_in_24_hours"),
            at(count, "locked_until"),
        ]
    };
    let event = |event: &Value| {
        let of = |field: &str| text(event, field).to_owned();
        vec![
            at(event, "at"),
            of("event"),
            of("outcome"),
            of("method"),
            of("operator"),
        ]
    };
    let all = |field: &str, row: &dyn Fn(&Value) -> Vec<String>| -> Vec<Vec<String>> {
        list(answer, field).iter().map(row).collect()
    };
    [
        table(&["", ""], &rows).trim_start().to_owned(),
        table(
            &["FACTOR", "NAME", "STATE", "MADE"],
            &all("factors", &factor),
        ),
        table(
            &["CLASS", "IN A ROW", "IN 24 H", "LOCKED UNTIL"],
            &all("counts", &count),
        ),
        table(
            &["WHEN", "EVENT", "OUTCOME", "METHOD", "OPERATOR"],
            &all("events", &event),
        ),
    ]
    .join("\n")
}
