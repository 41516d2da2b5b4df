//! The cookie that remembers how this browser got in last: it makes the page begin with that way, and proves
//! nothing. Whose entry is whose only this service can tell.

use crate::domain::crypto::digest;
use crate::domain::method::Method;
use crate::flows::asked::Asked;

/// Users of one browser, the latest.
const MOST: usize = 8;
const BETWEEN: char = '~';

/// How this browser got in last, for this user.
pub(super) fn last<'a>(cookie: Option<&'a str>, asked: &Asked) -> Option<&'a str> {
    // Under each key of the ring: the cookie outlives a rotation.
    let keys = asked.app().keys();
    let names: Vec<String> = keys
        .iter()
        .map(|set| name(&set.pseudonyms, asked))
        .collect();
    entries(cookie).find_map(|(whose, way)| names.iter().any(|name| name == whose).then_some(way))
}

/// The cookie after this user got in by `method`.
pub(super) fn after(cookie: Option<&str>, asked: &Asked, method: Method) -> String {
    let own = name(&asked.app().keys().current().pseudonyms, asked);
    let others = entries(cookie).filter(|(whose, _)| **whose != *own);
    let others = others.map(|(whose, way)| format!("{whose}.{way}"));
    let all = [format!("{own}.{}", super::view::method_name(method))]
        .into_iter()
        .chain(others);
    all.take(MOST)
        .collect::<Vec<_>>()
        .join(&BETWEEN.to_string())
}

/// What is no entry is left out: anybody may write a cookie.
fn entries(cookie: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let entries = cookie.unwrap_or_default().split(BETWEEN);
    entries
        .filter_map(|entry| entry.split_once('.'))
        .filter(|(whose, way)| {
            let hex = whose.len() == 24 && whose.bytes().all(|byte| byte.is_ascii_hexdigit());
            hex && matches!(
                *way,
                "totp" | "passkey" | "push" | "sms" | "email" | "recovery_code"
            )
        })
        .take(MOST)
}

fn name(key: &[u8; 32], asked: &Asked) -> String {
    let (client, user) = (asked.owner.client.as_str(), asked.owner.user.as_str());
    let digest = digest::keyed(key, &[b"ways", client.as_bytes(), user.as_bytes()]);
    digest.as_hex().get(..24).unwrap_or_default().to_owned()
}
