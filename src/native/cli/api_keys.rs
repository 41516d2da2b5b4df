//! `candado keys`: what applications may show in the place of a token.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::client::{client_id, path};
use super::remote::{Service, list, step, text};
use super::table::{table, time};
use super::{Problem, print};
use crate::domain::ids::ClientId;
use crate::domain::scope::Scope;

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
    /// Makes an API key of a client, and prints it: nothing else ever will
    Create {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// Which program has it
        name: String,
        /// What it opens: verify, send, enrol, manage, read; again for each
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<Scope>,
        /// When it ends by itself; never if this is not given
        #[arg(long)]
        days: Option<u32>,
    },
    /// Lists the keys of a client, with the day each was last used
    List {
        #[arg(value_parser = client_id)]
        client: ClientId,
    },
    /// Revokes a key: the next request with it is refused
    Revoke {
        #[arg(value_parser = client_id)]
        client: ClientId,
        /// Its id, as `list` shows it
        key: String,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    let mut all = Scope::ALL.into_iter();
    let names = Scope::ALL.map(Scope::name).join(", ");
    all.find(|scope| scope.name() == text)
        .ok_or(format!("expected one of {names}"))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let at = |client: &ClientId| format!("{}/keys", path(client));
    let (answer, said) = match &arguments.command {
        Command::Create {
            client,
            name,
            scopes,
            days,
        } => {
            let mut body = json!({"name": name, "scopes": scopes});
            if let (Some(days), Some(body)) = (days, body.as_object_mut()) {
                body.insert("expires_in_days".to_owned(), (*days).into());
            }
            let made = service.ask(Method::POST, &at(client), Some(&body))?;
            let line = format!("CANDADO_API_KEY={}\n", text(&made, "api_key"));
            (made, line)
        }
        Command::List { client } => {
            let answer = service.get(&at(client))?;
            let said = keys(&answer);
            (answer, said)
        }
        Command::Revoke { client, key } => {
            let path = format!("{}/{}", at(client), step(key));
            let answer = service.ask(Method::DELETE, &path, None)?;
            (answer, format!("{key} is revoked.\n"))
        }
    };
    print(&if arguments.json && !answer.is_null() {
        format!("{answer:#}\n")
    } else {
        said
    })
}

fn keys(answer: &Value) -> String {
    let keys = list(answer, "keys");
    if keys.is_empty() {
        return "The client has no API key: `candado keys create` makes one.\n".to_owned();
    }
    let row = |key: &Value| {
        let at = |field: &str| time(key.get(field).and_then(Value::as_u64));
        let scopes = list(key, "scopes").iter().filter_map(Value::as_str);
        let last = at("last_used_at");
        vec![
            text(key, "key_id").to_owned(),
            text(key, "name").to_owned(),
            scopes.collect::<Vec<_>>().join(" "),
            at("expires_at"),
            last.split(' ').next().unwrap_or("-").to_owned(),
        ]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    table(&["KEY", "NAME", "SCOPES", "ENDS", "LAST USED"], &rows)
}
