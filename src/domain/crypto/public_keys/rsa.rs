//! RSA keys (RFC 8017), by their modulus.

/// An RSA modulus of 2048 to 4096 bits, most significant byte first. The exponent is 65537.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaModulus(Vec<u8>);

impl RsaModulus {
    /// The only exponent that is taken.
    pub const EXPONENT: [u8; 3] = [1, 0, 1];

    /// `None` for another size, leading zeros, or an even number: no product of two large primes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let sized = match bytes.len() {
            // 256 bytes hold numbers of 2041 bits too.
            256 => first >= 0x80,
            257..=512 => first != 0,
            _ => false,
        };
        let odd = bytes.last().is_some_and(|last| last & 1 == 1);
        (sized && odd).then(|| Self(bytes.to_vec()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many bytes, the first and the last of which are given.
    fn modulus(length: usize, first: u8, last: u8) -> Option<usize> {
        let mut bytes = vec![0xa5; length];
        bytes[0] = first;
        bytes[length - 1] = last;
        let key = RsaModulus::new(&bytes)?;
        assert_eq!(key.as_bytes(), bytes);
        Some(key.as_bytes().len())
    }

    #[test]
    fn an_rsa_key_has_2048_to_4096_bits() {
        assert_eq!(modulus(256, 0x80, 1), Some(256));
        assert_eq!(modulus(256, 0x7f, 1), None, "2047 bits");
        assert_eq!(modulus(255, 0xff, 1), None);
        assert_eq!(modulus(128, 0xff, 1), None);
        assert_eq!(modulus(257, 1, 1), Some(257), "2049 bits");
        assert_eq!(modulus(512, 0xff, 0xff), Some(512));
        assert_eq!(modulus(513, 1, 1), None);
        assert_eq!(RsaModulus::new(&[]), None);
    }

    #[test]
    fn an_rsa_key_has_no_leading_zero_and_is_odd() {
        assert_eq!(modulus(257, 0, 1), None);
        assert_eq!(modulus(384, 0, 1), None);
        assert_eq!(modulus(256, 0x80, 2), None);
    }
}
