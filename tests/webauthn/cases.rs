//! Messages as an honest browser sends them and as an attacker does, and what is to come of each. The ceremonies are
//! tested with them, and so are the second opinions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado::domain::webauthn::UserVerification;
use serde_json::{Value, json};

use candado_testkit::webauthn::authenticator::{
    AT, Attestation, BE, BS, CHALLENGE, ED, Key, ORIGIN, Script, UP, USER_HANDLE, UV,
};
use candado_testkit::webauthn::cbor::Cbor;

/// One message and what the relying party holds when it comes.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) user_verification: UserVerification,
    pub(crate) message: Value,
    /// `accepted`, or the reason of a refusal.
    pub(crate) verdict: &'static str,
    /// Of an assertion.
    pub(crate) stored: Option<Stored>,
}

/// A credential that is registered.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) id: Vec<u8>,
    pub(crate) cose: Vec<u8>,
    pub(crate) sign_count: u32,
    pub(crate) uv_initialized: bool,
    pub(crate) backup_eligible: bool,
}

impl Stored {
    /// As the product stores it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": URL_SAFE_NO_PAD.encode(&self.id),
            "key": URL_SAFE_NO_PAD.encode(&self.cose),
            "sign_count": self.sign_count,
            "uv_initialized": self.uv_initialized,
            "backup_eligible": self.backup_eligible,
            "backed_up": false,
            "transports": ["usb"],
            "aaguid": "00000000-0000-0000-0000-000000000000",
            "attestation": "none",
        })
    }
}

const ACCEPTED: &str = "accepted";

/// Collects cases that start from the same good message.
struct Registrations {
    key: Key,
    cases: Vec<Case>,
}

impl Registrations {
    fn add(&mut self, name: &'static str, verdict: &'static str, change: impl FnOnce(&mut Script)) {
        let mut script = Script::registration(&self.key);
        change(&mut script);
        let message = script.register(&self.key);
        self.add_message(name, verdict, message);
    }

    /// Changes the message itself.
    fn add_changed(
        &mut self,
        name: &'static str,
        verdict: &'static str,
        change: impl FnOnce(&mut Value),
    ) {
        let mut message = Script::registration(&self.key).register(&self.key);
        change(&mut message);
        self.add_message(name, verdict, message);
    }

    fn add_message(&mut self, name: &'static str, verdict: &'static str, message: Value) {
        self.cases.push(Case {
            name,
            user_verification: UserVerification::Preferred,
            message,
            verdict,
            stored: None,
        });
    }

    fn add_required(
        &mut self,
        name: &'static str,
        verdict: &'static str,
        change: impl FnOnce(&mut Script),
    ) {
        self.add(name, verdict, change);
        self.cases.last_mut().unwrap().user_verification = UserVerification::Required;
    }
}

pub(crate) fn set_origin(script: &mut Script, origin: &str) {
    script.client_data["origin"] = json!(origin);
}

pub(crate) fn set_challenge(script: &mut Script, challenge: &[u8]) {
    script.client_data["challenge"] = json!(URL_SAFE_NO_PAD.encode(challenge));
}

