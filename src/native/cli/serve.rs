//! `candado`: serves, as its variables say.

use std::env;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;

use super::Problem;
use crate::app::App;
use crate::config::{Config, ConfigError};
use crate::error::Error;
use crate::flows::check_health;
use crate::native::engine::Stores;
use crate::native::http_client::{Client, PROVIDERS_ANSWER, system_roots};
use crate::native::metrics::{self, Measured, Metrics};
use crate::native::server::{self, Options};
use crate::native::settings::Settings;
use crate::native::signals::Signals;
use crate::native::signatures::Ring;
use crate::native::site::Site;
use crate::native::smtp::Smtp;
use crate::platform::Mailer;

/// What has no default, and what it is.
const REQUIRED: [(&str, &str); 3] = [
    (
        "PUBLIC_URL",
        "where callers reach the service, such as https://mfa.example.com",
    ),
    (
        "MASTER_KEYS",
        "the key ring; `candado generate-keys` makes one",
    ),
    (
        "BEHIND_TLS_PROXY",
        "true: a proxy in front of this program ends TLS",
    ),
];

pub(super) fn run() -> Result<(), Problem> {
    let config = Config::from_lookup(variable).map_err(|error| explain(&error))?;
    let settings =
        Settings::from_lookup(variable, config.development).map_err(|error| explain(&error))?;
    block_on(async {
        let (app, metrics) = app(config, &settings).await?;
        listen(app, metrics, settings).await
    })?
}

/// What is no text is not valid either, and is refused by its name like everything else.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Names everything that is missing at once, and what to do about it.
fn explain(error: &ConfigError) -> Problem {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.trim().is_empty());
    let development = variable("ENVIRONMENT").is_some_and(|value| value.trim() == "development");
    let needs = |name: &str| name != "BEHIND_TLS_PROXY" || !development;
    let missing: Vec<_> = REQUIRED
        .into_iter()
        .filter(|(name, _)| needs(name) && !is_set(name))
        .collect();
    if missing.len() < 2 {
        return error.to_string();
    }
    let mut text = "these variables are not set:\n".to_owned();
    for (name, meaning) in missing {
        let _ = writeln!(text, "  {name:<17} {meaning}");
    }
    text.push_str("`candado dev` serves on this machine without any of them, to try it\n");
    text.push_str("`candado --help` lists every variable");
    text
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    Ok(runtime.map_err(|error| error.to_string())?.block_on(future))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the machine for the time"
)]
pub(in crate::native) fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

async fn app(config: Config, settings: &Settings) -> Result<(App, Option<Arc<Metrics>>), Problem> {
    let roots = system_roots();
    if roots.is_empty() && !config.providers.is_empty() {
        return Err(
            "this machine trusts no certificate authority, so no provider can be reached: \
                    install ca-certificates, or set SSL_CERT_FILE"
                .to_owned(),
        );
    }
    let Stores { db, kv, watched } = settings.engine.open(Arc::new(milliseconds)).await?;
    let metrics = settings
        .metrics_listen
        .map(|_| Arc::new(Metrics::new(watched, server::CONNECTIONS)));
    let mailer = mailer(&config)?;
    let outside = Client::to_strangers(roots.clone(), config.development);
    let app = App {
        config,
        db: match &metrics {
            Some(metrics) => Arc::new(Measured::new(db, metrics.clone())),
            None => db,
        },
        kv,
        http: Arc::new(Client::new(roots, PROVIDERS_ANSWER).map_err(|error| error.to_string())?),
        mailer,
        outside: Arc::new(outside.map_err(|error| error.to_string())?),
        signatures: Arc::new(Ring),
        clock: Box::new(milliseconds),
    };
    Ok((app, metrics))
}

/// The mail server, if one is named.
fn mailer(config: &Config) -> Result<Option<Arc<dyn Mailer>>, Problem> {
    let Some(server) = &config.providers.smtp else {
        return Ok(None);
    };
    let smtp = Smtp::new(server, config.public_url.host()).map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(smtp)))
}

async fn listen(
    app: App,
    metrics: Option<Arc<Metrics>>,
    settings: Settings,
) -> Result<(), Problem> {
    // A wrong ring would fail every user, and seal what is new so that the right one cannot open it.
    check(&app).await?;
    let (listener, address) = bind("LISTEN", settings.listen).await?;
    let metrics_listener = match settings.metrics_listen {
        Some(address) => Some(bind("METRICS_LISTEN", address).await?),
        None => None,
    };
    let signals = Signals::listen().map_err(|error| error.to_string())?;
    log::info!(
        "candado {} listens on http://{address}",
        env!("CARGO_PKG_VERSION")
    );
    if !address.ip().is_loopback() {
        log::warn!("only the proxy may reach {address}: its X-Forwarded-Proto is believed");
    }
    let reading = metrics_listener.zip(metrics.clone());
    let reading = reading.map(|((listener, address), metrics)| {
        log::info!("metrics are at http://{address}/metrics");
        tokio::spawn(metrics::serve(listener, metrics))
    });
    let options = Options {
        behind_tls_proxy: settings.behind_tls_proxy,
        site: Site::default(),
        metrics,
        drain: settings.drain,
    };
    server::run(Arc::new(app), listener, options, signals).await;
    if let Some(reading) = reading {
        reading.abort();
    }
    log::info!("candado has ended");
    Ok(())
}

/// A listener, and where it is. The error names the variable.
async fn bind(name: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Problem> {
    let unusable = |error| format!("{name} is not usable: {address}: {error}");
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let bound = listener.local_addr().map_err(unusable)?;
    Ok((listener, bound))
}

pub(super) async fn check(app: &App) -> Result<(), Problem> {
    check_health(app).await.map_err(|error| match error {
        Error::Unavailable(cause) => cause.to_string(),
        error => error.to_string(),
    })
}
