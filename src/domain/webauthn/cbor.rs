//! The CTAP2 canonical form of CBOR (CTAP 2.1 §8, RFC 8949), read strictly: definite lengths, each number in its
//! shortest form, map keys sorted and each once, no tags and no floats. What is written in another way is refused,
//! so that no two readers can see two things in the same bytes.

use super::Malformed;

/// Attestation statements nest three deep, a `compound` one five.
const DEEPEST: u8 = 8;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;

/// Reads items from the front of some bytes.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Nothing may be left over.
    pub fn end(&self) -> Result<(), Malformed> {
        self.rest.is_empty().then_some(()).ok_or(Malformed)
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.head_of(BYTES)?;
        self.take(length)
    }

    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.head_of(TEXT)?;
        str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }

    /// An integer of at most 63 bits and its sign. No COSE parameter has more.
    pub fn integer(&mut self) -> Result<i64, Malformed> {
        let (major, argument) = self.head()?;
        let argument = i64::try_from(argument).map_err(|_| Malformed)?;
        match major {
            UNSIGNED => Ok(argument),
            NEGATIVE => Ok(-1 - argument),
            _ => Err(Malformed),
        }
    }

    /// The head of a map; answers how many pairs follow. Who reads them has to hold their order.
    pub fn map(&mut self) -> Result<u64, Malformed> {
        self.head_of(MAP)
    }

    /// The next item is this one, byte for byte: a key, or a value there is no choice of.
    pub fn expect(&mut self, encoded: &[u8]) -> Result<(), Malformed> {
        self.rest = self.rest.strip_prefix(encoded).ok_or(Malformed)?;
        Ok(())
    }

    /// Any one item, read to its end; answers its bytes.
    pub fn item(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest;
        self.skip(DEEPEST)?;
        let length = start.len() - self.rest.len();
        start.get(..length).ok_or(Malformed)
    }

    fn skip(&mut self, deeper: u8) -> Result<(), Malformed> {
        let (major, argument) = self.head()?;
        match major {
            UNSIGNED | NEGATIVE => Ok(()),
            BYTES => self.take(argument).map(drop),
            TEXT => str::from_utf8(self.take(argument)?)
                .map(drop)
                .map_err(|_| Malformed),
            ARRAY => {
                let deeper = deeper.checked_sub(1).ok_or(Malformed)?;
                (0..argument).try_for_each(|_| self.skip(deeper))
            }
            MAP => {
                let deeper = deeper.checked_sub(1).ok_or(Malformed)?;
                let mut previous: &[u8] = &[];
                for _ in 0..argument {
                    let key = self.key()?;
                    if key <= previous {
                        return Err(Malformed);
                    }
                    previous = key;
                    self.skip(deeper)?;
                }
                Ok(())
            }
            // false, true and null. As a float has to be the shortest too, none has one of these arguments.
            SIMPLE if (20..=22).contains(&argument) => Ok(()),
            _ => Err(Malformed),
        }
    }

    /// A map's key as it is encoded: a number or a text. CTAP2 sorts keys by type, length and bytes; with numbers and
    /// lengths in their shortest form that is the order of their bytes.
    fn key(&mut self) -> Result<&'a [u8], Malformed> {
        let is_key = self
            .rest
            .first()
            .is_some_and(|first| matches!(first >> 5, UNSIGNED | NEGATIVE | TEXT));
        if is_key { self.item() } else { Err(Malformed) }
    }

    fn head_of(&mut self, wanted: u8) -> Result<u64, Malformed> {
        let (major, argument) = self.head()?;
        (major == wanted).then_some(argument).ok_or(Malformed)
    }

    /// The type of the next item, and its value or length.
    fn head(&mut self) -> Result<(u8, u64), Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        let (argument, least) = match first & 0x1f {
            small @ 0..24 => (u64::from(small), 0),
            24 => (u64::from(u8::from_be_bytes(self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            // 31 would be an indefinite length; the rest means nothing.
            _ => return Err(Malformed),
        };
        (argument >= least)
            .then_some((first >> 5, argument))
            .ok_or(Malformed)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex.replace(' ', "")).unwrap()
    }

    /// Whether the bytes are one item in canonical form.
    fn is_item(hex: &str) -> bool {
        let bytes = bytes(hex);
        let mut reader = Reader::new(&bytes);
        reader.item().is_ok_and(|item| item == bytes) && reader.end().is_ok()
    }

    #[test]
    fn items_of_every_kind_are_read_to_their_end() {
        for item in [
            "00",
            "17",
            "18 18",
            "18 ff",
            "19 0100",
            "1a 00010000",
            "1b 0000000100000000",
            "1b ffffffffffffffff",
            "20",
            "38 18",
            "3b ffffffffffffffff",
            "40",
            "41 00",
            "60",
            "61 61",
            "62 c3a9",
            "80",
            "82 01 80",
            "a0",
            "a2 01 02 03 04",
            "a1 61 61 a1 20 f6",
            "f4",
            "f5",
            "f6",
        ] {
            assert!(is_item(item), "{item}");
        }
    }

    #[test]
    fn what_has_a_shorter_form_is_refused() {
        for item in [
            "18 17",
            "19 00ff",
            "1a 0000ffff",
            "1b 00000000ffffffff",
            "38 17",
            "39 00ff",
            "58 00",
            "58 01 00",
            "78 01 61",
            "98 00",
            "b8 00",
            "99 0001 00",
        ] {
            assert!(!is_item(item), "{item}");
        }
    }

    #[test]
    fn what_the_canonical_form_does_not_have_is_refused() {
        for (item, what) in [
            ("5f 41 00 ff", "bytes of indefinite length"),
            ("7f 61 61 ff", "text of indefinite length"),
            ("9f ff", "an array of indefinite length"),
            ("bf ff", "a map of indefinite length"),
            ("ff", "a break"),
            ("c0 00", "a tag"),
            ("d9 d9f7 00", "the tag of CBOR itself"),
            ("f7", "undefined"),
            ("e0", "an unknown simple value"),
            ("f8 20", "a simple value of two bytes"),
            ("f8 14", "false in two bytes"),
            ("f9 3c00", "a float of 16 bits"),
            ("f9 0014", "a float that looks like false"),
            ("fa 3f800000", "a float of 32 bits"),
            ("fb 3ff0000000000000", "a float of 64 bits"),
            ("1c", "a reserved length"),
            ("1e", "a reserved length"),
            ("61 ff", "text that is not UTF-8"),
            ("", "nothing"),
        ] {
            assert!(!is_item(item), "{what}");
        }
    }

    #[test]
    fn map_keys_are_sorted_each_once_and_numbers_or_texts() {
        for map in [
            "a2 01 00 20 00",
            "a2 17 00 18 18 00",
            "a2 20 00 60 00",
            "a2 61 7a 00 62 61 61 00",
            "a2 61 61 00 61 62 00",
        ] {
            assert!(is_item(map), "{map}");
        }
        for map in [
            "a2 01 00 01 00",
            "a2 02 00 01 00",
            "a2 20 00 01 00",
            "a2 18 18 00 17 00",
            "a2 62 61 61 00 61 7a 00",
            "a2 60 00 20 00",
            "a1 40 00",
            "a1 80 00",
            "a1 a0 00",
            "a1 f4 00",
        ] {
            assert!(!is_item(map), "{map}");
        }
    }

    #[test]
    fn what_is_cut_off_is_refused_at_any_place() {
        let whole = bytes("a2 01 82 43 010203 19 0100 63 616263 a1 20 f5");
        for length in 0..whole.len() {
            assert!(Reader::new(&whole[..length]).item().is_err(), "{length}");
        }
        let mut reader = Reader::new(&whole);
        assert_eq!(reader.item(), Ok(whole.as_slice()));
    }

    #[test]
    fn a_length_that_is_only_claimed_costs_nothing() {
        for item in [
            "5b 4000000000000000",
            "7b ffffffffffffffff",
            "9b ffffffffffffffff",
            "bb ffffffffffffffff 00",
        ] {
            assert!(!is_item(item), "{item}");
        }
    }

    #[test]
    fn items_nest_eight_deep() {
        for opening in ["81", "a1 00"] {
            assert!(
                is_item(&format!("{} 00", opening.repeat(8))),
                "8 of {opening}"
            );
            assert!(
                !is_item(&format!("{} 00", opening.repeat(9))),
                "9 of {opening}"
            );
        }
        assert!(!is_item(&"81".repeat(100_000)));
    }

    #[test]
    fn one_kind_is_not_read_as_another() {
        let one = bytes("01");
        assert_eq!(Reader::new(&one).integer(), Ok(1));
        assert_eq!(Reader::new(&one).bytes(), Err(Malformed));
        assert_eq!(Reader::new(&one).text(), Err(Malformed));
        assert_eq!(Reader::new(&one).map(), Err(Malformed));
        let text = bytes("61 61");
        assert_eq!(Reader::new(&text).text(), Ok("a"));
        assert_eq!(Reader::new(&text).bytes(), Err(Malformed));
        assert_eq!(Reader::new(&text).integer(), Err(Malformed));
        let string = bytes("41 61");
        assert_eq!(Reader::new(&string).bytes(), Ok(b"a".as_slice()));
        assert_eq!(Reader::new(&string).text(), Err(Malformed));
        assert_eq!(Reader::new(&bytes("61 ff")).text(), Err(Malformed));
        assert_eq!(Reader::new(&bytes("a3")).map(), Ok(3));
    }

    #[test]
    fn integers_have_63_bits_and_a_sign() {
        let read = |hex: &str| Reader::new(&bytes(hex)).integer();
        assert_eq!(read("39 0100"), Ok(-257));
        assert_eq!(read("20"), Ok(-1));
        assert_eq!(read("1b 7fffffffffffffff"), Ok(i64::MAX));
        assert_eq!(read("3b 7fffffffffffffff"), Ok(i64::MIN));
        assert_eq!(read("1b 8000000000000000"), Err(Malformed));
        assert_eq!(read("3b 8000000000000000"), Err(Malformed));
    }

    #[test]
    fn what_is_expected_is_passed_over_and_the_rest_is_known() {
        let given = bytes("01 02 03");
        let mut reader = Reader::new(&given);
        assert_eq!(reader.expect(&[2]), Err(Malformed));
        assert_eq!(reader.expect(&[1, 2]), Ok(()));
        assert_eq!(
            (reader.rest(), reader.end()),
            ([3].as_slice(), Err(Malformed))
        );
        assert_eq!(reader.item(), Ok([3].as_slice()));
        assert_eq!((reader.rest(), reader.end()), ([].as_slice(), Ok(())));
    }
}
