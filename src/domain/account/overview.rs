//! What is held about a user, for the operator to see and to hand over: no secret, and nothing a secret could be
//! guessed from.

use serde::Serialize;
use serde_json::Value;

use super::Account;
use crate::domain::method::Class;
use crate::domain::time::UnixTime;

/// What was counted against one class of codes.
#[derive(Debug, Clone, Serialize)]
pub struct CountView {
    pub class: Class,
    /// In a row.
    pub failures: u32,
    pub failures_in_24_hours: usize,
    pub locked_until: Option<UnixTime>,
}

/// Longer text in a stored account is sealed, or a digest.
const LONGEST_PLAIN: usize = 40;

impl Account {
    /// What was counted, for each class.
    pub fn count_views(&self, now: UnixTime) -> Vec<CountView> {
        let view = |class| {
            let counter = self.counters.of(class);
            CountView {
                class,
                failures: counter.failures(),
                failures_in_24_hours: counter.failures_of_a_day(now),
                locked_until: self.locks(now).of(class),
            }
        };
        Class::ALL.into_iter().map(view).collect()
    }

    /// Everything that is stored, but what is sealed and digests.
    pub fn without_secrets(&self) -> Result<Value, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        leave_secrets_out(&mut value);
        Ok(value)
    }
}

fn leave_secrets_out(value: &mut Value) {
    let is_secret = |value: &Value| {
        let long = value
            .as_str()
            .is_some_and(|text| text.len() > LONGEST_PLAIN);
        long || value.as_str().is_some_and(|text| text.starts_with("v1."))
    };
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_secret(value));
            fields.values_mut().for_each(leave_secrets_out);
        }
        Value::Array(items) => {
            items.retain(|value| !is_secret(value));
            items.iter_mut().for_each(leave_secrets_out);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sealed_and_digests_are_left_out_at_every_depth() {
        let mut value = json!({
            "format": 2,
            "phone": {"sealed": "v1.k1.AAAA", "set_at": 7},
            "recovery": {"digests": ["a".repeat(64), "b".repeat(64)], "made_at": 9},
            "factors": [{"id": "0".repeat(32), "secret": "v1.k1.x", "state": "active"}],
        });
        leave_secrets_out(&mut value);
        let expected = json!({
            "format": 2,
            "phone": {"set_at": 7},
            "recovery": {"digests": [], "made_at": 9},
            "factors": [{"id": "0".repeat(32), "state": "active"}],
        });
        assert_eq!(value, expected);
    }
}
