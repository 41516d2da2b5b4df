//! docs/openapi.json is the document the code describes, and describes every route. The guides say the
//! numbers and codes that hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;

use candado::api::BODY_LIMIT;
use candado::api::{document, error_table};
use candado::domain::account::{
    DAILY_TRIES, FIRST_DELAY, FREE_TRIES, LIFETIME_TRIES, LONGEST_DELAY, PENDING_LIFETIME,
};
use candado::domain::api_key::PATTERN;
use candado::domain::codes::recovery_code::CODES_PER_SET;
use candado::domain::crypto::token::ACCESS_TOKEN_LIFETIME;
use candado::domain::method::Purpose;
use candado::domain::settings::{Bounded, Settings};
use candado::flows::admin::LONGEST_OVERLAP;
use candado::flows::api_keys::{LONGEST_LIFE, MOST_KEYS};
use serde_json::Value;

/// `npm run openapi` sets `UPDATE_OPENAPI`, and then this writes the file.
#[test]
fn the_openapi_document_is_current() {
    hold(
        "docs/openapi.json",
        &(document().to_pretty_json().unwrap() + "\n"),
    );
}

#[test]
fn the_errors_guide_has_every_error() {
    let path = "docs/guides/errors.md";
    let kept = read(path);
    let (before, rest) = kept.split_once("<!-- errors -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /errors -->").unwrap();
    let table = error_table();
    hold(
        path,
        &format!("{before}<!-- errors -->\n{table}<!-- /errors -->{after}"),
    );
}

/// `documentation_url` of an error leads there.
#[test]
fn the_errors_guide_has_a_section_for_every_code() {
    let guide = read("docs/guides/errors.md");
    let codes: BTreeSet<&str> = error_table_codes(&guide).collect();
    assert!(codes.len() > 25, "{codes:?}");
    for code in codes {
        assert!(
            guide.contains(&format!("\n### `{code}`\n")),
            "docs/guides/errors.md has no section for {code}"
        );
    }
}

/// The second column of the table.
fn error_table_codes(guide: &str) -> impl Iterator<Item = &str> {
    guide.lines().filter_map(|line| {
        let (status, rest) = line.strip_prefix("| ")?.split_once(" | `")?;
        status.parse::<u16>().ok()?;
        Some(rest.split_once('`')?.0)
    })
}

#[test]
fn the_limits_guide_has_the_numbers_of_the_code() {
    fn bounds<const LEAST: u32, const DEFAULT: u32, const MOST: u32>(
        _: Bounded<LEAST, DEFAULT, MOST>,
    ) -> String {
        format!(" | {DEFAULT} | {LEAST} to {MOST} |")
    }
    let guide = read("docs/guides/limits.md");
    let settings = Settings::default();
    for (begins, says) in [
        ("| Access token", format!(" {ACCESS_TOKEN_LIFETIME} s")),
        (
            "| [API key]",
            format!("1 to {LONGEST_LIFE} days; {MOST_KEYS} for a client"),
        ),
        ("| Enrolment", format!(" {PENDING_LIFETIME} s")),
        (
            "| Code by SMS",
            format!(" {} s", Purpose::Verify.lifetime()),
        ),
        (
            "| Recovery message",
            format!(" {} s", Purpose::Recovery.lifetime()),
        ),
        ("| Recovery codes", format!(" {CODES_PER_SET} in a set")),
        ("| Both secrets", format!(" {LONGEST_OVERLAP} s")),
        ("| Body", format!(" {BODY_LIMIT} bytes")),
        ("| `cooldown_seconds`", bounds(settings.cooldown_seconds)),
        (
            "| `sends_per_ten_minutes`",
            bounds(settings.sends_per_ten_minutes),
        ),
        ("| `sends_per_day`", bounds(settings.sends_per_day)),
        (
            "| `sms_per_prefix_and_hour`",
            bounds(settings.sms_per_prefix_and_hour),
        ),
        ("| `daily_sms_budget`", bounds(settings.daily_sms_budget)),
        (
            "| `daily_email_budget`",
            bounds(settings.daily_email_budget),
        ),
        ("| `max_accounts`", bounds(settings.max_accounts)),
        (
            "| `registrations_per_minute`",
            bounds(settings.registrations_per_minute),
        ),
        (
            "| `generated_codes_per_minute`",
            bounds(settings.generated_codes_per_minute),
        ),
        (
            "| Wrong codes in a row before",
            format!(" | {FREE_TRIES} |"),
        ),
        ("| First lock", format!(" | {FIRST_DELAY} s |")),
        ("| Each further wrong", format!(" {LONGEST_DELAY} s")),
        ("| Wrong codes in 24 hours", format!(" | {DAILY_TRIES},")),
        (
            "| Wrong codes in a row until",
            format!(" | {LIFETIME_TRIES} |"),
        ),
    ] {
        let row = guide
            .lines()
            .find(|line| line.starts_with(begins))
            .unwrap_or_default();
        assert!(
            row.contains(&says),
            "docs/guides/limits.md should say {says:?} of {begins:?}: {row}"
        );
    }
}

#[test]
fn the_guide_to_api_keys_has_the_pattern_and_every_routes_scope() {
    let guide = read("docs/guides/api-keys.md");
    assert!(guide.contains(&format!("\n{PATTERN}\n")));
    assert!(guide.contains(&format!("at most {MOST_KEYS} keys")));
    let document = serde_json::to_value(document()).unwrap();
    for (path, method, operation) in operations(&document) {
        let securities = operation["security"].as_array().into_iter().flatten();
        for scope in securities.filter_map(|one| one["apiKey"][0].as_str()) {
            let row = guide
                .lines()
                .find(|line| line.starts_with(&format!("| `{scope}` |")));
            let row = row.unwrap_or_default();
            assert!(
                row.contains(path),
                "{method} {path} is of the scope {scope}"
            );
        }
    }
}

/// The file is as `current`; or is made so, where that is asked for.
fn hold(path: &str, current: &str) {
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        return fs::write(full(path), current).unwrap();
    }
    let kept = read(path);
    let mut lines = kept.lines().zip(current.lines()).enumerate();
    if let Some((number, (kept, current))) = lines.find(|(_, (kept, current))| kept != current) {
        panic!(
            "{path} is not what the code says: run `npm run openapi`.\n\
             line {}: {kept}\n should be: {current}",
            number + 1
        );
    }
    assert!(
        kept == current,
        "{path} is not what the code says: run `npm run openapi`."
    );
}

fn read(path: &str) -> String {
    fs::read_to_string(full(path)).unwrap_or_default()
}

fn full(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_operation_has_what_a_client_needs_of_it() {
    let document = serde_json::to_value(document()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{name}"
        );
        assert!(
            operation["summary"].is_string() && operation["tags"].is_array(),
            "{name}"
        );
        if let Some(contents) = operation["requestBody"]["content"].as_object() {
            assert!(
                contents
                    .values()
                    .all(|content| content["examples"].is_object()),
                "{name}"
            );
        }
        let success = operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(status, _)| status.starts_with('2'));
        let (status, success) = success.unwrap();
        let json = &success["content"]["application/json"];
        assert!(
            status == "204" || path.starts_with("/qrcode") || json["examples"].is_object(),
            "{name}"
        );
    }
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
}
