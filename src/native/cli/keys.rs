//! `candado generate-keys`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Problem, print};
use crate::domain::crypto::random::{self, RandomError};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let keys = Keys::draw().map_err(|error| error.to_string())?;
    print(&if arguments.json {
        let names = json!({"MASTER_KEYS": keys.master, "ADMIN_TOKEN": keys.admin});
        format!("{names}\n")
    } else {
        keys.lines()
    })
}

/// Fresh secrets of a new service.
pub(super) struct Keys {
    master: String,
    admin: String,
}

impl Keys {
    pub(super) fn draw() -> Result<Self, RandomError> {
        let (key, token) = (random::bytes::<32>()?, random::bytes::<36>()?);
        Ok(Self {
            master: format!("k1:{}", STANDARD.encode(key)),
            admin: STANDARD.encode(token),
        })
    }

    /// Lines for an environment file.
    pub(super) fn lines(&self) -> String {
        let Self { master, admin } = self;
        format!("MASTER_KEYS={master}\nADMIN_TOKEN={admin}\n")
    }
}
