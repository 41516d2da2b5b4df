//! The program `candado`: its arguments, its start and its end.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;

use super::http_client::{Client, system_roots};
use super::kv::SqliteKeyValue;
use super::server;
use super::settings::Settings;
use super::sqlite::Sqlite;
use crate::app::App;
use crate::config::Config;
use crate::domain::crypto::random;
use crate::error::Error;
use crate::flows::check_health;

const HELP: &str = "\
candado: multi-factor authentication as a service, on SQLite

  candado                 serves until SIGINT or SIGTERM
  candado generate-keys   prints fresh values of MASTER_KEYS and ADMIN_TOKEN
  candado --help          prints this
  candado --version       prints the version

Environment variables:

  PUBLIC_URL                    where callers reach the service: https://mfa.example.com
  MASTER_KEYS                   secret: key ring, id:base64 of 32 bytes, separated by commas
  ADMIN_TOKEN                   secret: bearer token of /admin; without it there is no /admin
  BEHIND_TLS_PROXY              true: a proxy in front ends TLS and sets X-Forwarded-Proto.
                                Required in production
  LISTEN                        address and port; 127.0.0.1:8787 if not set
  DATABASE                      SQLite file; candado.sqlite if not set
  ENVIRONMENT                   production, or development: plain http on this machine
  RESTORED_AT                   when a backup was restored, in Unix seconds
  AUDIT_RETENTION_DAYS          how long events are kept; 365 if not set
  SMS_COUNTRIES                 where SMS may go: ES,PT or *; nowhere if not set
  TWILIO_ACCOUNT_SID            Twilio's account; without it there is no SMS
  TWILIO_AUTH_TOKEN             secret: its token
  TWILIO_FROM                   the number that sends, in E.164
  TWILIO_MESSAGING_SERVICE_SID  a messaging service in the place of the number
  TWILIO_BASE_URL               another place for Twilio's requests, for tests
  SENDGRID_API_KEY              secret: SendGrid's key; without it there is no e-mail
  SENDGRID_FROM                 the address e-mails come from
  SENDGRID_FROM_NAME            the name beside it
  SENDGRID_BASE_URL             another place for SendGrid's requests, for tests
  SSL_CERT_FILE                 authorities to trust in the place of the system's
";

/// What went wrong at the start, for the one who starts it.
type Problem = String;

pub fn main() -> ExitCode {
    super::logging::init();
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let arguments: Option<Vec<&str>> = arguments.iter().map(|text| text.to_str()).collect();
    let done = match arguments.as_deref() {
        Some([]) => serve(),
        Some(["generate-keys"]) => keys().and_then(|keys| print(&keys)),
        Some(["--help" | "-h"]) => print(HELP),
        Some(["--version" | "-V"]) => print(concat!("candado ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => {
            log::error!("candado: unknown arguments; candado --help lists what there is");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            log::error!("candado: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), Problem> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| error.to_string())
}

/// Lines for an environment file.
fn keys() -> Result<String, Problem> {
    let key = random::bytes::<32>().map_err(|error| error.to_string())?;
    let token = random::bytes::<36>().map_err(|error| error.to_string())?;
    let (key, token) = (STANDARD.encode(key), STANDARD.encode(token));
    Ok(format!("MASTER_KEYS=k1:{key}\nADMIN_TOKEN={token}\n"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the machine for the time"
)]
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

fn serve() -> Result<(), Problem> {
    // What is no text is not valid either, and is refused by its name like everything else.
    let lookup = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let config = Config::from_lookup(lookup).map_err(|error| error.to_string())?;
    let settings =
        Settings::from_lookup(lookup, config.development).map_err(|error| error.to_string())?;
    let app = app(config, &settings)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?
        .block_on(listen(app, settings))
}

fn app(config: Config, settings: &Settings) -> Result<App, Problem> {
    let roots = system_roots();
    if roots.is_empty() && (config.twilio.is_some() || config.sendgrid.is_some()) {
        return Err(
            "this machine trusts no certificate authority, so no provider can be reached: \
                    install ca-certificates, or set SSL_CERT_FILE"
                .to_owned(),
        );
    }
    let unusable = |error| {
        let file = settings.database.display();
        format!("DATABASE is not usable: {file}: {error}")
    };
    let db = Sqlite::open(&settings.database).map_err(unusable)?;
    let kv = SqliteKeyValue::open(&settings.key_values(), Arc::new(milliseconds));
    Ok(App {
        config,
        db: Arc::new(db),
        kv: Arc::new(kv.map_err(unusable)?),
        http: Arc::new(Client::new(roots).map_err(|error| error.to_string())?),
        clock: Box::new(milliseconds),
    })
}

async fn listen(app: App, settings: Settings) -> Result<(), Problem> {
    // A wrong ring would fail every user, and seal what is new so that the right one cannot open it.
    check_health(&app).await.map_err(|error| match error {
        Error::Unavailable(cause) => cause.to_string(),
        error => error.to_string(),
    })?;
    let unusable = |error| format!("LISTEN is not usable: {}: {error}", settings.listen);
    let listener = TcpListener::bind(settings.listen).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let stop = stop().map_err(|error| error.to_string())?;
    log::info!(
        "candado {} listens on http://{address}",
        env!("CARGO_PKG_VERSION")
    );
    if !address.ip().is_loopback() {
        log::warn!("only the proxy may reach {address}: its X-Forwarded-Proto is believed");
    }
    server::run(app, listener, settings.behind_tls_proxy, stop).await;
    log::info!("candado has ended");
    Ok(())
}

/// Ends with the first SIGINT or SIGTERM.
#[cfg(unix)]
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
