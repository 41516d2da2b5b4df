//! What the reader makes of CBOR in canonical form and out of it, with `ciborium` as second opinion.

use candado::domain::webauthn::cbor::Reader;
use candado_testkit::webauthn::cbor::Cbor;
use ciborium::Value as Opinion;
use proptest::prelude::*;

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
