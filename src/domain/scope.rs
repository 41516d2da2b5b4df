//! What an API key may ask for: the parts of the contract a key is limited to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One part of the contract. Every endpoint for clients names the one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To have codes judged.
    Verify,
    /// To have messages sent to the users' own numbers and addresses.
    Send,
    /// To bind authenticators and make recovery codes, which shows their secrets.
    Enrol,
    /// To change what is known of a user, to take MFA off, to be given a code for a user.
    Manage,
    /// To read what a user has set up.
    Read,
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::Verify,
        Self::Send,
        Self::Enrol,
        Self::Manage,
        Self::Read,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Send => "send",
            Self::Enrol => "enrol",
            Self::Manage => "manage",
            Self::Read => "read",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at least one of verify, send, enrol, manage and read, each once")]
pub struct ScopesError;

/// The scopes of one key: at least one, in the order of `Scope::ALL`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scope>")]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// From the text `to_string` makes. What it does not know allows nothing.
    pub fn from_stored(text: &str) -> Self {
        let named = |scope: &Scope| text.split(' ').any(|name| name == scope.name());
        Self(Scope::ALL.into_iter().filter(named).collect())
    }
}

impl TryFrom<Vec<Scope>> for Scopes {
    type Error = ScopesError;

    fn try_from(mut scopes: Vec<Scope>) -> Result<Self, ScopesError> {
        let given = scopes.len();
        scopes.sort_unstable();
        scopes.dedup();
        (!scopes.is_empty() && scopes.len() == given)
            .then_some(Self(scopes))
            .ok_or(ScopesError)
    }
}

/// As OAuth writes a list of scopes (RFC 6749 §3.3).
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|scope| scope.name()).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_at_least_one_scope_and_each_once() {
        let scopes = |scopes: &[Scope]| Scopes::try_from(scopes.to_vec());
        assert_eq!(scopes(&[]), Err(ScopesError));
        assert_eq!(scopes(&[Scope::Read, Scope::Read]), Err(ScopesError));
        let some = scopes(&[Scope::Read, Scope::Verify]).unwrap();
        assert_eq!(some.to_string(), "verify read");
        assert_eq!(Scopes::from_stored("verify read"), some);
    }

    #[test]
    fn a_stored_scope_nobody_knows_allows_nothing() {
        let scopes = Scopes::from_stored("verify2 everything *");
        assert!(Scope::ALL.into_iter().all(|scope| !scopes.allow(scope)));
    }
}
