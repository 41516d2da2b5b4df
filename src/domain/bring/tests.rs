//! Each format as its product writes it, and what none of them may bring along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const SECRET: &[u8] = b"12345678901234567890";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HEX: &str = "3132333435363738393031323334353637383930";

/// What was read, for people: place, user and parameters, or why not.
fn told(format: Format, text: &str, key: Option<&[u8]>) -> Vec<String> {
    let records = read(format, text, key).unwrap();
    let told = |record: &Record| match &record.read {
        Ok(brought) => {
            assert_eq!(brought.secret, SECRET, "{}", record.place);
            let Parameters {
                algorithm,
                digits,
                period,
            } = brought.parameters;
            let digits = serde_json::to_string(&digits).unwrap();
            let contact = [&brought.phone, &brought.email].map(|it| it.as_deref().unwrap_or("-"));
            format!(
                "{} {} {} {digits} {} {}",
                record.place,
                brought.user,
                algorithm.name(),
                period.seconds(),
                contact.join(" ")
            )
        }
        Err(reason) => format!("{} {reason}", record.place),
    };
    records.iter().map(told).collect()
}

fn message(fields: &[(u8, &[u8])], numbers: &[(u8, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (field, value) in fields {
        bytes.extend([field << 3 | 2, u8::try_from(value.len()).unwrap()]);
        bytes.extend(*value);
    }
    for (field, number) in numbers {
        bytes.extend([field << 3, *number]);
    }
    bytes
}

fn migration(accounts: &[Vec<u8>]) -> String {
    let fields: Vec<(u8, &[u8])> = accounts
        .iter()
        .map(|account| (1, account.as_slice()))
        .collect();
    let payload = message(&fields, &[(2, 1), (3, 1)]);
    let data: String =
        form_urlencoded::byte_serialize(STANDARD.encode(payload).as_bytes()).collect();
    format!("otpauth-migration://offline?data={data}")
}

#[test]
fn google_authenticators_export_is_read_with_every_account_of_it() {
    let ann = message(
        &[(1, SECRET), (2, b"Shop:ann"), (3, b"Shop")],
        &[(4, 1), (5, 1), (6, 2)],
    );
    let bob = message(&[(1, SECRET), (2, b"bob")], &[(4, 3), (5, 2), (6, 2)]);
    let hotp = message(&[(1, SECRET), (2, b"eve")], &[(6, 1), (7, 9)]);
    let md5 = message(&[(1, SECRET), (2, b"mia")], &[(4, 4), (6, 2)]);
    let text = migration(&[ann.clone(), bob, hotp, md5]);
    let parameter = Reason::Parameter("algorithm").to_string();
    let expected = [
        "1 ann SHA1 6 30 - -".to_owned(),
        "1 bob SHA512 8 30 - -".to_owned(),
        "1 it is of the type hotp; only totp can be brought along".to_owned(),
        format!("1 {parameter}"),
    ];
    assert_eq!(told(Format::Otpauth, &text, None), expected);
    let named = format!("# comment\nuser-7,{}", migration(&[ann]));
    assert_eq!(
        told(Format::Otpauth, &named, None),
        ["2 user-7 SHA1 6 30 - -"]
    );
    let (cut, _) = text.split_at(text.len() - 24);
    assert!(told(Format::Otpauth, cut, None)[0].contains("its data is"));
}

#[test]
fn addresses_are_read_one_a_line_and_a_user_id_may_stand_before() {
    let text = format!(
        "otpauth://totp/Shop:ann?secret={BASE32}&issuer=Shop\n\n\
         user-7,otpauth://totp/x%3Abob?secret={BASE32}&digits=8&period=60&algorithm=SHA256\n\
         otpauth://totp/Shop%3Aeve%40mail.example?secret={BASE32}\n\
         otpauth://hotp/x?secret={BASE32}\nnonsense\n"
    );
    let none = "it is no otpauth://totp/ address with a secret of 16 to 64 bytes";
    let expected = [
        "1 ann SHA1 6 30 - -",
        "3 user-7 SHA256 8 60 - -",
        "4 eve@mail.example SHA1 6 30 - -",
        "5 it is of the type hotp; only totp can be brought along",
        &format!("6 {none}"),
    ];
    assert_eq!(told(Format::Otpauth, &text, None), expected);
}

#[test]
fn privacyideas_csv_is_read_and_what_is_no_totp_is_told() {
    let text = format!(
        "TOTP1, {HEX}, totp, 8, 60\nTOTP2,{HEX},TOTP\nHOTP1,{HEX}\nOCRA1,{HEX},ocra,OCRA-1\nT3,zz,totp\nT4,3132,totp\nT5,{HEX},totp,7"
    );
    let expected = [
        "1 TOTP1 SHA1 8 60 - -",
        "2 TOTP2 SHA1 6 30 - -",
        "3 it is of the type hotp; only totp can be brought along",
        "4 it is of the type ocra; only totp can be brought along",
        "5 its secret is not hexadecimal",
        "6 its secret is of 2 bytes; 16 to 64 are taken (RFC 4226)",
        &format!("7 {}", Reason::Parameter("number of digits")),
    ];
    assert_eq!(told(Format::OathCsv, &text, None), expected);
    let long = read(
        Format::OathCsv,
        &format!("T,{},totp", "ab".repeat(32)),
        None,
    )
    .unwrap();
    let long = long.into_iter().next().unwrap().read.ok().unwrap();
    assert_eq!(
        long.parameters.algorithm,
        Algorithm::Sha256,
        "a seed of 32 bytes"
    );
}

#[test]
fn a_csv_file_is_read_by_the_names_of_its_columns() {
    let text = format!(
        "\u{feff}Secret,user_id,digits,phone,email\n{BASE32},ann,8,+34600111222,\"a,b@x.example\"\n,bob\n\"{BASE32},x\n1!,eve\n{BASE32},\n"
    );
    let expected = [
        "2 ann SHA1 8 30 +34600111222 a,b@x.example",
        "3 the column or field secret is missing",
        "4 a quotation mark is not closed",
        "5 its secret is not base32",
        "6 it names no user",
    ];
    assert_eq!(told(Format::Csv, &text, None), expected);
    for wrong in ["", "a,b\n", "user_id,x\n"] {
        assert!(read(Format::Csv, wrong, None).is_err(), "{wrong}");
    }
}

#[test]
fn keycloaks_realm_is_read_with_the_secrets_as_it_keeps_them() {
    let credential = |value: &str, data: serde_json::Value| serde_json::json!({"type": "otp", "secretData": serde_json::json!({"value": value}).to_string(), "credentialData": data.to_string()});
    let raw = std::str::from_utf8(SECRET).unwrap();
    let text = serde_json::json!({"realm": "shop", "users": [
        {"username": "ann", "email": "ann@x.example", "emailVerified": true, "credentials": [
            {"type": "password", "secretData": "{}"},
            credential(raw, serde_json::json!({"subType": "totp", "digits": 6, "period": 30, "algorithm": "HmacSHA1"})),
        ]},
        {"username": "bob", "email": "bob@x.example", "credentials": [
            credential(BASE32, serde_json::json!({"subType": "totp", "digits": 8, "period": 60, "algorithm": "HmacSHA512", "secretEncoding": "BASE32"})),
        ]},
        {"username": "nobody"},
        {"username": "eve", "credentials": [credential(raw, serde_json::json!({"subType": "hotp"}))]},
    ]});
    let expected = [
        "1 ann SHA1 6 30 - ann@x.example",
        "2 bob SHA512 8 60 - -",
        "4 it is of the type hotp; only totp can be brought along",
    ];
    assert_eq!(told(Format::Keycloak, &text.to_string(), None), expected);
    assert_eq!(told(Format::Keycloak, &format!("[{text}]"), None), expected);
    for wrong in ["{}", "[]", "{\"users\":[]}", "<xml/>", ""] {
        assert!(read(Format::Keycloak, wrong, None).is_err(), "{wrong}");
    }
}

#[test]
fn auth0s_users_are_read_as_a_list_and_one_a_line() {
    let ann = format!(
        r#"{{"user_id":"auth0|1","mfa_factors":[{{"totp":{{"secret":"{BASE32}"}}}},{{"phone":{{"value":"+34600111222"}}}},{{"email":{{"value":"a@x.example"}}}}]}}"#
    );
    let bob = r#"{"email":"bob@x.example","mfa_factors":[{"totp":{"secret":"JBSWY3DP"}}]}"#;
    let expected = [
        "1 auth0|1 SHA1 6 30 +34600111222 a@x.example",
        "2 its secret is of 5 bytes; 16 to 64 are taken (RFC 4226)",
    ];
    assert_eq!(
        told(Format::Auth0, &format!("[{ann},{bob}]"), None),
        expected
    );
    assert_eq!(
        told(Format::Auth0, &format!("{ann}\n{bob}\n"), None),
        expected
    );
    assert!(read(Format::Auth0, r#"[{"user_id":"x"}]"#, None).is_err());
}

#[test]
fn authelias_three_exports_say_the_same() {
    let base64 = STANDARD.encode(BASE32);
    let yaml = format!(
        "---\ntotp_configurations:\n  - created_at: 2025-01-01T00:00:00Z\n    last_used_at: null\n    username: ann\n    issuer: Shop\n    \
         algorithm: SHA256\n    digits: 8\n    period: 60\n    secret: {base64}\n  - created_at: 2025-01-01T00:00:00Z\n    username: bob\n...\n"
    );
    let csv =
        format!("issuer,username,algorithm,digits,period,secret\nShop,ann,SHA256,8,60,{BASE32}\n");
    let uri = format!(
        "otpauth://totp/Shop:ann?algorithm=SHA256&digits=8&issuer=Shop&period=60&secret={BASE32}\n"
    );
    let yaml = told(Format::Authelia, &yaml, None);
    assert_eq!(
        yaml,
        [
            "3 ann SHA256 8 60 - -",
            "11 the column or field secret is missing"
        ]
    );
    assert_eq!(
        told(Format::Authelia, &csv, None),
        ["2 ann SHA256 8 60 - -"]
    );
    assert_eq!(
        told(Format::Authelia, &uri, None),
        ["1 ann SHA256 8 60 - -"]
    );
}

/// Made with @noble/ciphers, as better-auth does it: `managedNonce(xchacha20poly1305)(sha256("secret123"))`.
const BETTER_AUTH: &str = include_str!("better-auth.hex");

#[test]
fn better_auths_rows_open_with_its_secret_and_no_other() {
    let sealed = BETTER_AUTH.trim();
    let text = format!(
        r#"[{{"id":"1","userId":"ann","secret":"{sealed}"}},{{"userId":"bob","secret":"$ba$1${sealed}"}}]"#
    );
    let open = |key: Option<&[u8]>| told(Format::BetterAuth, &text, key);
    assert_eq!(
        open(Some(b"secret123")),
        ["1 ann SHA1 6 30 - -", "2 bob SHA1 6 30 - -"]
    );
    assert!(open(Some(b"secret124"))[0].contains("does not open it"));
    assert!(open(None)[0].contains("give its key"));
}

fn pskc(key: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
{key}
</pskc:KeyContainer>"#
    )
}

#[test]
fn a_pskc_container_is_read_in_the_clear() {
    let secret = STANDARD.encode(SECRET);
    let package = |kind: &str, more: &str| {
        format!(
            r#"<pskc:KeyPackage><pskc:DeviceInfo><pskc:SerialNo>987654321</pskc:SerialNo></pskc:DeviceInfo>
<pskc:Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{kind}">
<pskc:AlgorithmParameters><pskc:Suite>HMAC-SHA256</pskc:Suite><pskc:ResponseFormat Length="8" Encoding="DECIMAL"/></pskc:AlgorithmParameters>
<pskc:Data><pskc:Secret><pskc:PlainValue>{secret}</pskc:PlainValue></pskc:Secret>
<pskc:TimeInterval><pskc:PlainValue>60</pskc:PlainValue></pskc:TimeInterval></pskc:Data>{more}</pskc:Key></pskc:KeyPackage>"#
        )
    };
    let user = "<pskc:UserId>UID=jsmith,DC=example-bank,DC=net</pskc:UserId>";
    let text = pskc(&format!(
        "{}\n{}\n{}",
        package("totp", user),
        package("totp", ""),
        package("hotp", "")
    ));
    let expected = [
        "3 jsmith SHA256 8 60 - -",
        "8 987654321 SHA256 8 60 - -",
        "13 it is of the type hotp; only totp can be brought along",
    ];
    assert_eq!(told(Format::Pskc, &text, None), expected);
}

/// RFC 6030 §6.1, figure 6: the secret of the others and its MAC under the key 12345678901234567890123456789012, with the
/// algorithm changed to totp.
#[test]
fn the_rfcs_container_opens_with_its_preshared_key_and_no_other() {
    let container = |mac: &str| {
        pskc(&format!(
            r#"<pskc:MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><pskc:MACKey>
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
<xenc:CipherData><xenc:CipherValue>ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX</xenc:CipherValue></xenc:CipherData>
</pskc:MACKey></pskc:MACMethod>
<pskc:KeyPackage><pskc:Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
<pskc:Data><pskc:Secret><pskc:EncryptedValue>
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
<xenc:CipherData><xenc:CipherValue>AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv</xenc:CipherValue></xenc:CipherData>
</pskc:EncryptedValue>{mac}</pskc:Secret></pskc:Data></pskc:Key></pskc:KeyPackage>"#
        ))
    };
    let text = container("<pskc:ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=</pskc:ValueMAC>");
    let key = hex::decode("12345678901234567890123456789012").unwrap();
    assert_eq!(
        told(Format::Pskc, &text, Some(&key)),
        ["7 12345678 SHA1 6 30 - -"]
    );
    assert!(told(Format::Pskc, &text, None)[0].contains("give its key"));
    let other = container("<pskc:ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExd=</pskc:ValueMAC>");
    for (text, key, reason) in [
        (&other, key.as_slice(), "is not base64"),
        (
            &container("<pskc:ValueMAC>AAAA</pskc:ValueMAC>"),
            &key,
            "does not open it",
        ),
        (&container(""), &key, "ValueMAC is missing"),
        (&text, &[7; 15], "16 bytes"),
    ] {
        let told = told(Format::Pskc, text, Some(key));
        assert!(told[0].contains(reason), "{told:?}");
    }
    // Now and then what a wrong key makes of it is filled up as a right one would be.
    for wrong in 0..=u8::MAX {
        let read = read(Format::Pskc, &text, Some(&[wrong; 16])).unwrap();
        assert!(read.into_iter().all(|record| record.read.is_err()));
    }
}

#[test]
fn an_xml_file_that_would_grow_without_end_is_refused() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><KeyContainer>&c;</KeyContainer>"#;
    assert!(read(Format::Pskc, bomb, None).is_err());
    assert!(read(Format::Pskc, "<Tokens/>", None).is_err());
}

proptest! {
    #[test]
    fn no_file_makes_a_reader_panic(text in "\\PC{0,120}", line in "[a-z,:/?=&%{}\\[\\]\"<>$0-9]{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let migration = format!("otpauth-migration://offline?data={}", STANDARD.encode(bytes));
        for format in Format::ALL {
            for text in [&text, &line, &migration, &format!("otpauth://totp/{line}")] {
                for key in [None, Some([0_u8; 16].as_slice())] {
                    let _ = read(format, text, key);
                }
            }
        }
    }

    #[test]
    fn a_secret_that_was_read_has_at_least_128_bits(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let text = format!("T,{},totp", hex::encode(&bytes));
        let read = read(Format::OathCsv, &text, None).unwrap();
        let brought = read.iter().any(|record| record.read.is_ok());
        prop_assert_eq!(brought, (16..=64).contains(&bytes.len()));
    }
}
