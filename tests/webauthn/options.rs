//! What browsers are asked with.

use candado::domain::webauthn::options::{CreationOptions, RequestOptions, User};
use candado::domain::webauthn::{Base64Url, Credential, RelyingParty, UserVerification};
use serde_json::json;

use crate::ceremonies::{origins, party};

fn credential(id: &str) -> Credential {
    serde_json::from_value(json!({
        "id": id,
        "key": "pAEBAycgBiFYINdamAGCsQq31Uv-08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
        "sign_count": 0,
        "uv_initialized": true,
        "backup_eligible": false,
        "backed_up": false,
        "transports": ["usb", "nfc"],
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "attestation": "none",
    }))
    .unwrap()
}

fn user() -> User<'static> {
    User {
        handle: Base64Url(vec![0xfb, 0xff, 0xfe]),
        name: "ann@example.org",
        display_name: "Ann",
    }
}

#[test]
fn a_credential_is_asked_for_as_the_standard_writes_it() {
    let origins = origins();
    let party: RelyingParty<'_> = party(&origins, UserVerification::Preferred);
    let existing = [credential("AQID")];
    let options = CreationOptions::new(&party, "Shop", user(), &[0xff, 0xef], 300, &existing);
    let expected = json!({
        "rp": {"id": "example.org", "name": "Shop"},
        "user": {"id": "-__-", "name": "ann@example.org", "displayName": "Ann"},
        "challenge": "_-8",
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -8},
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -257},
        ],
        "timeout": 300_000,
        "excludeCredentials": [{"type": "public-key", "id": "AQID", "transports": ["nfc", "usb"]}],
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"},
        "attestation": "none",
    });
    assert_eq!(json!(options), expected);
}

#[test]
fn an_assertion_is_asked_for_as_the_standard_writes_it() {
    let origins = origins();
    let allowed = [credential("AQID"), credential("BAUG")];
    let party = party(&origins, UserVerification::Required);
    let options = RequestOptions::new(&party, &[0xff, 0xef], 60, &allowed);
    let expected = json!({
        "challenge": "_-8",
        "timeout": 60_000,
        "rpId": "example.org",
        "allowCredentials": [
            {"type": "public-key", "id": "AQID", "transports": ["nfc", "usb"]},
            {"type": "public-key", "id": "BAUG", "transports": ["nfc", "usb"]},
        ],
        "userVerification": "required",
    });
    assert_eq!(json!(options), expected);
}

#[test]
fn user_verification_is_written_as_browsers_read_it() {
    let wanted = [
        UserVerification::Required,
        UserVerification::Preferred,
        UserVerification::Discouraged,
    ];
    assert_eq!(
        json!(wanted),
        json!(["required", "preferred", "discouraged"])
    );
}
