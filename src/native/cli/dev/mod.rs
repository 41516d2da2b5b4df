//! `candado dev`: the service on this machine, with everything it needs made.

mod folder;
mod inbox;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::net::TcpListener;

use self::folder::Folder;
use self::inbox::Inbox;
use super::serve::{block_on, check, milliseconds};
use super::{Problem, print};
use crate::app::App;
use crate::call::Call;
use crate::config::Config;
use crate::domain::client::ClientSecret;
use crate::domain::ids::ClientId;
use crate::domain::settings::{Label, SettingsPatch};
use crate::error::Error;
use crate::flows::admin;
use crate::native::engine::Engine;
use crate::native::http_client::{Client, system_roots};
use crate::native::server::{self, Options};
use crate::native::signals::Signals;
use crate::native::signatures::Ring;
use crate::native::site::Site;

pub(super) use self::folder::kept_admin_token;

/// The client the guides use, as `npm start` has it too.
const DEMO_CLIENT: &str = "app123";
const DEMO_SECRET: &str = "secret123";

/// What a provider would be told, if there were one.
const PROVIDERS: [(&str, &str); 7] = [
    ("ENVIRONMENT", "development"),
    ("SMS_COUNTRIES", "*"),
    ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000"),
    ("TWILIO_AUTH_TOKEN", "nobody checks it"),
    ("TWILIO_FROM", "+15005550006"),
    ("SENDGRID_API_KEY", "nobody checks it"),
    ("SENDGRID_FROM", "no-reply@candado.example"),
];

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the keys and the database are kept; made if it is not there
    #[arg(long, default_value = folder::DEFAULT)]
    folder: PathBuf,
    /// Of the service; 0 takes any that is free
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Of the page that shows every message; 0 takes any that is free
    #[arg(long, default_value_t = 8026)]
    inbox_port: u16,
    /// Prints what there is as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    block_on(serve(arguments))?
}

async fn serve(arguments: &Arguments) -> Result<(), Problem> {
    let folder = Folder::open(&arguments.folder)?;
    let listener = listen("--port", arguments.port).await?;
    let inbox_listener = listen("--inbox-port", arguments.inbox_port).await?;
    let url = localhost(&listener)?;
    let inbox = Inbox::at(localhost(&inbox_listener)?, url.clone());

    let app = Arc::new(app(&folder, &url, &inbox).await?);
    check(&app)
        .await
        .map_err(|problem| folder.explain(&problem))?;
    make_demo_client(&app).await?;
    print(&if arguments.json {
        description(&url, &inbox, &folder)
    } else {
        banner(&url, &inbox, &folder)
    })?;

    let options = Options {
        site: Site {
            inbox: Some(inbox.url().to_owned()),
        },
        ..Options::default()
    };
    let signals = Signals::listen().map_err(|error| error.to_string())?;
    let showing = tokio::spawn(inbox.serve(inbox_listener));
    server::run(app, listener, options, signals).await;
    showing.abort();
    Ok(())
}

/// This machine alone: the inbox shows codes, and plain http is let through.
async fn listen(argument: &str, port: u16) -> Result<TcpListener, Problem> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    TcpListener::bind(address).await.map_err(|error| {
        let other = port.wrapping_add(1).max(1024);
        format!(
            "port {port} cannot be used: {error}\nanother one: `candado dev {argument} {other}`"
        )
    })
}

fn localhost(listener: &TcpListener) -> Result<String, Problem> {
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok(format!("http://localhost:{}", address.port()))
}

async fn app(folder: &Folder, url: &str, inbox: &Inbox) -> Result<App, Problem> {
    let lookup = |name: &str| {
        let fixed = PROVIDERS.iter().find(|(other, _)| *other == name);
        match (name, fixed) {
            ("PUBLIC_URL", _) => Some(url.to_owned()),
            (_, Some((_, value))) => Some((*value).to_owned()),
            _ => folder.variable(name),
        }
    };
    let config = Config::from_lookup(lookup).map_err(|error| folder.explain(&error.to_string()))?;
    let engine = Engine::File(folder.database());
    let opened = engine.open(Arc::new(milliseconds)).await;
    let stores = opened.map_err(|problem| folder.explain(&problem))?;
    let outside = Client::to_strangers(system_roots(), config.development);
    Ok(App {
        config,
        db: stores.db,
        kv: stores.kv,
        http: Arc::new(inbox.clone()),
        mailer: None,
        outside: Arc::new(outside.map_err(|error| error.to_string())?),
        signatures: Arc::new(Ring),
        clock: Box::new(milliseconds),
    })
}

/// Where the example's variant with the hosted page comes back to.
fn demo_settings() -> Result<SettingsPatch, Problem> {
    let settings = json!({"return_urls": ["http://localhost:3000/mfa/done"]});
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

/// Does nothing if there is one: what somebody changed of it stays.
async fn make_demo_client(app: &Arc<App>) -> Result<(), Problem> {
    let said = |error: &dyn ToString| error.to_string();
    let call = Call::new(app.clone()).map_err(|error| said(&error))?;
    let id = ClientId::try_from(DEMO_CLIENT.to_owned()).map_err(|error| said(&error))?;
    let name = Label::try_from("Demo".to_owned()).map_err(|error| said(&error))?;
    let secret = ClientSecret::known(DEMO_SECRET);
    let made = admin::create_client_with(&call, id, name, &demo_settings()?, secret).await;
    match made {
        Ok(_) | Err(Error::ClientExists(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// A request that works, from any shell.
fn first_request(url: &str) -> String {
    format!(
        "curl -s {url}/auth -H 'Content-Type: application/json' \
         -d '{{\"client_id\": \"{DEMO_CLIENT}\", \"client_secret\": \"{DEMO_SECRET}\"}}'"
    )
}

fn banner(url: &str, inbox: &Inbox, folder: &Folder) -> String {
    let guides = if Site::is_there() {
        format!("  Guides       {url}\n  Reference    {url}/docs\n")
    } else {
        "  Guides       not in this program: `npm run docs`, then compile it again\n".to_owned()
    };
    format!(
        "
Candado is running.

  Service      {url}
{guides}  Inbox        {}  (every SMS and e-mail: nothing leaves this machine)
  Demo client  {DEMO_CLIENT}, with the secret {DEMO_SECRET}
  Kept in      {}: keys, the operator's token and the database

This asks for a token:

  {}

Ctrl-C stops it. Each request is a line below.

",
        inbox.url(),
        folder.display(),
        first_request(url)
    )
}

fn description(url: &str, inbox: &Inbox, folder: &Folder) -> String {
    let text = json!({
        "url": url,
        "inbox": inbox.url(),
        "client_id": DEMO_CLIENT,
        "client_secret": DEMO_SECRET,
        "admin_token": folder.variable("ADMIN_TOKEN"),
        "folder": folder.display(),
    });
    format!("{text}\n")
}
