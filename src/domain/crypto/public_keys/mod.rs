//! Public keys and their signatures, checked for everything that WebCrypto and ring judge differently. What
//! passes here means the same on both platforms; neither sees anything else.

mod der;
mod ed25519;
mod p256;
mod rsa;

use self::der::raw_ecdsa_signature;
pub use self::ed25519::Ed25519Key;
pub use self::p256::P256Point;
pub use self::rsa::RsaModulus;

/// A signature algorithm, by its name in JOSE (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
}

impl Algorithm {
    /// Those we take, in the order in which an authenticator is to choose.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// Its number in the IANA registry "COSE Algorithms".
    pub const fn cose(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }
}

/// A key that verifies signatures. Its algorithm is part of it, so no message can name another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA with P-256 and SHA-256.
    Es256(P256Point),
    Ed25519(Ed25519Key),
    /// RSASSA-PKCS1-v1_5 with SHA-256 and the exponent 65537.
    Rs256(RsaModulus),
}

impl PublicKey {
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// A signature as the platforms verify it, out of the form X.509 and WebAuthn send it in (WebAuthn §6.5.5).
    /// `None` if no signature of this key has that form.
    pub fn raw_signature(&self, sent: &[u8]) -> Option<Vec<u8>> {
        let length = match self {
            Self::Es256(_) => return raw_ecdsa_signature(sent).map(|raw| raw.to_vec()),
            Self::Ed25519(_) => 64,
            Self::Rs256(modulus) => modulus.as_bytes().len(),
        };
        (sent.len() == length).then(|| sent.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_the_numbers_of_cose() {
        // In the order in which WebAuthn Level 3 §5.4 proposes them.
        assert_eq!(Algorithm::ALL.map(Algorithm::cose), [-8, -7, -257]);
    }
}
