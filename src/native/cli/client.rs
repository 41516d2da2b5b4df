//! `candado client`: applications that may use a service.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Subcommand;
use http::{Method, Request};
use serde_json::{Map, Value, json};

use super::dev::kept_admin_token;
use super::serve::{block_on, variable};
use super::{Problem, print};
use crate::native::http_client::{Client, system_roots};
use crate::platform::HttpClient;

const LOCAL: &str = "http://localhost:8787";
/// Of an answer: some ten thousand clients.
const ANSWER: usize = 16 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);

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
        #[arg(long)]
        id: Option<String>,
        /// A setting, such as `require_step_up=true`; again for each
        #[arg(long = "set", value_name = "SETTING=VALUE", value_parser = setting)]
        settings: Vec<(String, Value)>,
    },
    /// Lists all clients
    List,
    /// Gives a client a new secret, and prints it
    RotateSecret {
        id: String,
        /// For how many seconds the present secret works beside it
        #[arg(long, default_value_t = 86_400)]
        overlap: u64,
    },
}

/// The value as JSON where it is some, else as text.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected a name, = and a value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let answer = match &arguments.command {
        Command::Create { name, id, settings } => {
            let settings: Map<String, Value> = settings.iter().cloned().collect();
            let body = match id {
                Some(id) => json!({"client_id": id, "name": name, "settings": settings}),
                None => json!({"name": name, "settings": settings}),
            };
            ask(Method::POST, "/admin/clients", Some(&body))?
        }
        Command::List => ask(Method::GET, "/admin/clients", None)?,
        Command::RotateSecret { id, overlap } => {
            let path = format!("/admin/clients/{id}/rotate-secret");
            let body = json!({"overlap_seconds": overlap});
            ask(Method::POST, &path, Some(&body))?
        }
    };
    print(&if arguments.json {
        format!("{answer:#}\n")
    } else {
        match &arguments.command {
            Command::List => table(&answer),
            _ => secret(&answer),
        }
    })
}

/// As lines for the environment of the application.
fn secret(client: &Value) -> String {
    let (id, secret) = (text(client, "client_id"), text(client, "client_secret"));
    format!("CANDADO_CLIENT_ID={id}\nCANDADO_CLIENT_SECRET={secret}\n")
}

fn table(answer: &Value) -> String {
    let clients = answer.get("clients").and_then(Value::as_array);
    let clients = clients.map(Vec::as_slice).unwrap_or_default();
    let widest = clients.iter().map(|client| text(client, "client_id").len());
    let Some(width) = widest.max() else {
        return "There is no client yet: `candado client create NAME` makes one.\n".to_owned();
    };
    let mut lines = String::new();
    for client in clients {
        let disabled = client.get("disabled").and_then(Value::as_bool);
        let state = if disabled == Some(true) {
            "  (disabled)"
        } else {
            ""
        };
        let (id, name) = (text(client, "client_id"), text(client, "name"));
        let _ = writeln!(lines, "{id:width$}  {name}{state}");
    }
    lines
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn ask(method: Method, path: &str, body: Option<&Value>) -> Result<Value, Problem> {
    let url = variable("CANDADO_URL").unwrap_or_else(|| LOCAL.to_owned());
    let url = url.trim().trim_end_matches('/');
    let token = variable("CANDADO_ADMIN_TOKEN").or_else(kept_admin_token);
    let token = token.ok_or("CANDADO_ADMIN_TOKEN is not set: it is the service's ADMIN_TOKEN")?;
    let request = Request::builder()
        .method(method)
        .uri(format!("{url}{path}"))
        .header("authorization", format!("Bearer {}", token.trim()))
        .header("content-type", "application/json")
        .body(
            body.map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
        )
        .map_err(|_| format!("CANDADO_URL is not the address of a service: {url}"))?;
    let client = Client::new(system_roots(), ANSWER).map_err(|error| error.to_string())?;
    let answer = block_on(client.send(request, TIMEOUT))?
        .map_err(|error| format!("{url} does not answer: {error}"))?;
    let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status().is_success() {
        return Ok(value);
    }
    let said = match text(&value, "message") {
        "" => "this is no answer of Candado's: is the address right?",
        said => said,
    };
    let field = match text(&value, "field") {
        "" => String::new(),
        field => format!("{field}: "),
    };
    Err(format!(
        "{url} refused with {}: {field}{said}",
        answer.status().as_u16()
    ))
}
