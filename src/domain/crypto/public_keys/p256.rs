//! Whether two numbers are a point of P-256 (SP 800-186 §3.2.1.3). The arithmetic is slow and not of constant time:
//! public keys are public, and one is looked at when it is registered or read back.

/// A point of P-256 other than the one at infinity, as `4 ‖ x ‖ y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct P256Point([u8; 65]);

impl P256Point {
    /// `None` for coordinates of another length than 32 bytes, above the field, or off the curve.
    pub fn new(x: &[u8], y: &[u8]) -> Option<Self> {
        let (x, y): (&[u8; 32], &[u8; 32]) = (x.try_into().ok()?, y.try_into().ok()?);
        is_on_curve(Number::read(x)?, Number::read(y)?).then(|| {
            let mut point = [4; 65];
            point[1..33].copy_from_slice(x);
            point[33..].copy_from_slice(y);
            Self(point)
        })
    }

    /// Uncompressed (SEC 1 §2.3.3), the one form that every platform takes and none takes for another.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    pub fn x(&self) -> &[u8] {
        &self.0[1..33]
    }

    pub fn y(&self) -> &[u8] {
        &self.0[33..]
    }
}

/// y² = x³ - 3x + b, with the subtraction brought to the other side.
fn is_on_curve(x: Number, y: Number) -> bool {
    let left = y.times(y).plus(x).plus(x).plus(x);
    let right = x.times(x).times(x).plus(B);
    left == right
}

/// A number below p, in four parts, the least significant first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number([u64; 4]);

/// 2^256 - 2^224 + 2^192 + 2^96 - 1.
const P: [u64; 4] = [
    0xffff_ffff_ffff_ffff,
    0x0000_0000_ffff_ffff,
    0x0000_0000_0000_0000,
    0xffff_ffff_0000_0001,
];

const B: Number = Number([
    0x3bce_3c3e_27d2_604b,
    0x651d_06b0_cc53_b0f6,
    0xb3eb_bd55_7698_86bc,
    0x5ac6_35d8_aa3a_93e7,
]);

impl Number {
    /// `None` from p on.
    fn read(bytes: &[u8; 32]) -> Option<Self> {
        let mut parts = [0; 4];
        for (part, bytes) in parts.iter_mut().rev().zip(bytes.as_chunks().0) {
            *part = u64::from_be_bytes(*bytes);
        }
        let (_, below) = minus_p(parts);
        below.then_some(Self(parts))
    }

    fn plus(self, other: Self) -> Self {
        let mut sum = [0; 4];
        let mut carry = false;
        for (to, (a, b)) in sum.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            (*to, carry) = a.carrying_add(b, carry);
        }
        // Two numbers below p are below 2p together: p is taken away once at most.
        let (rest, below) = minus_p(sum);
        Self(if carry || !below { rest } else { sum })
    }

    /// Doubles for every bit of `other`, and adds for those that are set.
    fn times(self, other: Self) -> Self {
        let mut product = Self([0; 4]);
        for part in other.0.into_iter().rev() {
            for bit in (0..64).rev() {
                product = product.plus(product);
                if part >> bit & 1 == 1 {
                    product = product.plus(self);
                }
            }
        }
        product
    }
}

/// The difference, and whether it is below zero.
fn minus_p(parts: [u64; 4]) -> ([u64; 4], bool) {
    let mut difference = [0; 4];
    let mut borrow = false;
    for (to, (a, p)) in difference.iter_mut().zip(parts.into_iter().zip(P)) {
        (*to, borrow) = a.borrowing_sub(p, borrow);
    }
    (difference, borrow)
}

#[cfg(test)]
mod tests {
    use p256::SecretKey;
    use p256::elliptic_curve::sec1::ToSec1Point;
    use proptest::prelude::*;

    use super::*;

    fn coordinates(scalar: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
        let key = SecretKey::from_slice(scalar).unwrap();
        let point = key.public_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        ((*x).into(), (*y).into())
    }

    fn bytes(hex: &str) -> [u8; 32] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_generator_is_on_the_curve() {
        let x = bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = bytes("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        let point = P256Point::new(&x, &y).unwrap();
        assert_eq!(point.as_bytes()[0], 4);
        assert_eq!((point.x(), point.y()), (x.as_slice(), y.as_slice()));
        assert_eq!(P256Point::new(&y, &x), None);
    }

    #[test]
    fn zero_and_the_field_itself_are_told_apart() {
        // x = 0 has the y whose square is b; x = p is the same number in another writing.
        let y = bytes("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
        let p = bytes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
        assert!(P256Point::new(&[0; 32], &y).is_some());
        assert_eq!(P256Point::new(&p, &y), None);
        assert_eq!(P256Point::new(&[0; 32], &[0; 32]), None);
        assert_eq!(P256Point::new(&y, &p), None);
        assert_eq!(P256Point::new(&[0xff; 32], &[0xff; 32]), None);
    }

    #[test]
    fn coordinates_are_32_bytes() {
        let (x, y) = coordinates(&[7; 32]);
        assert!(P256Point::new(&x, &y).is_some());
        for (x, y) in [
            (&x[1..], &y[..]),
            (&x[..], &y[..31]),
            (&[], &y[..]),
            (&x[..], &[]),
        ] {
            assert_eq!(P256Point::new(x, y), None);
        }
        let longer = [&[0], x.as_slice()].concat();
        assert_eq!(P256Point::new(&longer, &y), None);
    }

    proptest! {
        #[test]
        fn a_point_is_a_point_and_its_neighbours_are_none(
            scalar in prop::array::uniform32(1_u8..), bit in 0_usize..256
        ) {
            let (x, y) = coordinates(&scalar);
            prop_assert!(P256Point::new(&x, &y).is_some());
            let mut other = y;
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(P256Point::new(&x, &other), None);
        }

        #[test]
        fn the_p256_crate_says_the_same_of_any_x(x in any::<[u8; 32]>()) {
            let compressed = [&[2], x.as_slice()].concat();
            let y: Option<[u8; 32]> = p256::PublicKey::from_sec1_bytes(&compressed)
                .ok()
                .map(|key| (*key.to_sec1_point(false).y().unwrap()).into());
            if let Some(y) = y {
                prop_assert!(P256Point::new(&x, &y).is_some());
            } else {
                // Of an x without a point, no y makes one.
                prop_assert_eq!(P256Point::new(&x, &x), None);
            }
        }
    }
}
