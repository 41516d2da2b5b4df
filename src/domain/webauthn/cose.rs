//! Credential public keys: COSE keys (RFC 9052 §7, RFC 9053 §7, RFC 8230) with just the parameters that WebAuthn
//! §6.5.1 asks for. In the canonical order there is one way to write each.

use super::Malformed;
use super::base64url::Base64Url;
use super::cbor::Reader;
use crate::domain::crypto::public_keys::{Ed25519Key, P256Point, PublicKey, RsaModulus};

/// Up to x's bytes: {1 (kty): 2 (EC2), 3 (alg): -7 (ES256), -1 (crv): 1 (P-256), -2 (x): …, -3 (y): …}.
const ES256: [u8; 8] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
const Y: u8 = 0x22;
/// Up to x's bytes: {1 (kty): 1 (OKP), 3 (alg): -8 (EdDSA), -1 (crv): 6 (Ed25519), -2 (x): …}.
const ED25519: [u8; 8] = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21];
/// Up to n's bytes: {1 (kty): 3 (RSA), 3 (alg): -257 (RS256), -1 (n): …, -2 (e): …}.
const RS256: [u8; 8] = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20];
const E: u8 = 0x21;

/// Reads one key and leaves what follows it. Another type, curve, algorithm or size than those we take is refused.
pub fn read(reader: &mut Reader<'_>) -> Result<PublicKey, Malformed> {
    if reader.expect(&ES256).is_ok() {
        let x = reader.bytes()?;
        reader.expect(&[Y])?;
        let y = reader.bytes()?;
        P256Point::new(x, y).map(PublicKey::Es256)
    } else if reader.expect(&ED25519).is_ok() {
        Ed25519Key::new(reader.bytes()?).map(PublicKey::Ed25519)
    } else {
        reader.expect(&RS256)?;
        let modulus = reader.bytes()?;
        reader.expect(&[E])?;
        if reader.bytes()? != RsaModulus::EXPONENT {
            return Err(Malformed);
        }
        RsaModulus::new(modulus).map(PublicKey::Rs256)
    }
    .ok_or(Malformed)
}

/// The bytes that [`read`] reads as this key.
pub fn write(key: &PublicKey) -> Vec<u8> {
    // A byte string of 32 bytes, of 256 to 65535, and of 3.
    const STRING_32: [u8; 2] = [0x58, 32];
    const STRING_LONG: u8 = 0x59;
    const STRING_3: u8 = 0x43;
    match key {
        PublicKey::Es256(point) => {
            let (x, y) = (point.x(), point.y());
            [&ES256, &STRING_32[..], x, &[Y], &STRING_32, y].concat()
        }
        PublicKey::Ed25519(key) => [&ED25519, &STRING_32[..], key.as_bytes()].concat(),
        PublicKey::Rs256(modulus) => {
            let n = modulus.as_bytes();
            let [.., high, low] = n.len().to_be_bytes();
            [
                &RS256,
                &[STRING_LONG, high, low][..],
                n,
                &[E, STRING_3],
                &RsaModulus::EXPONENT,
            ]
            .concat()
        }
    }
}

/// A key as it is stored: its COSE form as text, checked again whenever it is read back.
pub(super) mod stored {
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::{Serialize, Serializer};

    use super::{Base64Url, PublicKey, Reader, read, write};

