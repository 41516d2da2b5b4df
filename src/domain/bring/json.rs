//! Formats that are JSON: Keycloak's realm, Auth0's users, better-auth's table of second factors.

use serde_json::Value;

use super::{Brought, FileError, Reason, Record, algorithm, base32, digits, period};

/// One value, or a value a line.
fn values(text: &str) -> Result<Vec<Value>, FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = serde_json::Deserializer::from_slice(text.as_bytes()).into_iter::<Value>();
    let values: Result<Vec<Value>, _> = read.collect();
    values.map_err(|error| FileError(error.to_string()))
}

/// The items of the one list there is, or one a line.
fn items(text: &str) -> Result<Vec<Value>, FileError> {
    let mut values = values(text)?;
    match (values.len(), values.first_mut()) {
        (1, Some(Value::Array(items))) => Ok(std::mem::take(items)),
        _ => Ok(values),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let text = value.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let items = value.get(name).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

fn numbered<T>(
    items: impl IntoIterator<Item = T>,
    read: impl Fn(T) -> Result<Brought, Reason>,
) -> Vec<Record> {
    let items = items.into_iter().zip(1..);
    let record = |(item, place)| Record {
        place,
        read: read(item),
    };
    items.map(record).collect()
}

/// A realm with its users, one of several realms, or a file of users. A user without an app is no record.
pub(super) fn keycloak(source: &str) -> Result<Vec<Record>, FileError> {
    let realms = items(source)?;
    let users: Vec<&Value> = realms
        .iter()
        .flat_map(|realm| list(realm, "users"))
        .collect();
    if users.is_empty() {
        return Err(FileError(
            "there is no list \"users\" with anybody in it".to_owned(),
        ));
    }
    let mut records = Vec::new();
    for (user, place) in users.into_iter().zip(1..) {
        let apps = list(user, "credentials")
            .iter()
            .filter(|credential| text(credential, "type") == Some("otp"));
        for credential in apps {
            let read = keycloak_app(user, credential);
            records.push(Record { place, read });
        }
    }
    Ok(records)
}

fn keycloak_app(user: &Value, credential: &Value) -> Result<Brought, Reason> {
    // Both are text that holds JSON.
    let inner = |name: &'static str| {
        let text = text(credential, name).ok_or(Reason::Missing(name))?;
        serde_json::from_slice::<Value>(text.as_bytes()).map_err(|_| Reason::Missing(name))
    };
    let (secret, data) = (inner("secretData")?, inner("credentialData")?);
    let kind = text(&data, "subType").unwrap_or("totp");
    if kind != "totp" {
        return Err(Reason::Type(kind.to_owned()));
    }
    let value = text(&secret, "value").ok_or(Reason::Missing("secretData.value"))?;
    // Keycloak's own are text whose bytes are the key; those that others made may be in base32.
    let secret = match text(&data, "secretEncoding") {
        Some(encoding) if encoding.eq_ignore_ascii_case("base32") => base32(value)?,
        _ => value.as_bytes().to_vec(),
    };
    let name = text(user, "username").or_else(|| text(user, "id"));
    let mut brought = Brought::new(name.unwrap_or_default(), secret)?;
    let parameters = &mut brought.parameters;
    if let Some(name) = text(&data, "algorithm") {
        parameters.algorithm = algorithm(name)?;
    }
    if let Some(number) = data.get("digits").and_then(Value::as_u64) {
        parameters.digits = digits(number)?;
    }
    if let Some(seconds) = data.get("period").and_then(Value::as_u64) {
        parameters.period = period(seconds)?;
    }
    brought.email = verified(user, "email", "emailVerified");
    Ok(brought)
}

/// An address that was verified; another would be a factor that somebody else may hold.
fn verified(user: &Value, name: &str, flag: &str) -> Option<String> {
    let is = user.get(flag).and_then(Value::as_bool) == Some(true);
    text(user, name).filter(|_| is).map(str::to_owned)
}

/// Users with `mfa_factors`, as Auth0's import takes and its support gives them.
pub(super) fn auth0(source: &str) -> Result<Vec<Record>, FileError> {
    let users = items(source)?;
    let mut records = Vec::new();
    for (user, place) in users.iter().zip(1..) {
        let factors = list(user, "mfa_factors");
        let apps = factors.iter().filter_map(|factor| factor.get("totp"));
        for app in apps {
            let read = auth0_app(user, factors, app);
            records.push(Record { place, read });
        }
    }
    if records.is_empty() {
        return Err(FileError(
            "nobody in it has mfa_factors with a totp".to_owned(),
        ));
    }
    Ok(records)
}

fn auth0_app(user: &Value, factors: &[Value], app: &Value) -> Result<Brought, Reason> {
    let secret = base32(text(app, "secret").ok_or(Reason::Missing("totp.secret"))?)?;
    let names = ["user_id", "_id", "username", "email"];
    let name = names.into_iter().find_map(|name| text(user, name));
    let mut brought = Brought::new(name.unwrap_or_default(), secret)?;
    let value = |kind: &str| {
        let factor = factors.iter().find_map(|factor| factor.get(kind))?;
        text(factor, "value").map(str::to_owned)
    };
    (brought.phone, brought.email) = (value("phone"), value("email"));
    Ok(brought)
}

/// Rows of better-auth's table `twoFactor`: `userId` and `secret`, which its `BETTER_AUTH_SECRET` encrypts.
pub(super) fn better_auth(source: &str, key: Option<&[u8]>) -> Result<Vec<Record>, FileError> {
    let rows = items(source)?;
    Ok(numbered(&rows, |row| {
        let secret = text(row, "secret").ok_or(Reason::Missing("secret"))?;
        let user = text(row, "userId").or_else(|| text(row, "user_id"));
        let key = key.ok_or(Reason::KeyNeeded)?;
        Brought::new(
            user.unwrap_or_default(),
            super::better_auth::open(secret, key)?,
        )
    }))
}
