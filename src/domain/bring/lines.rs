//! Formats of one record a line.

use super::google;
use super::{Brought, FileError, Reason, Record, algorithm, base32, digits, number, period};
use crate::domain::codes::import::ImportedUrl;

/// Lines that say something, with their numbers. `#` begins a comment.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = text
        .lines()
        .zip(1..)
        .map(|(line, place)| (place, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// `otpauth://` addresses, and those of Google Authenticator, which hold several accounts. A user id and a comma may stand
/// before one; else the account of its label is the user.
pub(super) fn otpauth(text: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for (place, line) in lines(text) {
        let start = line.find("otpauth").unwrap_or(0);
        let (user, address) = line.split_at_checked(start).unwrap_or(("", line));
        let user = user.trim_end_matches([',', ' ', '\t']);
        if !address.starts_with(google::SCHEME) {
            let read = otpauth_line(user, address);
            records.push(Record { place, read });
            continue;
        }
        match google::read(address) {
            Err(reason) => records.push(Record {
                place,
                read: Err(reason),
            }),
            Ok(accounts) => {
                let alone = accounts.len() == 1;
                for read in accounts {
                    let read = read.map(|mut brought| {
                        if alone && !user.is_empty() {
                            user.clone_into(&mut brought.user);
                        }
                        brought
                    });
                    records.push(Record { place, read });
                }
            }
        }
    }
    records
}

fn otpauth_line(user: &str, address: &str) -> Result<Brought, Reason> {
    if address.starts_with("otpauth://hotp/") {
        return Err(Reason::Type("hotp".to_owned()));
    }
    let url = ImportedUrl::try_from(address.to_owned());
    let url = url.map_err(|_| {
        Reason::Other("it is no otpauth://totp/ address with a secret of 16 to 64 bytes")
    })?;
    let label = address.strip_prefix("otpauth://totp/").unwrap_or_default();
    let label = label.split('?').next().unwrap_or_default();
    let label = percent_encoding::percent_decode_str(label).decode_utf8_lossy();
    // "issuer:account"; a colon may be escaped, which was undone above.
    let account = label
        .split_once(':')
        .map_or(&*label, |(_, account)| account);
    let user = if user.is_empty() {
        account.trim()
    } else {
        user
    };
    let mut brought = Brought::new(user, url.secret.as_bytes().to_vec())?;
    brought.parameters = url.parameters;
    Ok(brought)
}

/// privacyIDEA's: `serial, seed, type, digits, period`, from the third on as it likes. What has no user is called by its
/// serial, which a map then makes a user of.
pub(super) fn oath_csv(text: &str) -> Vec<Record> {
    let read = |(place, line)| Record {
        place,
        read: oath_line(line),
    };
    lines(text).map(read).collect()
}

fn oath_line(line: &str) -> Result<Brought, Reason> {
    let mut fields = line.split(',').map(str::trim);
    let serial = fields.next().unwrap_or_default();
    let seed = fields.next().ok_or(Reason::Missing("seed"))?;
    let kind = fields
        .next()
        .filter(|kind| !kind.is_empty())
        .unwrap_or("hotp");
    if !kind.eq_ignore_ascii_case("totp") {
        return Err(Reason::Type(kind.to_ascii_lowercase()));
    }
    let secret = hex::decode(seed).map_err(|_| Reason::Secret("hexadecimal"))?;
    // As privacyIDEA has it: a seed as long as a SHA-256 is for that.
    let by_length = if secret.len() == 32 { "SHA256" } else { "SHA1" };
    let mut brought = Brought::new(serial, secret)?;
    if let Some(text) = fields.next().filter(|text| !text.is_empty()) {
        brought.parameters.digits = digits(number(text, "number of digits")?)?;
    }
    if let Some(text) = fields.next().filter(|text| !text.is_empty()) {
        brought.parameters.period = period(number(text, "period")?)?;
    }
    let hash = fields.next().filter(|text| !text.is_empty());
    brought.parameters.algorithm = algorithm(hash.unwrap_or(by_length))?;
    Ok(brought)
}

/// Columns under names: `user_id` (or `username`), `secret`, and if there are `algorithm`, `digits`, `period`, `phone`,
/// `email`.
pub(super) fn csv(text: &str) -> Result<Vec<Record>, FileError> {
    let mut lines = lines(text);
    let (_, head) = lines
        .next()
        .ok_or_else(|| FileError("it is empty".to_owned()))?;
    let names = fields_of(head).map_err(|reason| FileError(reason.to_string()))?;
    let place_of = |wanted: &[&str]| {
        let is = |name: &String| {
            wanted
                .iter()
                .any(|wanted| name.trim().eq_ignore_ascii_case(wanted))
        };
        names.iter().position(is)
    };
    let missing = |name: &str| FileError(format!("its first line names no column {name}"));
    let columns = Columns {
        user: place_of(&["user_id", "username", "user"]).ok_or_else(|| missing("user_id"))?,
        secret: place_of(&["secret"]).ok_or_else(|| missing("secret"))?,
        algorithm: place_of(&["algorithm"]),
        digits: place_of(&["digits"]),
        period: place_of(&["period"]),
        phone: place_of(&["phone"]),
        email: place_of(&["email"]),
    };
    let read = |(place, line)| Record {
        place,
        read: fields_of(line).and_then(|fields| columns.read(&fields)),
    };
    Ok(lines.map(read).collect())
}

struct Columns {
    user: usize,
    secret: usize,
    algorithm: Option<usize>,
    digits: Option<usize>,
    period: Option<usize>,
    phone: Option<usize>,
    email: Option<usize>,
}

impl Columns {
    fn read(&self, fields: &[String]) -> Result<Brought, Reason> {
        let at = |place: Option<usize>| {
            let field = place.and_then(|place| fields.get(place));
            field
                .map(|field| field.trim())
                .filter(|field| !field.is_empty())
        };
        let secret = at(Some(self.secret)).ok_or(Reason::Missing("secret"))?;
        let mut brought = Brought::new(at(Some(self.user)).unwrap_or_default(), base32(secret)?)?;
        if let Some(text) = at(self.algorithm) {
            brought.parameters.algorithm = algorithm(text)?;
        }
        if let Some(text) = at(self.digits) {
            brought.parameters.digits = digits(number(text, "number of digits")?)?;
        }
        if let Some(text) = at(self.period) {
            brought.parameters.period = period(number(text, "period")?)?;
        }
        brought.phone = at(self.phone).map(str::to_owned);
        brought.email = at(self.email).map(str::to_owned);
        Ok(brought)
    }
}

/// The fields of one line of CSV (RFC 4180). A field does not go over its line.
fn fields_of(line: &str) -> Result<Vec<String>, Reason> {
    let mut fields = vec![String::new()];
    let (mut characters, mut quoted) = (line.chars().peekable(), false);
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => push(&mut fields, other),
        }
    }
    if quoted {
        return Err(Reason::Other("a quotation mark is not closed"));
    }
    Ok(fields)
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}

