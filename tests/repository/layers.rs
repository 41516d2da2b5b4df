//! Imports run downwards: `cloudflare | native -> api -> flows -> {storage, providers} -> platform`, and any of these
//! `-> domain`, which imports nothing of ours but itself.

use std::collections::BTreeSet;

use regex::Regex;

use crate::{files, read};

/// What each layer may use beside itself.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("platform", &["domain"]),
    ("config", &["domain"]),
    ("error", &["domain", "platform"]),
    ("app", &["domain", "platform", "config"]),
    ("call", &["domain", "app", "config", "error", "platform"]),
    ("storage", &["domain", "platform", "error"]),
    ("providers", &["domain", "platform", "config"]),
    (
        "flows",
        &[
            "domain",
            "platform",
            "config",
            "error",
            "app",
            "call",
            "storage",
            "providers",
        ],
    ),
    ("api", &["domain", "error", "app", "call", "flows"]),
    (
        "cloudflare native",
        &[
            "domain", "platform", "config", "error", "app", "call", "flows", "api",
        ],
    ),
];

/// `src/flows/send/mod.rs` is of `flows`.
fn layer(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or_default()
}

#[test]
fn no_file_imports_from_a_layer_above_its_own() {
    let import = Regex::new(r"crate::([a-z_]+)").unwrap();
    let mut checked = BTreeSet::new();
    for path in files(&["src"], &[".rs"]) {
        let own = layer(&path).to_owned();
        if matches!(own.as_str(), "lib" | "main") {
            continue;
        }
        let (_, may_use) = MAY_USE
            .iter()
            .find(|(layers, _)| layers.split(' ').any(|layer| layer == own))
            .unwrap_or_else(|| panic!("{path} is of no layer"));
        for found in import.captures_iter(&read(&path)) {
            let used = &found[1];
            assert!(
                used == own || may_use.contains(&used),
                "{path} imports crate::{used}, which {own} may not"
            );
        }
        checked.insert(own);
    }
    assert!(checked.len() >= 11, "{checked:?}");
}

/// An account changes in one way; what writes one is called from there alone.
#[test]
fn accounts_are_written_by_one_module() {
    let writes = Regex::new(r"accounts::(swap|swap_each|update|delete)\b").unwrap();
    for path in files(&["src"], &[".rs"]) {
        if path != "src/flows/change/store.rs" {
            assert!(
                !writes.is_match(&read(&path)),
                "{path} writes accounts by itself"
            );
        }
    }
    assert!(writes.is_match(&read("src/flows/change/store.rs")));
}

/// SQL stands where the tables are, status codes where HTTP is.
#[test]
fn sql_stays_in_storage_and_http_in_the_api() {
    let sql = Regex::new(r#""\s*(SELECT|INSERT|UPDATE|DELETE) "#).unwrap();
    let http = Regex::new(r"\bStatusCode\b").unwrap();
    for path in files(&["src"], &[".rs"]) {
        let own = layer(&path);
        let text = read(&path);
        if !matches!(own, "storage" | "native") {
            assert!(!sql.is_match(&text), "{path} has SQL");
        }
        if !matches!(
            own,
            "api" | "native" | "cloudflare" | "platform" | "providers"
        ) {
            assert!(!http.is_match(&text), "{path} knows status codes");
        }
    }
}

/// `Unverified` is worth something only as long as nobody else opens it (decision 41).
#[test]
fn the_outcome_of_a_ceremony_is_given_away_by_its_verification_alone() {
    let mut callers = Vec::new();
    for path in files(&["src"], &[".rs"]) {
        let calls = read(&path).matches("outcome_if(").count();
        callers.extend(std::iter::repeat_n(path, calls));
    }
    assert_eq!(
        callers,
        [
            "src/domain/webauthn/unverified.rs",
            "src/platform/signatures.rs"
        ]
    );
}
