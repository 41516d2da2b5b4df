//! ECDSA signatures, from the form they are sent in to the one the platforms verify.

/// `r ‖ s`, 32 bytes each, of an `ECDSA-Sig-Value` for P-256 (RFC 3279 §2.2.3) in DER. `None` for anything else:
/// another length, a negative or padded number, bytes left over.
pub(super) fn raw_ecdsa_signature(der: &[u8]) -> Option<[u8; 64]> {
    // Two numbers of at most 33 bytes: no length here takes more than one byte.
    let [0x30, length, body @ ..] = der else {
        return None;
    };
    if usize::from(*length) != body.len() {
        return None;
    }
    let mut raw = [0; 64];
    let (r, s) = raw.split_at_mut(32);
    let rest = integer(body, r)?;
    let rest = integer(rest, s)?;
    rest.is_empty().then_some(raw)
}

/// Writes a positive INTEGER to the end of `number`, which is zero; answers what follows it.
fn integer<'a>(der: &'a [u8], number: &mut [u8]) -> Option<&'a [u8]> {
    let [0x02, length, rest @ ..] = der else {
        return None;
    };
    let (digits, rest) = rest.split_at_checked(usize::from(*length))?;
    let digits = match digits {
        // A zero byte stands only where a number would be negative without it.
        [0, digits @ ..] if digits.first() >= Some(&0x80) => digits,
        [1..=0x7f, ..] => digits,
        _ => return None,
    };
    let start = number.len().checked_sub(digits.len())?;
    number.get_mut(start..)?.copy_from_slice(digits);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(body: &[u8]) -> Vec<u8> {
        [&[0x30, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn number(digits: &[u8]) -> Vec<u8> {
        [&[0x02, u8::try_from(digits.len()).unwrap()], digits].concat()
    }

    fn read(r: &[u8], s: &[u8]) -> Option<(u8, u8, u8)> {
        let raw = raw_ecdsa_signature(&sequence(&[number(r), number(s)].concat()))?;
        Some((raw[0], raw[31], raw[63]))
    }

    #[test]
    fn numbers_of_any_length_end_where_they_should() {
        let mut full = [7; 33];
        full[..2].copy_from_slice(&[0, 0x80]);
        assert_eq!(read(&full[1..][..1], &[1]), None, "negative");
        assert_eq!(read(&full, &[1]), Some((0x80, 7, 1)));
        assert_eq!(read(&[1], &full), Some((0, 1, 7)));
        assert_eq!(read(&[0x7f; 32], &[0x7f]), Some((0x7f, 0x7f, 0x7f)));
        assert_eq!(read(&[0, 0xff], &[0, 0x80]), Some((0, 0xff, 0x80)));
    }

    #[test]
    fn a_signature_has_one_encoding() {
        let refused: [(&[u8], &str); 5] = [
            (&[0], "zero"),
            (&[0x80], "negative"),
            (&[0, 0x7f], "padded"),
            (&[], "empty"),
            (&[1; 33], "too long"),
        ];
        for (digits, why) in refused {
            assert_eq!(read(digits, &[1]), None, "r {why}");
            assert_eq!(read(&[1], digits), None, "s {why}");
        }
        let good = sequence(&[number(&[1]), number(&[2])].concat());
        assert!(raw_ecdsa_signature(&good).is_some());
        for length in 0..good.len() {
            assert_eq!(
                raw_ecdsa_signature(&good[..length]),
                None,
                "cut at {length}"
            );
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(raw_ecdsa_signature(&longer), None, "after the sequence");
        let left_over = sequence(&[number(&[1]), number(&[2]), vec![0]].concat());
        assert_eq!(raw_ecdsa_signature(&left_over), None, "in the sequence");
        for at in [0, 1, 2, 3, 5, 6] {
            let mut other = good.clone();
            other[at] ^= 1;
            assert_eq!(raw_ecdsa_signature(&other), None, "head at {at}");
        }
        let long_form = [&[0x30, 0x81, 6], &good[2..]].concat();
        assert_eq!(raw_ecdsa_signature(&long_form), None, "length in long form");
    }
}
