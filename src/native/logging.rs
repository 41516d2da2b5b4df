//! Log lines to standard error, where systemd and containers look for them.

use std::env;
use std::io::Write;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::de::IgnoredAny;
use serde_json::json;

use super::cli::milliseconds;

static LOGGER: OnceLock<StandardError> = OnceLock::new();

struct StandardError {
    /// Every line is an object, with its time and level. Otherwise a line is what was said.
    json: bool,
}

impl Log for StandardError {
    /// What this crate says, and nothing of the libraries below it: they know no rule about secrets.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info && metadata.target().starts_with("candado")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let said = record.args().to_string();
            let line = if self.json {
                object(&said, record.level(), milliseconds())
            } else {
                said.replace(['\n', '\r'], " ")
            };
            // Nobody is left to be told that the log cannot be written.
            let _ = std::io::stderr().write_all((line + "\n").as_bytes());
        }
    }

    fn flush(&self) {}
}

/// One line of JSON. What was said becomes its `message`; an object, such as a request's line, becomes part of it.
fn object(said: &str, level: Level, milliseconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(milliseconds);
    let time = humantime::format_rfc3339_millis(time);
    let level = level.as_str().to_ascii_lowercase();
    let is_object = |fields: &str| {
        let one_line = !said.contains(['\n', '\r']);
        fields != "}" && one_line && serde_json::from_str::<IgnoredAny>(said).is_ok()
    };
    match said.strip_prefix('{') {
        Some(fields) if is_object(fields) => {
            format!(r#"{{"time":"{time}","level":"{level}",{fields}"#)
        }
        _ => json!({"time": time.to_string(), "level": level, "message": said}).to_string(),
    }
}

/// `LOG_FORMAT` counts from the first line on, that about a wrong variable included.
pub(super) fn init() {
    let json = env::var_os("LOG_FORMAT").is_some_and(|format| format == "json");
    // Set once a process; a second time would mean that it is set already.
    let _ = log::set_logger(LOGGER.get_or_init(|| StandardError { json }));
    log::set_max_level(LevelFilter::Info);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(said: &str) -> Value {
        let line = object(said, Level::Warn, 1_760_000_000_123);
        assert!(!line.contains('\n'), "{line:?}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_is_an_object_with_its_time_and_level() {
        let line = read("a message was not sent: no answer in time");
        let expected = json!({
            "time": "2025-10-09T08:53:20.123Z",
            "level": "warn",
            "message": "a message was not sent: no answer in time",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn what_is_an_object_already_gets_both_beside_its_fields() {
        let line = read(r#"{"route":"/auth","status":200}"#);
        assert_eq!(line["route"], "/auth");
        assert_eq!(line["status"], 200);
        assert_eq!(line["level"], "warn");
    }

    #[test]
    fn log_04_what_looks_like_an_object_and_is_none_breaks_no_line() {
        for said in [
            "{",
            "{no: \"json\"}\n{\"level\":\"info\"}",
            "{}",
            "{\n\"a\": 1}",
            "a\r\nb",
            "\u{0}",
        ] {
            assert_eq!(read(said)["message"], said);
        }
    }
}
