//! `candado client`: applications that may use a service.

use clap::Subcommand;
use http::Method;
use serde_json::{Map, Value, json};

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
    /// Makes a client, and prints its secret: nothing else ever will
    Create {
        /// What people call the application
        name: String,
        /// Its id; drawn if it is not given
        #[arg(long, value_parser = client_id)]
        id: Option<ClientId>,
        /// A setting, such as `require_step_up=true`; again for each
        #[arg(long = "set", value_name = "SETTING=VALUE", value_parser = setting)]
        settings: Vec<(String, Value)>,
        /// For tests of an integration: nothing is sent for it, and its clock goes on when it says so
        #[arg(long)]
        test: bool,
    },
    /// Lists all clients
    List,
    /// Shows a client with every setting as it applies
    Show {
        #[arg(value_parser = client_id)]
        id: ClientId,
    },
    /// Changes settings of a client, and shows them all
    Settings {
        #[arg(value_parser = client_id)]
        id: ClientId,
        /// `locale=es`; `issuer=null` returns one to its default. None: shows them
        #[arg(value_name = "SETTING=VALUE", value_parser = setting)]
        settings: Vec<(String, Value)>,
    },
    /// Turns a client off: its tokens are dead at once and for good, its API keys while it is off
    Disable {
        #[arg(value_parser = client_id)]
        id: ClientId,
    },
    /// Turns a client on again
    Enable {
        #[arg(value_parser = client_id)]
        id: ClientId,
    },
    /// Gives a client a new secret, and prints it
    RotateSecret {
        #[arg(value_parser = client_id)]
        id: ClientId,
        /// For how many seconds the present secret works beside it
        #[arg(long, default_value_t = 86_400)]
        overlap: u64,
    },
    /// Deletes a client with all its users and keys
    Delete {
        #[arg(value_parser = client_id)]
        id: ClientId,
        /// The id once more: there is no way back
        #[arg(long, value_name = "ID")]
        confirm: String,
    },
}

/// Checked here, so that what is no id is told before anything is asked.
pub(super) fn client_id(text: &str) -> Result<ClientId, String> {
    let id = ClientId::try_from(text.to_owned());
    id.map_err(|error| format!("expected {error}"))
}

/// The value as JSON where it is some, else as text.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected a name, = and a value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

/// Where the routes of one client begin.
pub(super) fn path(id: &ClientId) -> String {
    format!("/admin/clients/{}", step(id.as_str()))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let service = Service::as_operator()?;
    let answer = ask(&service, &arguments.command)?;
    print(&if arguments.json && !answer.is_null() {
        format!("{answer:#}\n")
    } else {
        describe(&arguments.command, &answer)
    })
}

fn ask(service: &Service, command: &Command) -> Result<Value, Problem> {
    let patch = |id: &ClientId, body: Value| service.ask(Method::PATCH, &path(id), Some(&body));
    match command {
        Command::Create {
            name,
            id,
            settings,
            test,
        } => {
            let settings: Map<String, Value> = settings.iter().cloned().collect();
            let mut body = json!({"name": name, "settings": settings, "test": test});
            if let (Some(id), Some(body)) = (id, body.as_object_mut()) {
                body.insert("client_id".to_owned(), id.as_str().into());
            }
            service.ask(Method::POST, "/admin/clients", Some(&body))
        }
        Command::List => service.get("/admin/clients"),
        Command::Show { id } => service.get(&path(id)),
        Command::Settings { id, settings } if settings.is_empty() => service.get(&path(id)),
        Command::Settings { id, settings } => {
            let settings: Map<String, Value> = settings.iter().cloned().collect();
            patch(id, json!({"settings": settings}))
        }
        Command::Disable { id } => patch(id, json!({"disabled": true})),
        Command::Enable { id } => patch(id, json!({"disabled": false})),
        Command::RotateSecret { id, overlap } => {
            let body = json!({"overlap_seconds": overlap});
            let rotate = format!("{}/rotate-secret", path(id));
            service.ask(Method::POST, &rotate, Some(&body))
        }
        Command::Delete { id, confirm } => {
            if id.as_str() != confirm {
                return Err(format!(
                    "--confirm says {confirm}, which is not {}: nothing was deleted",
                    id.as_str()
                ));
            }
            service.ask(Method::DELETE, &path(id), None)
        }
    }
}

fn describe(command: &Command, answer: &Value) -> String {
    match command {
        Command::List => clients(answer),
        Command::Create { .. } | Command::RotateSecret { .. } => secret(answer),
        Command::Delete { id, .. } => format!("{} is deleted.\n", id.as_str()),
        Command::Show { .. }
        | Command::Settings { .. }
        | Command::Disable { .. }
        | Command::Enable { .. } => client(answer),
    }
}

/// As lines for the environment of the application.
fn secret(client: &Value) -> String {
    let (id, secret) = (text(client, "client_id"), text(client, "client_secret"));
    format!("CANDADO_CLIENT_ID={id}\nCANDADO_CLIENT_SECRET={secret}\n")
}

fn is_disabled(client: &Value) -> bool {
    client.get("disabled").and_then(Value::as_bool) == Some(true)
}

fn clients(answer: &Value) -> String {
    let clients = list(answer, "clients");
    if clients.is_empty() {
        return "There is no client yet: `candado client create NAME` makes one.\n".to_owned();
    }
    let row = |client: &Value| {
        let state = if is_disabled(client) {
            "disabled"
        } else {
            "on"
        };
        let made = time(client.get("created_at").and_then(Value::as_u64));
        let (id, name) = (text(client, "client_id"), text(client, "name"));
        vec![id.to_owned(), name.to_owned(), state.to_owned(), made]
    };
    let rows: Vec<_> = clients.iter().map(row).collect();
    table(&["CLIENT", "NAME", "STATE", "MADE"], &rows)
}

fn client(client: &Value) -> String {
    let state = if is_disabled(client) {
        "disabled"
    } else {
        "on"
    };
    let made = time(client.get("created_at").and_then(Value::as_u64));
    let mut rows = vec![
        vec!["client_id".to_owned(), text(client, "client_id").to_owned()],
        vec!["name".to_owned(), text(client, "name").to_owned()],
        vec!["state".to_owned(), state.to_owned()],
        vec!["made".to_owned(), made],
    ];
    let settings = client.get("settings").and_then(Value::as_object);
    for (name, value) in settings.into_iter().flatten() {
        rows.push(vec![name.clone(), value.to_string()]);
    }
    table(&["SETTING", "VALUE"], &rows)
}
