//! What every request works with: configuration, platform and clock.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::time::UnixTime;
use crate::platform::{Database, HttpClient, KeyValue, Mailer, Signatures};

/// Milliseconds since the Unix epoch, from the platform's clock.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

pub struct App {
    pub config: Config,
    pub db: Arc<dyn Database>,
    pub kv: Arc<dyn KeyValue>,
    pub http: Arc<dyn HttpClient>,
    /// Where the platform hands e-mail to a mail server itself, and one is named.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// For addresses that somebody else named: it goes to no address that is not public, if the platform can tell.
    pub outside: Arc<dyn HttpClient>,
    pub signatures: Arc<dyn Signatures>,
    pub clock: Clock,
}

impl App {
    pub fn keys(&self) -> &KeyRing {
        &self.config.keys
    }

    pub fn now(&self) -> UnixTime {
        UnixTime::from_secs((self.clock)() / 1000)
    }
}
