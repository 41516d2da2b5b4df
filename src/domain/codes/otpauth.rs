//! The `otpauth://` URI an authenticator app scans (Key URI format).

use base32::Alphabet::Rfc4648;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::codes::totp::Parameters;

/// All but RFC 3986's unreserved characters: a space is `%20`, never `+`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The base32 text of a secret, as people type it into an app: upper case, no padding.
pub fn base32(secret: &[u8]) -> String {
    base32::encode(Rfc4648 { padding: false }, secret)
}

/// The URI. `issuer` and `account` may hold any text; a colon would end the issuer early for every
/// reader, encoded or not, so it becomes a space (ENR-06).
pub fn uri(issuer: &str, account: &str, secret: &[u8], parameters: &Parameters) -> String {
    let part = |text: &str| utf8_percent_encode(&text.replace(':', " "), RESERVED).to_string();
    let (issuer, account) = (part(issuer), part(account));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm={}&digits={}&period={}",
        base32(secret),
        parameters.algorithm.name(),
        parameters.digits.get(),
        parameters.period.seconds(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// Reads a URI as an app would, with the parser of the `url` crate.
    fn read(uri: &str) -> (String, String, HashMap<String, String>) {
        let uri = Url::parse(uri).unwrap();
        assert_eq!((uri.scheme(), uri.host_str()), ("otpauth", Some("totp")));
        let label = percent_encoding::percent_decode_str(uri.path().trim_start_matches('/'))
            .decode_utf8()
            .unwrap();
        let (issuer, account) = label.split_once(':').unwrap();
        (
            issuer.to_owned(),
            account.to_owned(),
            uri.query_pairs().into_owned().collect(),
        )
    }

    #[test]
    fn enr_06_names_with_special_characters_survive_an_independent_parser() {
        for (issuer, account) in [
            ("ACME & Co", "a+b@x.io"),
            ("Zoë", "100%"),
            ("a/b?c#d", "=&;"),
            ("🔐 Vault", "ann 🙂"),
            ("Shop", "user123"),
        ] {
            let uri = uri(
                issuer,
                account,
                b"12345678901234567890",
                &Parameters::default(),
            );
            assert!(!uri.contains('+'), "{uri}");
            let (read_issuer, read_account, query) = read(&uri);
            assert_eq!(
                (read_issuer.as_str(), read_account.as_str()),
                (issuer, account)
            );
            assert_eq!(query["issuer"], issuer);
            assert_eq!(query["secret"], "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
            assert_eq!(
                (
                    query["algorithm"].as_str(),
                    query["digits"].as_str(),
                    query["period"].as_str()
                ),
                ("SHA1", "6", "30")
            );
        }
    }

    #[test]
    fn a_colon_in_a_name_cannot_move_the_border_between_issuer_and_account() {
        let (issuer, account, _) = read(&uri("A:B", "c:d", &[0; 20], &Parameters::default()));
        assert_eq!((issuer.as_str(), account.as_str()), ("A B", "c d"));
    }

    proptest! {
        #[test]
        fn any_names_and_secret_round_trip(issuer in "[^:]{1,20}", account in "[^:]{1,20}", secret: [u8; 20]) {
            let (read_issuer, read_account, query) = read(&uri(&issuer, &account, &secret, &Parameters::default()));
            prop_assert_eq!(read_issuer, issuer);
            prop_assert_eq!(read_account, account);
            prop_assert_eq!(base32::decode(Rfc4648 { padding: false }, &query["secret"]).unwrap(), secret);
        }
    }
}
