//! `candado key-ring`: how far a rotation of keys is.

use std::fmt::Write as _;

use serde_json::Value;

use super::remote::{Service, list, text};
use super::table::table;
use super::{Problem, print};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Prints the service's JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Problem> {
    let answer = Service::as_operator()?.get("/admin/key-ring")?;
    print(&if arguments.json {
        format!("{answer:#}\n")
    } else {
        describe(&answer)
    })
}

fn describe(answer: &Value) -> String {
    let number = |field: &str| answer.get(field).and_then(Value::as_u64).unwrap_or(0);
    let row = |key: &Value| {
        let accounts = key.get("accounts").map(Value::to_string);
        vec![
            text(key, "id").to_owned(),
            text(key, "role").to_owned(),
            accounts.unwrap_or_default(),
        ]
    };
    let keys = list(answer, "keys");
    let rows: Vec<_> = keys.iter().map(row).collect();
    let mut said = table(&["KEY", "ROLE", "USERS"], &rows);
    let (current, all) = (number("current"), number("accounts"));
    let _ = writeln!(
        said,
        "{current} of {all} users are sealed with the current key."
    );
    if keys.iter().any(|key| text(key, "role") == "missing") {
        said.push_str(
            "A key that sealed users is missing in MASTER_KEYS: put it back, or they are lost.\n",
        );
    } else if current == all && keys.len() > 1 {
        said.push_str("The former keys can be taken out of MASTER_KEYS.\n");
    }
    said
}
