//! What stands in the places of a mail.

use serde_json::Value as Json;

use super::moment::Moment;
use super::{About, Look};
use crate::domain::time::UnixTime;

struct Value {
    name: &'static str,
    text: String,
    /// Whether a person chose it: then no program may make a link of it.
    chosen: bool,
}

pub(super) struct Values(Vec<Value>);

impl Values {
    pub(super) fn of(words: &Json, look: Look<'_>, about: &About<'_>) -> Self {
        let mut values = Self(Vec::new());
        values.put("app", look.app);
        let initial = look.app.chars().next().unwrap_or_default();
        values.put("initial", &initial.to_uppercase().collect::<String>());
        values.put_moment(words, ("date", "time"), about.at);
        if let Some(at) = about.opens_at {
            values.put_moment(words, ("opens_date", "opens_time"), at);
        }
        if let Some(minutes) = about.minutes {
            let number = if minutes == 1 { "one" } else { "other" };
            let template = word(words, &format!("/minutes/{number}"));
            values.put("minutes", &fill(template, &[("n", &minutes.to_string())]));
        }
        for (name, text) in [
            ("code", about.code),
            ("url", about.url),
            ("stop_url", about.stop_url),
            ("destination", about.destination),
            ("support", look.support),
        ] {
            if let Some(text) = text {
                values.put(name, text);
            }
        }
        values.put_chosen(words, about);
        values
    }

    fn put_chosen(&mut self, words: &Json, about: &About<'_>) {
        let way = about.way.zip(about.name).map(|(way, name)| {
            let template = word(words, &format!("/way/{way}"));
            fill(template, &[("name", name)])
        });
        for (name, text) in [
            ("browser", about.browser.map(str::to_owned)),
            ("name", about.name.map(str::to_owned)),
            ("way", way),
            ("ways", list(words, about.ways)),
        ] {
            if let Some(text) = text {
                self.0.push(Value {
                    name,
                    text: one_line(&text),
                    chosen: true,
                });
            }
        }
    }

    fn put(&mut self, name: &'static str, text: &str) {
        self.0.push(Value {
            name,
            text: one_line(text),
            chosen: false,
        });
    }

    fn put_moment(&mut self, words: &Json, names: (&'static str, &'static str), at: UnixTime) {
        let Moment {
            year,
            month,
            day,
            hour,
            minute,
        } = Moment::of(at);
        let month = word(words, &format!("/months/{month}"));
        let (day, year) = (day.to_string(), year.to_string());
        let date = [("day", day.as_str()), ("month", month), ("year", &year)];
        self.put(names.0, &fill(word(words, "/date"), &date));
        let number = if hour == 1 { "one" } else { "other" };
        let template = word(words, &format!("/time/{number}"));
        let (hour, minute) = (hour.to_string(), format!("{minute:02}"));
        let time = [("hour", hour.as_str()), ("minute", &minute)];
        self.put(names.1, &fill(template, &time));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|value| value.name == name)
    }

    fn find(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|value| value.name == name)
    }

    /// As it is, in one line.
    pub(super) fn plain(&self, name: &str) -> String {
        self.find(name)
            .map_or_else(String::new, |value| value.text.clone())
    }

    pub(super) fn as_text(&self, name: &str) -> String {
        self.find(name).map_or_else(String::new, |value| {
            if value.chosen {
                inert(&value.text)
            } else {
                value.text.clone()
            }
        })
    }

    pub(super) fn as_html(&self, name: &str) -> String {
        self.find(name).map_or_else(String::new, |value| {
            if value.chosen {
                format!("<bdi>{}</bdi>", escape(&inert(&value.text)))
            } else {
                escape(&value.text)
            }
        })
    }
}

/// A sentence of the language's file.
pub(super) fn word<'a>(words: &'a Json, pointer: &str) -> &'a str {
    words
        .pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

fn fill(template: &str, values: &[(&str, &str)]) -> String {
    places(template, &|name| {
        let found = values.iter().find(|(other, _)| *other == name);
        found.map_or_else(String::new, |(_, text)| (*text).to_owned())
    })
}

/// Names, the last of them behind the language's "and".
fn list(words: &Json, names: &[String]) -> Option<String> {
    let (last, before) = names.split_last()?;
    if before.is_empty() {
        return Some(last.clone());
    }
    let before = before.join(", ");
    let values = [("before", before.as_str()), ("last", last)];
    Some(fill(word(words, "/and"), &values))
}

/// A template with its places filled, in one pass: what a value holds is never looked at for places.
pub(super) fn places(template: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let place = after.split_once('}').filter(|(name, _)| is_name(name));
        if let Some((name, behind)) = place {
            filled.push_str(&value(name));
            rest = behind;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// The names of a sentence's places.
pub(super) fn names(template: &str) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    places(template, &|name| {
        found.borrow_mut().push(name.to_owned());
        String::new()
    });
    found.into_inner()
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(allowed)
}

/// What would end a line begins no header and no line of somebody else's.
fn one_line(text: &str) -> String {
    let ends =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    let mut line = String::with_capacity(text.len());
    let mut ended = false;
    for character in text.chars() {
        if ends(character) {
            ended = true;
            continue;
        }
        if std::mem::take(&mut ended) {
            line.push(' ');
        }
        line.push(character);
    }
    line.trim().to_owned()
}

/// U+200C, which is not seen, after what mail programs know an address by.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in text.chars() {
        inert.push(character);
        if matches!(character, '.' | ':' | '/' | '@') {
            inert.push('\u{200c}');
        }
    }
    inert
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '&' | '<' | '>' | '"' | '\'') {
            escaped.push_str("&#");
            escaped.push_str(&u32::from(character).to_string());
            escaped.push(';');
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_begins_a_line() {
        for (text, line) in [
            ("a\r\nBcc: b", "a Bcc: b"),
            ("\n\na\u{2028}\u{2029}b\n", "a b"),
            ("a\tb", "a b"),
            ("a", "a"),
            ("\0", ""),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn places_are_filled_once_and_other_braces_are_text() {
        let value = |name: &str| format!("<{{{name}}}>");
        assert_eq!(
            places("a { b {x} {no place} {", &value),
            "a { b <{x}> {no place} {"
        );
        assert_eq!(names("{a} {b c} {d}"), ["a", "d"]);
    }
}
