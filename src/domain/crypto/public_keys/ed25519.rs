//! Keys of Ed25519 (RFC 8032), and which of them no signature of theirs would bind to a message.

/// The 32 bytes of an Ed25519 key (RFC 8032 §5.1.2). Whether they are a point of the curve shows when a signature is
/// verified: with bytes that are none, no signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ed25519Key([u8; 32]);

impl Ed25519Key {
    /// `None` for what is not 32 bytes, not the one encoding of its point, or of small order: for a key of small
    /// order there are signatures that hold for every message.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let key: [u8; 32] = bytes.try_into().ok()?;
        let mut y = key;
        // The top bit is the sign of x; the rest is y, least significant byte first.
        y[31] &= 0x7f;
        let canonical = y.iter().rev().lt(ED25519_P.iter().rev());
        let small_order = ED25519_SMALL_ORDER.contains(&y);
        (canonical && !small_order).then_some(Self(key))
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 2^255 - 19, least significant byte first.
const ED25519_P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// The y of the eight points whose order divides 8: of order 4, 1, 8, 8 and 2.
const ED25519_SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    {
        let mut minus_one = ED25519_P;
        minus_one[0] -= 1;
        minus_one
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ed25519_key_of_small_order_is_refused_in_every_writing() {
        // libsodium's list (ed25519_ref10.c, ge25519_has_small_order), least significant byte first.
        let list = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for hex in list {
            let mut key = hex::decode(hex).unwrap();
            assert_eq!(Ed25519Key::new(&key), None, "{hex}");
            key[31] |= 0x80;
            assert_eq!(Ed25519Key::new(&key), None, "{hex} with its sign");
        }
    }

    #[test]
    fn an_ed25519_key_has_one_writing_of_32_bytes() {
        let mut y = ED25519_P;
        for above in 0..19 {
            y[0] = 0xed + above;
            assert_eq!(Ed25519Key::new(&y), None, "p + {above}");
        }
        y[0] = 0xeb;
        assert_eq!(Ed25519Key::new(&y).unwrap().as_bytes(), &y, "p - 2");
        // RFC 8032 §7.1, test 1.
        let key = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let key = key.unwrap();
        assert_eq!(Ed25519Key::new(&key).unwrap().as_bytes(), key.as_slice());
        assert_eq!(Ed25519Key::new(&key[1..]), None);
        assert_eq!(Ed25519Key::new(&[&key[..], &[0]].concat()), None);
        assert_eq!(Ed25519Key::new(&[]), None);
    }
}
