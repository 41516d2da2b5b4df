//! `DATABASE_URL`: a connection URI as libpq reads it, and how much of the server's certificate is checked.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as Negotiation, TargetSessionAttrs};

use super::tls::{self, Checked};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the server's machine may stay silent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// Where the database is. `Debug` does not say its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    config: Config,
    /// `None`: no TLS.
    tls: Option<Checked>,
    /// A file of authorities to trust; `None` for those of the system.
    roots: Option<PathBuf>,
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

impl DatabaseUrl {
    /// `sslmode` and `sslrootcert` mean what they mean to libpq, but that without `sslmode` the certificate is
    /// checked in full. The error does not repeat the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err("a URL that begins with postgres://");
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match form_urlencoded::parse(pair.as_bytes()).next() {
                Some((name, value)) if name == "sslmode" => mode = Some(value.into_owned()),
                Some((name, value)) if name == "sslrootcert" => roots = Some(value.into_owned()),
                _ => rest.push(pair),
            }
        }
        let roots = roots.filter(|path| path != "system").map(PathBuf::from);
        let mut config = Config::from_str(&format!("{place}?{}", rest.join("&")))
            .map_err(|_| "a URL as libpq reads it: postgres://user:password@host/database")?;
        let hosts = config.get_hosts();
        if hosts.is_empty() && config.get_hostaddrs().is_empty() {
            return Err("a URL with a host");
        }
        // As libpq, which speaks no TLS over a socket of the file system.
        let local = !hosts.is_empty() && hosts.iter().all(|host| !matches!(host, Host::Tcp(_)));
        let (negotiation, tls) = match mode.as_deref() {
            _ if local => (Negotiation::Disable, None),
            Some("disable") => (Negotiation::Disable, None),
            Some("prefer") => (Negotiation::Prefer, Some(Checked::Nothing)),
            Some("require") if roots.is_none() => (Negotiation::Require, Some(Checked::Nothing)),
            Some("require" | "verify-ca") => (Negotiation::Require, Some(Checked::Authority)),
            None | Some("verify-full") => (Negotiation::Require, Some(Checked::AuthorityAndName)),
            _ => {
                return Err(
                    "one of disable, prefer, require, verify-ca and verify-full as its sslmode",
                );
            }
        };
        config.ssl_mode(negotiation);
        // After a failover the former primary may still answer, and a standby cannot be written to.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.tcp_user_timeout(SILENCE);
        config.keepalives_idle(SILENCE);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("candado");
        }
        Ok(Self { config, tls, roots })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// How TLS is spoken; `None` for not at all.
    pub(super) fn tls(&self) -> Result<Option<ClientConfig>, rustls::Error> {
        let tls = self
            .tls
            .map(|checked| tls::config(checked, self.roots.as_deref()));
        tls.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> DatabaseUrl {
        DatabaseUrl::parse(&format!("postgres://u:secret@db.example.com/mfa{query}")).unwrap()
    }

    #[test]
    fn the_certificate_is_checked_in_full_unless_sslmode_says_less() {
        use Checked::{Authority, AuthorityAndName, Nothing};
        let require = Negotiation::Require;
        for (query, negotiation, checked) in [
            ("", require, Some(AuthorityAndName)),
            ("?sslmode=verify-full", require, Some(AuthorityAndName)),
            ("?sslmode=verify-ca", require, Some(Authority)),
            ("?sslmode=require", require, Some(Nothing)),
            (
                "?sslmode=require&sslrootcert=/ca.pem",
                require,
                Some(Authority),
            ),
            ("?sslrootcert=/ca.pem", require, Some(AuthorityAndName)),
            ("?sslmode=prefer", Negotiation::Prefer, Some(Nothing)),
            ("?sslmode=disable", Negotiation::Disable, None),
        ] {
            let url = parsed(query);
            assert_eq!(url.config.get_ssl_mode(), negotiation, "{query}");
            assert_eq!(url.tls, checked, "{query}");
        }
    }

    #[test]
    fn what_libpq_reads_beside_it_is_kept() {
        let url = parsed("?sslmode=disable&options=-csearch_path%3Dmfa&sslrootcert=%2Fmy%20ca.pem");
        assert_eq!(url.config.get_options(), Some("-csearch_path=mfa"));
        assert_eq!(url.config.get_dbname(), Some("mfa"));
        assert_eq!(url.roots, Some(PathBuf::from("/my ca.pem")));
        assert_eq!(url.config.get_application_name(), Some("candado"));
        assert_eq!(parsed("?sslrootcert=system").roots, None);
    }

    #[test]
    fn a_socket_of_the_file_system_has_no_tls() {
        let url = DatabaseUrl::parse("postgres://%2Fvar%2Frun%2Fpostgresql/mfa").unwrap();
        assert_eq!(url.tls, None);
    }

    #[test]
    fn what_is_no_such_url_is_refused_and_no_password_is_told() {
        for text in [
            "",
            "candado.sqlite",
            "mysql://u:secret@h/d",
            "postgres://",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/d?sslmode=allow",
            "postgres://u:secret@h/d?sslmode=Disable",
            "postgres://u:secret@h/d?unknown=1",
        ] {
            let error = DatabaseUrl::parse(text).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", parsed("")).contains("secret"));
    }
}
