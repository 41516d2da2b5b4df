//! A writer of CBOR that is not the product's, in canonical form or out of it; and what the reader makes of it,
//! with `ciborium` as second opinion.

use candado::domain::webauthn::cbor::Reader;
use ciborium::Value as Opinion;
use proptest::prelude::*;

/// What CTAP2's canonical form has, and bytes that are written as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cbor {
    /// With the value -1 - n.
    Negative(u64),
    Unsigned(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Cbor>),
    /// In the order in which it is written.
    Map(Vec<(Cbor, Cbor)>),
    Bool(bool),
    Null,
}

impl From<i64> for Cbor {
    fn from(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Unsigned(number),
            Err(_) => Self::Negative(u64::try_from(-1 - number).unwrap()),
        }
    }
}

impl From<&str> for Cbor {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Cbor {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl Cbor {
    pub(crate) fn map<K: Into<Self>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Map(entries.map(|(key, value)| (key.into(), value)).collect())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, shortest);
        bytes
    }

    /// With every number and length `extra` sizes larger than it need be.
    fn encode_long(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, |major, argument| {
            [&[(major << 5) + 27], &argument.to_be_bytes()[..]].concat()
        });
        bytes
    }

    fn write(&self, to: &mut Vec<u8>, head: fn(u8, u64) -> Vec<u8>) {
        let length = |length: usize| u64::try_from(length).unwrap();
        match self {
            Self::Unsigned(number) => to.extend(head(0, *number)),
            Self::Negative(number) => to.extend(head(1, *number)),
            Self::Bytes(bytes) => {
                to.extend(head(2, length(bytes.len())));
                to.extend(bytes);
            }
            Self::Text(text) => {
                to.extend(head(3, length(text.len())));
                to.extend(text.as_bytes());
            }
            Self::Array(items) => {
                to.extend(head(4, length(items.len())));
                for item in items {
                    item.write(to, head);
                }
            }
            Self::Map(entries) => {
                to.extend(head(5, length(entries.len())));
                for (key, value) in entries {
                    key.write(to, head);
                    value.write(to, head);
                }
            }
            Self::Bool(truth) => to.push(0xf4 + u8::from(*truth)),
            Self::Null => to.push(0xf6),
        }
    }

    /// As CTAP2 sorts map keys: by type, then length, then bytes; and each once.
    fn sorted(self) -> Self {
        match self {
            Self::Array(items) => Self::Array(items.into_iter().map(Self::sorted).collect()),
            Self::Map(entries) => {
                let order = |key: &Self| {
                    let bytes = key.encode();
                    (bytes[0] >> 5, bytes.len(), bytes)
                };
                let mut entries: Vec<_> = entries
                    .into_iter()
                    .map(|(key, value)| (key, value.sorted()))
                    .collect();
                entries.sort_by_key(|(key, _)| order(key));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                Self::Map(entries)
            }
            other => other,
        }
    }
}

fn shortest(major: u8, argument: u64) -> Vec<u8> {
    let head = |info: u8, bytes: &[u8]| [&[(major << 5) + info], bytes].concat();
    if let Ok(small) = u8::try_from(argument) {
        return match small {
            0..24 => head(small, &[]),
            _ => head(24, &[small]),
        };
    }
    match (u16::try_from(argument), u32::try_from(argument)) {
        (Ok(number), _) => head(25, &number.to_be_bytes()),
        (_, Ok(number)) => head(26, &number.to_be_bytes()),
        _ => head(27, &argument.to_be_bytes()),
    }
}

/// Numbers of every size.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

fn key() -> impl Strategy<Value = Cbor> {
    prop_oneof![
        number().prop_map(Cbor::Unsigned),
        number().prop_map(Cbor::Negative),
        "[a-z\u{e9}]{0,30}".prop_map(Cbor::Text),
    ]
}

fn any_value() -> impl Strategy<Value = Cbor> {
    let leaf = prop_oneof![
        key(),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Cbor::Bytes),
        any::<bool>().prop_map(Cbor::Bool),
        Just(Cbor::Null),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Cbor::Array),
            prop::collection::vec((key(), inner), 0..5).prop_map(Cbor::Map),
        ]
    })
}

/// Whether the bytes are one item to the product's reader.
fn is_canonical(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    reader.item() == Ok(bytes) && reader.end().is_ok()
}

/// What ciborium writes of what it reads: canonical, as long as the order of the maps is.
fn rewritten(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let value: Opinion = ciborium::from_reader(&mut rest).ok()?;
    let mut again = Vec::new();
    ciborium::into_writer(&value, &mut again).ok()?;
    rest.is_empty().then_some(again)
}

proptest! {
    #[test]
    fn what_is_written_in_canonical_form_is_read_by_both(value in any_value()) {
        let bytes = value.sorted().encode();
        prop_assert!(is_canonical(&bytes));
        prop_assert_eq!(rewritten(&bytes), Some(bytes));
    }

    #[test]
    fn a_map_whose_keys_are_not_sorted_is_refused(value in any_value()) {
        let (as_it_is, sorted) = (value.encode(), value.sorted().encode());
        prop_assert_eq!(is_canonical(&as_it_is), as_it_is == sorted);
    }

    #[test]
    fn a_length_in_a_longer_form_is_refused(value in any_value()) {
        let value = value.sorted();
        let long = value.encode_long();
        prop_assert_eq!(is_canonical(&long), long == value.encode());
        prop_assert!(rewritten(&long).is_some(), "which ciborium takes");
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused(value in any_value(), more in 1_u8.., at in any::<prop::sample::Index>()) {
        let bytes = value.sorted().encode();
        prop_assert!(!is_canonical(&bytes[..at.index(bytes.len())]));
        prop_assert!(!is_canonical(&[&bytes[..], &[more]].concat()));
    }

    #[test]
    fn ciborium_writes_whatever_is_taken_in_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        if is_canonical(&bytes) {
            prop_assert_eq!(rewritten(&bytes), Some(bytes));
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_value_in_canonical_form(
        value in any_value(), at in any::<prop::sample::Index>(), change in 1_u8..
    ) {
        let mut bytes = value.sorted().encode();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        if is_canonical(&bytes) {
            prop_assert_eq!(rewritten(&bytes), Some(bytes));
        }
    }
}
