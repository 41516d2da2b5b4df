//! Every input the fuzz targets keep, through the same functions as the fuzzer calls.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect is to fail"
)]

use std::fs;
use std::path::Path;

use candado_testkit::targets;

/// Replays one corpus; an empty or missing one is a mistake.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        target(&fs::read(path).unwrap());
        replayed += 1;
    }
    target(b"");
    assert!(replayed >= 5, "{replayed} inputs in {}", folder.display());
}

#[test]
fn atk_82_requests_of_the_corpus_are_answered_and_change_no_factor() {
    replay("requests", targets::requests);
}

#[test]
fn tok_10_tokens_of_the_corpus_are_refused_unless_they_are_ours() {
    replay("tokens", targets::tokens);
}

#[test]
fn cry_06_sealed_texts_of_the_corpus_open_whole_or_not_at_all() {
    replay("sealed_text", targets::sealed_text);
}

#[test]
fn enr_11_imported_secrets_of_the_corpus_are_long_enough_or_refused() {
    replay("imported_secrets", targets::imported_secrets);
}

#[test]
fn enr_11_files_of_other_products_in_the_corpus_bring_no_short_secret_along() {
    replay("brought_files", targets::brought_files);
}

#[test]
fn rec_09_codes_of_the_corpus_mean_what_they_say() {
    replay("codes", targets::codes);
}

#[test]
fn rel_04_stored_accounts_of_the_corpus_verify_nothing_they_should_not() {
    replay("stored_accounts", targets::stored_accounts);
}

#[test]
fn cbor_of_the_corpus_has_one_form_or_is_refused() {
    replay("webauthn_cbor", targets::webauthn::cbor);
}

#[test]
fn cose_keys_of_the_corpus_have_one_form_or_are_refused() {
    replay("webauthn_cose_keys", targets::webauthn::cose_keys);
}

#[test]
fn authenticator_data_of_the_corpus_are_read_to_their_end_or_refused() {
    replay(
        "webauthn_authenticator_data",
        targets::webauthn::authenticator_data,
    );
}

#[test]
fn client_data_of_the_corpus_pass_only_with_what_was_asked_for() {
    replay("webauthn_client_data", targets::webauthn::client_data);
}