/// Authelia's three: `storage user totp export` as YAML, `csv` and `uri`.
pub(super) fn authelia(text: &str) -> Result<Vec<Record>, FileError> {
    let first = lines(text).next().map_or("", |(_, line)| line);
    if first.starts_with("otpauth") {
        return Ok(otpauth(text));
    }
    if lines(text).any(|(_, line)| line == "totp_configurations:") {
        return Ok(authelia_yaml(text));
    }
    csv(text)
}

/// A list of flat mappings, as Authelia writes it: `- name: value`, then `name: value`.
fn authelia_yaml(text: &str) -> Vec<Record> {
    let mut records: Vec<(usize, Vec<(String, String)>)> = Vec::new();
    for (place, line) in lines(text) {
        let (begins, line) = match line.strip_prefix("- ") {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if begins {
            records.push((place, Vec::new()));
        }
        if let Some((_, fields)) = records.last_mut() {
            let value = value.trim().trim_matches(['"', '\'']);
            fields.push((name.trim().to_owned(), value.to_owned()));
        }
    }
    let read = |(place, fields): (usize, Vec<(String, String)>)| Record {
        place,
        read: authelia_record(&fields),
    };
    records.into_iter().map(read).collect()
}

fn authelia_record(fields: &[(String, String)]) -> Result<Brought, Reason> {
    use base64::Engine as _;
    let of = |name: &'static str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field
            .map(|(_, value)| value.as_str())
            .ok_or(Reason::Missing(name))
    };
    // Base64 of the base32 that the database has.
    let text = base64::engine::general_purpose::STANDARD.decode(of("secret")?);
    let text = text.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let secret = base32(&text.ok_or(Reason::Secret("base64 of base32"))?)?;
    let mut brought = Brought::new(of("username")?, secret)?;
    brought.parameters.algorithm = algorithm(of("algorithm")?)?;
    brought.parameters.digits = digits(number(of("digits")?, "number of digits")?)?;
    brought.parameters.period = period(number(of("period")?, "period")?)?;
    Ok(brought)
}