    pub(in super::super) fn serialize<S: Serializer>(
        key: &PublicKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Base64Url(write(key)).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PublicKey, D::Error> {
        let bytes = Base64Url::deserialize(deserializer)?;
        let mut reader = Reader::new(&bytes.0);
        read(&mut reader)
            .and_then(|key| reader.end().map(|()| key))
            .map_err(|_| D::Error::custom("not a COSE key that is taken"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d";
    const Y: &str = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c";

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex.replace(' ', "")).unwrap()
    }

    /// A whole key, and nothing after it.
    fn key(hex: &str) -> Option<PublicKey> {
        let bytes = bytes(hex);
        let mut reader = Reader::new(&bytes);
        let key = read(&mut reader).ok()?;
        reader.end().ok()?;
        assert_eq!(write(&key), bytes, "a key is written as it was read");
        Some(key)
    }

    #[test]
    fn the_keys_of_the_three_algorithms_are_read() {
        // The key in the example of RFC 9052 appendix C.7.1 ("meriadoc"), with alg and without kid.
        let es256 = key(&format!("a5 0102 0326 2001 21 5820 {X} 22 5820 {Y}")).unwrap();
        assert!(
            matches!(&es256, PublicKey::Es256(point) if hex::encode(point.as_bytes()) == format!("04{X}{Y}"))
        );
        let ed25519 = key(&format!("a4 0101 0327 2006 21 5820 {X}")).unwrap();
        assert!(matches!(&ed25519, PublicKey::Ed25519(key) if hex::encode(key.as_bytes()) == X));
        for length in [256_u16, 512] {
            let n = "ff".repeat(length.into());
            let rs256 = key(&format!(
                "a4 0103 03390100 20 59 {length:04x} {n} 21 43 010001"
            ))
            .unwrap();
            assert!(
                matches!(&rs256, PublicKey::Rs256(modulus) if hex::encode(modulus.as_bytes()) == n)
            );
        }
    }

    #[test]
    fn what_follows_a_key_is_left() {
        let bytes = bytes(&format!("a4 0101 0327 2006 21 5820 {X} a0"));
        let mut reader = Reader::new(&bytes);
        assert!(read(&mut reader).is_ok());
        assert_eq!(reader.rest(), [0xa0]);
    }

    fn refused<const N: usize>(keys: [(String, &str); N]) {
        for (hex, what) in keys {
            assert_eq!(key(&hex), None, "{what}");
        }
    }

    #[test]
    fn other_keys_of_elliptic_curves_are_refused() {
        refused([
            (
                format!("a5 0102 0327 2001 21 5820 {X} 22 5820 {Y}"),
                "EdDSA with a key for ECDSA",
            ),
            (
                format!("a5 0102 033822 2002 21 5820 {X} 22 5820 {Y}"),
                "ES384",
            ),
            (
                format!("a5 0102 0326 2002 21 5820 {X} 22 5820 {Y}"),
                "P-384",
            ),
            (
                format!("a5 0102 03382e 2008 21 5820 {X} 22 5820 {Y}"),
                "ES256K",
            ),
            (
                format!("a5 0102 0326 2001 21 5820 {X} 22 f5"),
                "a compressed point",
            ),
            (
                format!("a5 0102 0326 2001 21 5820 {Y} 22 5820 {X}"),
                "off the curve",
            ),
            (
                format!("a5 0102 0326 2001 21 5821 00{X} 22 5820 {Y}"),
                "a longer x",
            ),
            (
                format!("a5 0102 0326 2001 22 5820 {Y} 21 5820 {X}"),
                "y before x",
            ),
            (
                format!("a5 0326 0102 2001 21 5820 {X} 22 5820 {Y}"),
                "alg before kty",
            ),
            (format!("a4 0102 2001 21 5820 {X} 22 5820 {Y}"), "no alg"),
            (
                format!("a6 0102 0326 0481 02 2001 21 5820 {X} 22 5820 {Y}"),
                "key operations",
            ),
            (
                format!("a5 0102 0326 2001 21 5820 {X} 21 5820 {Y}"),
                "x twice",
            ),
            (
                format!("a5 0102 0326 2001 21 7820 {X} 22 5820 {Y}"),
                "x as a text",
            ),
            (
                format!("a5 180102 0326 2001 21 5820 {X} 22 5820 {Y}"),
                "a longer form",
            ),
            (
                format!("bf 0102 0326 2001 21 5820 {X} 22 5820 {Y} ff"),
                "of indefinite length",
            ),
        ]);
    }

    #[test]
    fn other_keys_of_edwards_curves_are_refused() {
        refused([
            (format!("a4 0101 0327 2007 21 5820 {X}"), "Ed448"),
            (
                format!("a4 0101 033835 2007 21 5820 {X}"),
                "Ed448 by its new number",
            ),
            (format!("a4 0101 0327 2004 21 5820 {X}"), "X25519"),
            (
                format!("a4 0101 0326 2006 21 5820 {X}"),
                "ES256 with a key for EdDSA",
            ),
            (format!("a4 0101 0327 2006 21 581f {}", &X[2..]), "31 bytes"),
            (
                format!("a4 0101 0327 2006 21 5820 01{}", "00".repeat(31)),
                "of small order",
            ),
        ]);
    }

    #[test]
    fn other_keys_of_rsa_are_refused() {
        let n = "ff".repeat(256);
        let short = "ff".repeat(255);
        let long = "ff".repeat(513);
        refused([
            (
                format!("a4 0103 033824 20 59 0100 {n} 21 43 010001"),
                "PS256",
            ),
            (
                format!("a4 0103 0339fffe 20 59 0100 {n} 21 43 010001"),
                "RS1",
            ),
            (
                format!("a4 0103 03390100 20 59 0100 {n} 21 41 03"),
                "the exponent 3",
            ),
            (
                format!("a4 0103 03390100 20 59 0100 {n} 21 44 00010001"),
                "an exponent with a leading zero",
            ),
            (
                format!("a4 0103 03390100 20 58 ff {short} 21 43 010001"),
                "2040 bits",
            ),
            (
                format!("a4 0103 03390100 20 59 0201 {long} 21 43 010001"),
                "4104 bits",
            ),
            (
                format!("a4 0103 03390100 20 59 0101 00{n} 21 43 010001"),
                "a leading zero",
            ),
        ]);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        refused([
            (String::new(), "nothing"),
            ("a0".to_owned(), "an empty map"),
        ]);
    }

    #[test]
    fn a_key_that_is_cut_off_is_refused() {
        let n = "ff".repeat(256);
        for whole in [
            format!("a5 0102 0326 2001 21 5820 {X} 22 5820 {Y}"),
            format!("a4 0101 0327 2006 21 5820 {X}"),
            format!("a4 0103 03390100 20 59 0100 {n} 21 43 010001"),
        ] {
            let whole = bytes(&whole);
            for length in 0..whole.len() {
                assert!(
                    read(&mut Reader::new(&whole[..length])).is_err(),
                    "{length}"
                );
            }
        }
    }
}