/// Adds a member twice, the second time as `again`.
fn twice(script: &mut Script, member: &str, again: &str) {
    let text = String::from_utf8(script.client_bytes()).unwrap();
    let text = text.replacen('{', &format!(r#"{{"{member}":"{again}","#), 1);
    script.client_bytes = Some(text.into_bytes());
}

pub(crate) fn registrations() -> Vec<Case> {
    let mut of = Registrations {
        key: Key::es256(7),
        cases: vec![],
    };
    honest_registrations(&mut of);
    of.add("another challenge", "challenge", |script| {
        set_challenge(script, &[0xc8; 32]);
    });
    of.add("the other ceremony", "malformed", |script| {
        script.client_data["type"] = json!("webauthn.get");
    });
    origins(&mut |name, verdict, change| of.add(name, verdict, change));
    of.add("another relying party", "rp_id", |script| {
        script.rp_id = "example.com".into();
    });
    of.add("a subdomain as relying party", "rp_id", |script| {
        script.rp_id = "login.example.org".into();
    });
    of.add("nobody present", "user_verification", |script| {
        script.flags = AT | UV;
    });
    of.add_required(
        "nobody verified, though required",
        "user_verification",
        |script| script.flags = AT | UP,
    );
    of.add("backed up but not eligible", "malformed", |script| {
        script.flags |= BS;
    });
    of.add("no attested credential", "malformed", |script| {
        script.flags = UP | UV;
    });
    keys(&mut of);
    encodings(&mut of);
    of.add_changed("another id than the attested", "malformed", |message| {
        (message["id"], message["rawId"]) = (json!("AQID"), json!("AQID"));
    });
    of.add_changed("two ids", "malformed", |message| {
        message["rawId"] = json!("AQID");
    });
    of.add_changed("another type", "malformed", |message| {
        message["type"] = json!("password");
    });
    of.cases
}

fn honest_registrations(of: &mut Registrations) {
    of.add("ES256 without attestation", ACCEPTED, |_| {});
    of.add("ES256, attested by itself", ACCEPTED, |script| {
        script.attestation = Attestation::Packed(-7);
    });
    of.add_required("ES256, user verified as required", ACCEPTED, |_| {});
    of.add("a passkey that is backed up", ACCEPTED, |script| {
        script.flags |= BE | BS;
    });
    of.add("a passkey that may be backed up", ACCEPTED, |script| {
        script.flags |= BE;
    });
    of.add("a counter and a model", ACCEPTED, |script| {
        script.count = 0x0102_0304;
        script.aaguid = [0xab; 16];
    });
    of.add("nobody verified", ACCEPTED, |script| script.flags = AT | UP);
    of.add("an id of 1023 bytes", ACCEPTED, |script| {
        script.id = vec![7; 1023];
    });
    of.add("extensions", ACCEPTED, |script| {
        script.flags |= ED;
        script.extensions = Cbor::map([
            ("credProtect", Cbor::from(2)),
            ("hmac-secret", Cbor::Bool(true)),
        ])
        .encode();
    });
    of.add("a member nobody asked for", ACCEPTED, |script| {
        script
            .client_data
            .insert("tokenBinding".to_owned(), json!({"status": "supported"}));
    });
    for (name, key) in [("Ed25519", Key::ed25519(7)), ("RS256", Key::rs256())] {
        let names = match name {
            "Ed25519" => ["Ed25519 without attestation", "Ed25519, attested by itself"],
            _ => ["RS256 without attestation", "RS256, attested by itself"],
        };
        let mut script = Script::registration(&key);
        of.add_message(names[0], ACCEPTED, script.register(&key));
        script.attestation = Attestation::Packed(key.algorithm());
        of.add_message(names[1], ACCEPTED, script.register(&key));
    }
}

/// Adds a case: its name, its verdict, what it changes.
type Add<'a> = dyn FnMut(&'static str, &'static str, &dyn Fn(&mut Script)) + 'a;

/// Where the page is from, in both ceremonies.
fn origins(add: &mut Add<'_>) {
    add("another origin", "origin", &|script| {
        set_origin(script, "https://example.com");
    });
    add("a subdomain", "origin", &|script| {
        set_origin(script, "https://evil.example.org");
    });
    add("another port", "origin", &|script| {
        set_origin(script, "https://example.org:8443");
    });
    add("plain HTTP", "origin", &|script| {
        set_origin(script, "http://example.org");
    });
    add("an origin that only begins so", "origin", &|script| {
        set_origin(script, "https://example.org.evil.net");
    });
    add("an origin with a path", "origin", &|script| {
        set_origin(script, "https://example.org/");
    });
    add("a frame in another page", "origin", &|script| {
        script.client_data["crossOrigin"] = json!(true);
    });
    add("a frame in another page, named", "origin", &|script| {
        script.client_data["crossOrigin"] = json!(true);
        script
            .client_data
            .insert("topOrigin".to_owned(), json!("https://evil.net"));
    });
    add("two origins", "malformed", &|script| {
        twice(script, "origin", "https://evil.net");
    });
    add("client data that are no JSON", "malformed", &|script| {
        script.client_bytes = Some(b"{".to_vec());
    });
}

/// Keys that are not taken.
fn keys(of: &mut Registrations) {
    let cose = |entries: Vec<(i64, Cbor)>| Cbor::map(entries).encode();
    let ed25519 = |x: &[u8]| {
        cose(vec![
            (1, 1.into()),
            (3, (-8).into()),
            (-1, 6.into()),
            (-2, x.into()),
        ])
    };
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let small_order = ed25519(&small_order);
    of.add("an Ed25519 key of small order", "malformed", |script| {
        script.cose = small_order;
    });
    of.add("a point off the curve", "malformed", |script| {
        *script.cose.last_mut().unwrap() ^= 1;
    });
    let key = of.key.cose();
    let (x, y) = (&key[10..42], &key[45..]);
    let ec = |curve: i64, y: Cbor| {
        cose(vec![
            (1, 2.into()),
            (3, (-7).into()),
            (-1, curve.into()),
            (-2, x.into()),
            (-3, y),
        ])
    };
    let (compressed, p384) = (ec(1, Cbor::Bool(true)), ec(2, y.into()));
    of.add("a compressed point", "malformed", |script| {
        script.cose = compressed;
    });
    of.add("another curve", "malformed", |script| script.cose = p384);
    let without = cose(vec![
        (1, 2.into()),
        (-1, 1.into()),
        (-2, x.into()),
        (-3, y.into()),
    ]);
    of.add("a key without an algorithm", "malformed", |script| {
        script.cose = without;
    });
    let rsa = |n: &[u8], e: &[u8]| {
        cose(vec![
            (1, 3.into()),
            (3, (-257).into()),
            (-1, n.into()),
            (-2, e.into()),
        ])
    };
    let (small, exponent) = (rsa(&[0xff; 128], &[1, 0, 1]), rsa(&[0xff; 256], &[3]));
    of.add("an RSA key of 1024 bits", "malformed", |script| {
        script.cose = small;
    });
    of.add("an RSA key with the exponent 3", "malformed", |script| {
        script.cose = exponent;
    });
    of.add(
        "self attestation by another algorithm",
        "malformed",
        |script| script.attestation = Attestation::Packed(-8),
    );
    let mut script = Script::registration(&of.key);
    script.attestation = Attestation::Packed(-7);
    let forged = script.register(&Key::es256(9));
    of.add_message("self attestation by another key", "signature", forged);
}

/// CBOR in another than the canonical form, and what is too long or too short.
fn encodings(of: &mut Registrations) {
    of.add("an id of 1024 bytes", "malformed", |script| {
        script.id = vec![7; 1024];
    });
    of.add("an empty id", "malformed", |script| script.id = vec![]);
    of.add("bytes after the key", "malformed", |script| {
        script.extensions = vec![0];
    });
    of.add("extensions that are no map", "malformed", |script| {
        script.flags |= ED;
        script.extensions = vec![0x80];
    });
    of.add("extensions with a key twice", "malformed", |script| {
        script.flags |= ED;
        script.extensions = b"\xa2\x61a\x00\x61a\x01".to_vec();
    });
    of.add("extensions missing", "malformed", |script| {
        script.flags |= ED;
    });
    of.add("a key in another order", "malformed", |script| {
        // alg before kty.
        script.cose[1..5].rotate_left(2);
    });
    of.add("a key with an entry twice", "malformed", |script| {
        script.cose[0] += 1;
        script.cose.splice(1..1, [0x01, 0x02]);
    });
    let raw = |object: fn(&[u8]) -> Vec<u8>| {
        move |script: &mut Script| script.attestation = Attestation::Raw(object)
    };
    of.add(
        "an object in another order",
        "malformed",
        raw(|data| {
            let data = Cbor::from(data).encode();
            [
                b"\xa3\x68authData",
                &data[..],
                b"\x63fmt\x64none\x67attStmt\xa0",
            ]
            .concat()
        }),
    );
    of.add(
        "an object of indefinite length",
        "malformed",
        raw(|data| {
            let data = Cbor::from(data).encode();
            [
                b"\xbf\x63fmt\x64none\x67attStmt\xa0\x68authData",
                &data[..],
                b"\xff",
            ]
            .concat()
        }),
    );
    of.add(
        "bytes after the object",
        "malformed",
        raw(|data| {
            let data = Cbor::from(data).encode();
            [
                b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData",
                &data[..],
                b"\x00",
            ]
            .concat()
        }),
    );
    of.add(
        "a format twice",
        "malformed",
        raw(|data| {
            let data = Cbor::from(data).encode();
            [
                b"\xa4\x63fmt\x64none\x63fmt\x64none\x67attStmt\xa0\x68authData",
                &data[..],
            ]
            .concat()
        }),
    );
    of.add("none with a statement", "malformed", |script| {
        script.attestation =
            Attestation::Other("none", Cbor::map([("alg", Cbor::from(-7))]).encode());
    });
    of.add("an empty object", "malformed", raw(|_| vec![0xa0]));
    of.add("no object", "malformed", raw(|_| vec![]));
}

struct Assertions {
    key: Key,
    cases: Vec<Case>,
}

impl Assertions {
    /// The good message, the stored credential it is for, and what a case changes of both.
    fn add(
        &mut self,
        name: &'static str,
        verdict: &'static str,
        change: impl FnOnce(&mut Script, &mut Stored),
    ) {
        let mut script = Script::assertion();
        let mut stored = Stored {
            id: script.id.clone(),
            cose: self.key.cose(),
            sign_count: 0,
            uv_initialized: true,
            backup_eligible: false,
        };
        change(&mut script, &mut stored);
        self.add_message(name, verdict, script.assert(&self.key), stored);
    }

    fn add_required(
        &mut self,
        name: &'static str,
        verdict: &'static str,
        change: impl FnOnce(&mut Script, &mut Stored),
    ) {
        self.add(name, verdict, change);
        self.cases.last_mut().unwrap().user_verification = UserVerification::Required;
    }

    fn add_message(
        &mut self,
        name: &'static str,
        verdict: &'static str,
        message: Value,
        stored: Stored,
    ) {
        self.cases.push(Case {
            name,
            user_verification: UserVerification::Preferred,
            message,
            verdict,
            stored: Some(stored),
        });
    }
}

pub(crate) fn assertions() -> Vec<Case> {
    let mut of = Assertions {
        key: Key::es256(7),
        cases: vec![],
    };
    honest_assertions(&mut of);
    of.add("another challenge", "challenge", |script, _| {
        set_challenge(script, &[0xc8; 32]);
    });
    of.add("the other ceremony", "malformed", |script, _| {
        script.client_data["type"] = json!("webauthn.create");
    });
    origins(&mut |name, verdict, change| of.add(name, verdict, |script, _| change(script)));
    of.add("another relying party", "rp_id", |script, _| {
        script.rp_id = "example.com".into();
    });
    of.add("nobody present", "user_verification", |script, _| {
        script.flags = UV;
    });
    of.add_required(
        "nobody verified, though required",
        "user_verification",
        |script, _| script.flags = UP,
    );
    of.add_required(
        "verified by a key that was registered without",
        "user_verification",
        |_, stored| stored.uv_initialized = false,
    );
    of.add("backed up but not eligible", "malformed", |script, _| {
        script.flags |= BS;
    });
    of.add(
        "eligible for backup all of a sudden",
        "malformed",
        |script, _| script.flags |= BE,
    );
    of.add("no longer eligible for backup", "malformed", |_, stored| {
        stored.backup_eligible = true;
    });
    of.add(
        "another user's handle",
        "unknown_credential",
        |script, _| script.user_handle = Some(vec![0x5b; 16]),
    );
    of.add(
        "another user's credential",
        "unknown_credential",
        |_, stored| stored.id = vec![9; 32],
    );
    of.add("an attested credential", "malformed", |script, stored| {
        script.flags |= AT;
        script.cose.clone_from(&stored.cose);
    });
    counters(&mut of);
    of.add("bytes after the data", "malformed", |script, _| {
        script.extensions = vec![0xa0];
    });
    of.add("extensions that are no map", "malformed", |script, _| {
        script.flags |= ED;
        script.extensions = vec![0x00];
    });
    forged(&mut of);
    of.cases
}

fn honest_assertions(of: &mut Assertions) {
    of.add("ES256", ACCEPTED, |_, _| {});
    of.add("ES256 with the user's handle", ACCEPTED, |script, _| {
        script.user_handle = Some(USER_HANDLE.to_vec());
    });
    of.add_required("ES256, user verified as required", ACCEPTED, |_, _| {});
    of.add("nobody verified", ACCEPTED, |script, _| script.flags = UP);
    of.add(
        "verified by a key that was registered without, though not required",
        ACCEPTED,
        |_, stored| stored.uv_initialized = false,
    );
    of.add("a passkey that is backed up", ACCEPTED, |script, stored| {
        script.flags |= BE | BS;
        stored.backup_eligible = true;
    });
    of.add(
        "a passkey that is no longer backed up",
        ACCEPTED,
        |script, stored| {
            script.flags |= BE;
            stored.backup_eligible = true;
        },
    );
    of.add("extensions", ACCEPTED, |script, _| {
        script.flags |= ED;
        script.extensions = Cbor::map([("hmac-secret", Cbor::from([7; 32].as_slice()))]).encode();
    });
    let es256 = std::mem::replace(&mut of.key, Key::ed25519(7));
    of.add("Ed25519", ACCEPTED, |_, _| {});
    of.key = Key::rs256();
    of.add("RS256", ACCEPTED, |_, _| {});
    of.key = es256;
}

fn counters(of: &mut Assertions) {
    let mut add = |name, verdict, stored_count, count, flags| {
        of.add(name, verdict, |script, stored| {
            (script.count, stored.sign_count) = (count, stored_count);
            script.flags |= flags;
            stored.backup_eligible = flags & BE != 0;
        });
    };
    add("a counter that grows", ACCEPTED, 7, 8, 0);
    add("a counter that begins", ACCEPTED, 0, 1, 0);
    add("a counter that stands still", "counter", 7, 7, 0);
    add("a counter that goes back", "counter", 7, 6, 0);
    add("a counter that ends", "counter", 7, 0, 0);
    add("a counter that wraps", "counter", u32::MAX, 0, 0);
    add(
        "a counter that goes back, of a passkey that is backed up",
        ACCEPTED,
        7,
        6,
        BE | BS,
    );
    add(
        "a counter that goes back, of a passkey that is not",
        "counter",
        7,
        6,
        BE,
    );
}

fn forged(of: &mut Assertions) {
    let (script, other) = (Script::assertion(), Key::es256(9));
    let stored = |key: &Key| Stored {
        id: script.id.clone(),
        cose: key.cose(),
        sign_count: 0,
        uv_initialized: true,
        backup_eligible: false,
    };
    let good = script.assert(&of.key);
    let with = |member: &str, value: Value| {
        let mut message = good.clone();
        message["response"][member] = value;
        message
    };
    let bytes = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
    let own = stored(&of.key);
    of.add_message(
        "another key's signature",
        "signature",
        script.assert(&other),
        own.clone(),
    );
    let ed25519 = Key::ed25519(7);
    of.add_message(
        "a signature of another algorithm",
        "signature",
        script.assert(&ed25519),
        own.clone(),
    );
    of.add_message(
        "an ES256 signature for an Ed25519 key",
        "signature",
        good.clone(),
        stored(&ed25519),
    );
    of.add_message(
        "an ES256 signature for an RS256 key",
        "signature",
        good.clone(),
        stored(&Key::rs256()),
    );
    of.add_message(
        "an empty signature",
        "signature",
        with("signature", bytes(&[])),
        own.clone(),
    );
    let zeros = bytes(b"\x30\x06\x02\x01\x00\x02\x01\x00");
    of.add_message(
        "a signature of zeros",
        "signature",
        with("signature", zeros),
        own.clone(),
    );
    let mut data = script.clone();
    data.count = 1;
    let altered = bytes(&data.authenticator_data());
    of.add_message(
        "altered authenticator data",
        "signature",
        with("authenticatorData", altered),
        own.clone(),
    );
    let mut client = script.clone();
    client.client_data.insert("x".to_owned(), json!(1));
    let altered = bytes(&client.client_bytes());
    of.add_message(
        "altered client data",
        "signature",
        with("clientDataJSON", altered),
        own.clone(),
    );
    // A counter that is not signed says nothing.
    let mut counted = own.clone();
    counted.sign_count = 7;
    of.add_message(
        "a counter that goes back, unsigned",
        "signature",
        script.assert(&other),
        counted,
    );
    of.add_message(
        "padded base64url",
        "malformed",
        with("signature", json!("AAAA=")),
        own.clone(),
    );
    of.add_message(
        "no signature",
        "malformed",
        with("signature", Value::Null),
        own.clone(),
    );
    let mut message = good;
    message["type"] = json!("password");
    of.add_message("another type", "malformed", message, own);
}

/// What both sides know in every case.
pub(crate) fn setting() -> Value {
    json!({
        "rp_id": candado_testkit::webauthn::authenticator::RP_ID,
        "origin": ORIGIN,
        "challenge": URL_SAFE_NO_PAD.encode(CHALLENGE),
        "user_handle": URL_SAFE_NO_PAD.encode(USER_HANDLE),
    })
}
