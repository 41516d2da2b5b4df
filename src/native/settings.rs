//! What only a server of one's own is told, beside what `Config` holds: where it listens, where its
//! database is, and who ends TLS.

use std::net::SocketAddr;
use std::time::Duration;

use super::engine::Engine;
use super::postgres::DatabaseUrl;
use crate::config::{ConfigError, Reader, invalid};

/// To PostgreSQL, unless told otherwise. Few are enough: a statement takes less than a millisecond.
const CONNECTIONS: usize = 16;

#[derive(Debug)]
pub(super) struct Settings {
    pub listen: SocketAddr,
    pub engine: Engine,
    /// A proxy in front ends TLS, and its `X-Forwarded-Proto` is believed.
    pub behind_tls_proxy: bool,
    /// How long it goes on serving after the signal to end.
    pub drain: Duration,
    /// Where metrics are read; nowhere while it is not set.
    pub metrics_listen: Option<SocketAddr>,
}

/// `LISTEN` alone.
pub(super) fn listen_address(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<SocketAddr, ConfigError> {
    listen_address_of(&Reader::new(lookup))
}

fn listen_address_of<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
) -> Result<SocketAddr, ConfigError> {
    let listen = read.parsed("LISTEN", |text| {
        text.parse()
            .map_err(|_| "it is an address and a port, such as 127.0.0.1:8787")
    })?;
    Ok(listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8787))))
}

fn metrics_address<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
    listen: SocketAddr,
) -> Result<Option<SocketAddr>, ConfigError> {
    let address: Option<SocketAddr> = read.parsed("METRICS_LISTEN", |text| {
        text.parse()
            .map_err(|_| "it is an address and a port, such as 127.0.0.1:9187")
    })?;
    if address.is_some_and(|address| address == listen && address.port() != 0) {
        let reason = "it is the same as LISTEN: metrics need a port of their own, which callers cannot reach";
        return Err(invalid("METRICS_LISTEN", reason));
    }
    Ok(address)
}

/// Read when the first line is written, and refused here if it is neither.
fn check_log_format<L: Fn(&str) -> Option<String>>(read: &Reader<L>) -> Result<(), ConfigError> {
    let format: Result<Option<()>, _> = read.parsed("LOG_FORMAT", |text| match text {
        "text" | "json" => Ok(()),
        _ => Err("it is text or json"),
    });
    format.map(|_| ())
}

impl Settings {
    pub(super) fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        development: bool,
    ) -> Result<Self, ConfigError> {
        let read = Reader::new(lookup);
        let listen = listen_address_of(&read)?;
        let behind_tls_proxy = read
            .parsed("BEHIND_TLS_PROXY", |text| {
                text.parse().map_err(|_| "it is true or false")
            })?
            .unwrap_or(false);
        if !development && !behind_tls_proxy {
            let reason = "in production it has to be true: this program speaks plain http, and a \
                          proxy in front of it ends TLS";
            return Err(invalid("BEHIND_TLS_PROXY", reason));
        }
        // Development lets plain http through for whoever calls the host localhost.
        if development && !listen.ip().is_loopback() {
            let reason =
                "in development it is an address of this machine alone, such as 127.0.0.1:8787";
            return Err(invalid("LISTEN", reason));
        }
        check_log_format(&read)?;
        let drain = read.parsed("DRAIN_SECONDS", |text| match text.parse() {
            Ok(seconds @ 0..=300) => Ok(seconds),
            _ => Err("a number of seconds from 0 to 300"),
        })?;
        Ok(Self {
            listen,
            drain: Duration::from_secs(drain.unwrap_or_default()),
            metrics_listen: metrics_address(&read, listen)?,
            engine: engine(&read)?,
            behind_tls_proxy,
        })
    }
}

fn engine<L: Fn(&str) -> Option<String>>(read: &Reader<L>) -> Result<Engine, ConfigError> {
    let file = read.optional("DATABASE");
    let connections = read
        .parsed("DATABASE_CONNECTIONS", |text| match text.parse() {
            Ok(number @ 1..=500) => Ok(number),
            _ => Err("a number from 1 to 500"),
        })?
        .unwrap_or(CONNECTIONS);
    match (file, read.parsed("DATABASE_URL", DatabaseUrl::parse)?) {
        (Some(_), Some(_)) => Err(invalid(
            "DATABASE_URL",
            "DATABASE is set too: the data is in one of them",
        )),
        (None, Some(url)) => Ok(Engine::Server(Box::new(url), connections)),
        (file, None) => Ok(Engine::File(
            file.unwrap_or_else(|| "candado.sqlite".to_owned()).into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(development: bool, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| {
            let value = variables.iter().find(|(key, _)| *key == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        Settings::from_lookup(lookup, development).map_err(|error| error.to_string())
    }

    const PROXY: (&str, &str) = ("BEHIND_TLS_PROXY", "true");

    #[test]
    fn cfg_04_plain_http_without_a_proxy_is_for_development_on_this_machine() {
        let error = read(false, &[]).unwrap_err();
        assert!(
            error.starts_with("BEHIND_TLS_PROXY is not valid"),
            "{error}"
        );
        let error = read(false, &[("BEHIND_TLS_PROXY", "false")]).unwrap_err();
        assert!(
            error.starts_with("BEHIND_TLS_PROXY is not valid"),
            "{error}"
        );
        assert!(read(false, &[PROXY, ("LISTEN", "0.0.0.0:80")]).is_ok());
        assert!(read(true, &[("LISTEN", "[::1]:80")]).is_ok());
        let error = read(true, &[PROXY, ("LISTEN", "0.0.0.0:80")]).unwrap_err();
        assert!(error.starts_with("LISTEN is not valid"), "{error}");
    }

    #[test]
    fn what_is_not_set_listens_to_this_machine_alone() {
        let settings = read(false, &[PROXY]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8787");
        let Engine::File(path) = settings.engine else {
            panic!("{:?}", settings.engine)
        };
        assert_eq!(path.to_str(), Some("candado.sqlite"));
    }

    #[test]
    fn the_data_is_in_one_place() {
        let url = ("DATABASE_URL", "postgres://u:secret@db.example.com/mfa");
        let engine = |more| read(true, &[url, more]).map(|settings| settings.engine);
        for (more, connections) in [
            (("DATABASE_CONNECTIONS", ""), CONNECTIONS),
            (("DATABASE_CONNECTIONS", "32"), 32),
        ] {
            let Ok(Engine::Server(_, most)) = engine(more) else {
                panic!("{more:?}")
            };
            assert_eq!(most, connections);
        }
        let error = engine(("DATABASE", "candado.sqlite")).unwrap_err();
        assert!(error.starts_with("DATABASE_URL is not valid"), "{error}");
    }

    #[test]
    fn a_bad_variable_is_named() {
        for (name, value) in [
            ("DATABASE_URL", "candado.sqlite"),
            ("DATABASE_CONNECTIONS", "0"),
            ("LISTEN", "8787"),
            ("LISTEN", "localhost:8787"),
            ("BEHIND_TLS_PROXY", "1"),
            ("METRICS_LISTEN", "9187"),
            ("METRICS_LISTEN", "127.0.0.1:8787"),
            ("LOG_FORMAT", "JSON"),
            ("DRAIN_SECONDS", "-1"),
            ("DRAIN_SECONDS", "301"),
        ] {
            let error = read(true, &[(name, value)]).unwrap_err();
            assert!(
                error.starts_with(&format!("{name} is not valid")),
                "{error}"
            );
        }
    }
}
