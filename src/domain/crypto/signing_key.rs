//! Keys that sign, derived from the key ring so that nothing new is stored and rotation is the ring's.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;

/// A private key for P-256: a number from 1 to n - 1, most significant byte first.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

/// n - 1, where n is the order of P-256 (SP 800-186 §3.2.1.3).
const N_MINUS_1: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x50,
];

impl SigningKey {
    /// The key for one purpose, by testing candidates (FIPS 186-5 A.2.2): HKDF gives them for `label` and a counter
    /// of four bytes. What is derived here may never change: the keys published under it would.
    pub fn derive(hkdf: &Hkdf<Sha256>, label: &str) -> Self {
        first_accepted(|counter| candidate(hkdf, label, counter))
    }

    /// `candidate` + 1, unless that is n or more. The comparison tells at most how many of the first bytes are those
    /// of n - 1.
    fn accept(mut candidate: [u8; 32]) -> Option<Self> {
        if candidate >= N_MINUS_1 {
            return None;
        }
        let mut carry = true;
        for byte in candidate.iter_mut().rev() {
            (*byte, carry) = byte.overflowing_add(u8::from(carry));
        }
        Some(Self(candidate))
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn candidate(hkdf: &Hkdf<Sha256>, label: &str, counter: u32) -> [u8; 32] {
    let mut candidate = [0; 32];
    let info = [label.as_bytes(), &counter.to_be_bytes()];
    // As in `keys`: 32 bytes always succeed (RFC 5869 §2.3).
    assert!(
        hkdf.expand_multi_info(&info, &mut candidate).is_ok(),
        "HKDF gives 32 bytes"
    );
    candidate
}

/// The first candidate that makes a key. A second one is needed once in 2^32 derivations.
fn first_accepted(candidate: impl Fn(u32) -> [u8; 32]) -> SigningKey {
    let mut counter = 0_u32;
    loop {
        if let Some(key) = SigningKey::accept(candidate(counter)) {
            return key;
        }
        counter = counter.wrapping_add(1);
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(hex: &str) -> [u8; 32] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    fn accepted(candidate: &str) -> Option<String> {
        SigningKey::accept(number(candidate)).map(|key| hex::encode(key.as_bytes()))
    }

    #[test]
    fn candidates_below_n_minus_1_are_raised_by_one_and_others_refused() {
        let n_minus_1 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
        let one = format!("{:064x}", 1);
        assert_eq!(accepted(&"0".repeat(64)), Some(one));
        let n_minus_2 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f";
        assert_eq!(accepted(n_minus_2).as_deref(), Some(n_minus_1));
        assert_eq!(accepted(n_minus_1), None);
        assert_eq!(accepted(&"f".repeat(64)), None);
        let carries = format!("01{}", "ff".repeat(31));
        assert_eq!(accepted(&carries), Some(format!("02{}", "00".repeat(31))));
    }

    #[test]
    fn candidates_are_tried_in_the_order_of_their_counter() {
        let key = first_accepted(|counter| match counter {
            0 | 1 => [0xff; 32],
            _ => [u8::try_from(counter).unwrap(); 32],
        });
        assert_eq!(
            hex::encode(key.as_bytes()),
            format!("{}03", "02".repeat(31))
        );
    }

    #[test]
    fn what_is_derived_stays_what_it_is() {
        // The master keys of the tests, as `keys` extracts them; the numbers are Python's (hmac, hashlib).
        let derive = |first: u8, label| {
            let mut master = [0; 32];
            for (byte, value) in master.iter_mut().zip(first..) {
                *byte = value;
            }
            let hkdf = Hkdf::<Sha256>::new(Some(b"candado/v1"), &master);
            hex::encode(SigningKey::derive(&hkdf, label).as_bytes())
        };
        assert_eq!(
            derive(0, "result tokens"),
            "7e7b8d88dd89ac76d31b387f7f3696523e7e6b4848f47751c5c8c8d2ed524270"
        );
        assert_eq!(
            derive(0, "vapid"),
            "1010e9448ab28d6b8d86e6c83d2bb8b67747a4e395a2df32a1d073e40b46447f"
        );
        assert_eq!(
            derive(32, "result tokens"),
            "e04be9da08354518f689029539b21de76c2918fa2751ddda5cef223144086995"
        );
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = SigningKey([0xab; 32]);
        assert_eq!(format!("{key:?}"), "SigningKey");
    }
}
