//! Passkeys: making one, logging in by it, and everything a stranger may try with either.

use candado_testkit::webauthn::authenticator::{Attestation, BE, BS, Key, Script, UP, UV};
use candado_testkit::{Authenticator, ISSUER, Reply, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

const SHOP: &str = "https://shop.example";

/// A user's passkey, with the authenticator that holds it.
pub(crate) struct Passkey {
    key: Key,
    id: Vec<u8>,
    count: u32,
    flags: u8,
}

impl Passkey {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: Key::es256(seed),
            id: vec![seed; 32],
            count: 0,
            flags: UP | UV,
        }
    }

    fn made(&self) -> Script {
        let mut script = Script::registration(&self.key);
        script.flags |= self.flags;
        script.count = self.count;
        script.id.clone_from(&self.id);
        script
    }

    fn used(&self) -> Script {
        let mut script = Script::assertion();
        script.flags = self.flags;
        script.count = self.count;
        script.id.clone_from(&self.id);
        script
    }
}

fn origin_of(options: &Value) -> &'static str {
    let public_key = &options["publicKey"];
    let rp_id = public_key["rp"]["id"]
        .as_str()
        .or_else(|| public_key["rpId"].as_str());
    match rp_id.unwrap() {
        "shop.example" => SHOP,
        _ => ISSUER,
    }
}

async fn options(app: &TestApp, user: &str) -> Value {
    app.of_user("/mfa/passkeys/options", user).await.expect(200)
}

async fn challenge(app: &TestApp, user: &str) -> Value {
    app.of_user("/mfa/passkeys/challenge", user)
        .await
        .expect(200)
}

pub(crate) fn registration(options: &Value, passkey: &Passkey, user: &str) -> Value {
    let script = passkey
        .made()
        .asked(&options["publicKey"], origin_of(options));
    json!({"user_id": user, "challenge_id": options["challenge_id"], "credential": script.register(&passkey.key)})
}

fn assertion(challenge: &Value, passkey: &Passkey, user: &str) -> Value {
    let script = passkey
        .used()
        .asked(&challenge["publicKey"], origin_of(challenge));
    json!({"user_id": user, "challenge_id": challenge["challenge_id"], "credential": script.assert(&passkey.key)})
}

async fn register(app: &TestApp, user: &str, passkey: &Passkey) -> Value {
    let options = options(app, user).await;
    let body = registration(&options, passkey, user);
    app.post("/mfa/passkeys", body).await.expect(200)
}

pub(crate) async fn login(app: &TestApp, user: &str, passkey: &Passkey) -> Reply {
    let challenge = challenge(app, user).await;
    app.post("/mfa/verify", assertion(&challenge, passkey, user))
        .await
}

/// Ann with a passkey and nothing else.
async fn with_passkey() -> (TestApp, Passkey) {
    let (app, passkey) = (TestApp::new().await, Passkey::new(7));
    register(&app, "ann", &passkey).await;
    (app, passkey)
}

#[track_caller]
fn refused(reply: &Reply, reason: &str) {
    let body = reply.fails(400, "invalid_credential");
    assert_eq!(body["reason"], reason, "{body}");
}

#[tokio::test]
async fn a_passkey_is_made_and_logs_in() {
    let (app, mut passkey) = (TestApp::new().await, Passkey::new(7));
    let options = options(&app, "ann").await;
    let public_key = &options["publicKey"];
    assert_eq!(options["expires_in"], 300);
    assert_eq!(
        public_key["rp"],
        json!({"id": "mfa.example.com", "name": "Shop"})
    );
    assert_eq!(public_key["user"]["name"], "ann");
    assert_eq!(
        public_key["user"]["id"].as_str().unwrap().len(),
        43,
        "32 random bytes"
    );
    assert_eq!(public_key["challenge"].as_str().unwrap().len(), 43);
    assert_eq!(app.status("ann").await["state"], "none");
    let mut body = registration(&options, &passkey, "ann");
    body["name"] = json!("Key ring");
    let factor = app.post("/mfa/passkeys", body).await.expect(200);
    assert_eq!(factor["type"], "passkey");
    assert_eq!(
        (&factor["name"], &factor["state"]),
        (&json!("Key ring"), &json!("active"))
    );
    assert_eq!(factor["transports"], json!(["nfc", "usb"]));
    let status = app.status("ann").await;
    assert_eq!(
        (&status["mfa_enabled"], &status["state"]),
        (&json!(true), &json!("active"))
    );
    assert!(
        status["methods"]
            .as_array()
            .unwrap()
            .contains(&json!("passkey"))
    );

    app.advance(60);
    passkey.count = 1;
    let verified = login(&app, "ann", &passkey).await.expect(200);
    let expected = json!({"status": "success", "message": "Code verified successfully", "method": "passkey", "user_verified": true});
    assert_eq!(verified, expected);
    let listed = app.get("/mfa/factors?user_id=ann").await.expect(200);
    assert_eq!(listed["factors"][0]["last_used_at"], app.now());
    assert_eq!(app.events("ann").await, ["factor_added", "verified"]);
}

#[tokio::test]
async fn existing_passkeys_are_excluded_and_the_user_handle_stays_the_same() {
    let (app, passkey) = with_passkey().await;
    let first = options(&app, "ann").await;
    let excluded = &first["publicKey"]["excludeCredentials"];
    let challenge = challenge(&app, "ann").await;
    assert_eq!(excluded, &challenge["publicKey"]["allowCredentials"]);
    assert_eq!(excluded.as_array().unwrap().len(), 1);
    app.disable("ann").await.expect(200);
    let second = options(&app, "ann").await;
    assert_eq!(second["publicKey"]["excludeCredentials"], json!([]));
    assert_eq!(
        first["publicKey"]["user"]["id"],
        second["publicKey"]["user"]["id"]
    );
    assert_ne!(
        first["publicKey"]["challenge"],
        second["publicKey"]["challenge"]
    );
    let again = registration(&second, &passkey, "ann");
    app.post("/mfa/passkeys", again).await.expect(200);
}

#[tokio::test]
async fn atk_93_a_page_of_another_origin_gets_nobody_in() {
    let (app, passkey) = with_passkey().await;
    for origin in [
        "https://evil.example",
        "https://a.mfa.example.com",
        "https://example.com",
        "https://mfa.example.com:8443",
        "http://mfa.example.com",
        "https://mfa.example.com.evil.example",
        "null",
    ] {
        let opened = challenge(&app, "ann").await;
        let mut script = passkey.used().asked(&opened["publicKey"], ISSUER);
        script.client_data["origin"] = json!(origin);
        let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.assert(&passkey.key)});
        refused(&app.post("/mfa/verify", body).await, "origin");
    }
    for (member, value) in [
        ("crossOrigin", json!(true)),
        ("topOrigin", json!("https://evil.example")),
    ] {
        let opened = challenge(&app, "ann").await;
        let mut script = passkey.used().asked(&opened["publicKey"], ISSUER);
        script.client_data.insert(member.to_owned(), value);
        let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.assert(&passkey.key)});
        refused(&app.post("/mfa/verify", body).await, "origin");
    }
    let opened = challenge(&app, "ann").await;
    let mut script = passkey.used().asked(&opened["publicKey"], ISSUER);
    script.rp_id = "example.com".to_owned();
    let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.assert(&passkey.key)});
    refused(&app.post("/mfa/verify", body).await, "rp_id");
    // Origin and RP ID of a registration as well.
    let opened = options(&app, "ann").await;
    let mut script = Passkey::new(8)
        .made()
        .asked(&opened["publicKey"], "https://evil.example");
    script.id = vec![8; 32];
    let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.register(&Key::es256(8))});
    refused(&app.post("/mfa/passkeys", body).await, "origin");
}

#[tokio::test]
async fn atk_93_a_credential_of_another_user_or_client_is_unknown() {
    let (app, passkey) = with_passkey().await;
    let bobs = Passkey::new(8);
    register(&app, "bob", &bobs).await;
    let opened = challenge(&app, "ann").await;
    refused(
        &app.post("/mfa/verify", assertion(&opened, &bobs, "ann"))
            .await,
        "unknown_credential",
    );

    // Another client has a user of the same name, and the same id may be a passkey there: it is another's.
    let bank = app.new_client("bank", json!({})).await;
    let body = json!({"user_id": "ann"});
    let opened = app
        .post_as(&bank, "/mfa/passkeys/options", body.clone())
        .await
        .expect(200);
    let other = Passkey {
        key: Key::es256(9),
        ..Passkey::new(7)
    };
    let made = registration(&opened, &other, "ann");
    app.post_as(&bank, "/mfa/passkeys", made).await.expect(200);
    let opened = app
        .post_as(&bank, "/mfa/passkeys/challenge", body)
        .await
        .expect(200);
    let reply = app
        .post_as(&bank, "/mfa/verify", assertion(&opened, &passkey, "ann"))
        .await;
    refused(&reply, "signature");
    let reply = app
        .post("/mfa/verify", assertion(&opened, &passkey, "ann"))
        .await;
    refused(&reply, "challenge");
    login(&app, "ann", &passkey).await.expect(200);
}

#[tokio::test]
async fn atk_93_a_challenge_is_its_users_and_its_ceremonys_for_five_minutes_and_one_attempt() {
    let (app, passkey) = with_passkey().await;
    let bobs = Passkey::new(8);
    register(&app, "bob", &bobs).await;
    // Of another user.
    let anns = challenge(&app, "ann").await;
    refused(
        &app.post("/mfa/verify", assertion(&anns, &bobs, "bob"))
            .await,
        "challenge",
    );
    // It is still good for her, once.
    let body = assertion(&anns, &passkey, "ann");
    app.post("/mfa/verify", body.clone()).await.expect(200);
    refused(&app.post("/mfa/verify", body).await, "challenge");
    // A wrong answer is an attempt, too.
    let opened = challenge(&app, "ann").await;
    let mut body = assertion(&opened, &passkey, "ann");
    let right = body.clone();
    let other = Passkey {
        key: Key::es256(9),
        ..Passkey::new(7)
    };
    body["credential"] = assertion(&opened, &other, "ann")["credential"].clone();
    refused(&app.post("/mfa/verify", body).await, "signature");
    refused(&app.post("/mfa/verify", right).await, "challenge");
    // Expired, to the second.
    for (age, lives) in [(299, true), (300, false)] {
        let opened = challenge(&app, "ann").await;
        app.advance(age);
        let reply = app
            .post("/mfa/verify", assertion(&opened, &passkey, "ann"))
            .await;
        assert_eq!(reply.status == 200, lives, "{age}");
    }
    // Of the other ceremony, both ways.
    let opened = options(&app, "ann").await;
    let script = passkey.used().asked(&opened["publicKey"], ISSUER);
    let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.assert(&passkey.key)});
    refused(&app.post("/mfa/verify", body).await, "challenge");
    let opened = challenge(&app, "ann").await;
    let second = Passkey::new(10);
    let script = second.made().asked(&opened["publicKey"], ISSUER);
    let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.register(&second.key)});
    refused(&app.post("/mfa/passkeys", body).await, "challenge");
    // The next one takes its place, and a made-up one is none.
    let (first, _) = (challenge(&app, "ann").await, challenge(&app, "ann").await);
    refused(
        &app.post("/mfa/verify", assertion(&first, &passkey, "ann"))
            .await,
        "challenge",
    );
    let mut made_up = assertion(&first, &passkey, "ann");
    made_up["challenge_id"] = json!("0".repeat(32));
    refused(&app.post("/mfa/verify", made_up).await, "challenge");
}

#[tokio::test]
async fn atk_94_what_was_altered_is_refused_and_counted_nowhere() {
    let (app, passkey) = with_passkey().await;
    for (member, reason) in [
        ("signature", "signature"),
        ("authenticatorData", "rp_id"),
        ("clientDataJSON", "malformed"),
    ] {
        let opened = challenge(&app, "ann").await;
        let mut body = assertion(&opened, &passkey, "ann");
        let text = body["credential"]["response"][member].as_str().unwrap();
        // The last character but a few, so that what is base64url stays so.
        let at = text.len() / 2;
        let other = if text.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        let at = if member == "clientDataJSON" {
            0
        } else if member == "authenticatorData" {
            5
        } else {
            at
        };
        let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        body["credential"]["response"][member] = json!(altered);
        refused(&app.post("/mfa/verify", body).await, reason);
    }
    // Not a credential at all: said before anything is judged.
    let opened = challenge(&app, "ann").await;
    let body =
        json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": {"id": 5}});
    refused(&app.post("/mfa/verify", body).await, "malformed");
    let row = app.db.rows("SELECT state FROM accounts").await;
    assert!(
        row[0]["state"]
            .as_str()
            .unwrap()
            .contains(r#""counters":{}"#),
        "{row:?}"
    );
    assert_eq!(app.status("ann").await["locked_until"], Value::Null);
    login(&app, "ann", &passkey).await.expect(200);
}

#[tokio::test]
async fn atk_94_user_presence_is_wanted_always_and_verification_where_the_client_says_so() {
    let (app, mut passkey) = with_passkey().await;
    passkey.flags = UP;
    let verified = login(&app, "ann", &passkey).await.expect(200);
    assert_eq!(verified["user_verified"], false);
    passkey.flags = UV;
    refused(&login(&app, "ann", &passkey).await, "user_verification");

    let app = TestApp::with_settings(json!({"passkey_user_verification": "required"})).await;
    let mut passkey = Passkey::new(7);
    passkey.flags = UP;
    let opened = options(&app, "ann").await;
    assert_eq!(
        opened["publicKey"]["authenticatorSelection"]["userVerification"],
        "required"
    );
    let body = registration(&opened, &passkey, "ann");
    // Without UV in a registration, whatever else is right.
    let mut script = passkey.made().asked(&opened["publicKey"], ISSUER);
    script.flags &= !UV;
    let without = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.register(&passkey.key)});
    refused(
        &app.post("/mfa/passkeys", without).await,
        "user_verification",
    );
    drop(body);
    passkey.flags = UP | UV;
    register(&app, "ann", &passkey).await;
    passkey.flags = UP;
    refused(&login(&app, "ann", &passkey).await, "user_verification");
    passkey.flags = UP | UV;
    login(&app, "ann", &passkey).await.expect(200);
}

#[tokio::test]
async fn atk_94_a_counter_that_goes_back_is_an_event_and_ends_a_login_unless_there_are_copies() {
    let (app, mut passkey) = with_passkey().await;
    passkey.count = 5;
    login(&app, "ann", &passkey).await.expect(200);
    for count in [5, 4] {
        passkey.count = count;
        refused(&login(&app, "ann", &passkey).await, "counter");
    }
    passkey.count = 6;
    login(&app, "ann", &passkey).await.expect(200);
    let events = app.events("ann").await;
    let copied = events
        .iter()
        .filter(|event| *event == "passkey_counter_went_back");
    assert_eq!(copied.count(), 2);

    let mut synced = Passkey::new(8);
    synced.flags |= BE | BS;
    register(&app, "bob", &synced).await;
    synced.count = 5;
    login(&app, "bob", &synced).await.expect(200);
    synced.count = 4;
    login(&app, "bob", &synced).await.expect(200);
    assert_eq!(
        app.events("bob").await,
        [
            "factor_added",
            "verified",
            "verified",
            "passkey_counter_went_back"
        ]
    );
    // What it says of its copies is as of the last use.
    synced.flags &= !BS;
    synced.count = 9;
    login(&app, "bob", &synced).await.expect(200);
    let listed = app.get("/mfa/factors?user_id=bob").await.expect(200);
    assert_eq!(listed["factors"][0]["backed_up"], false);
}

#[tokio::test]
async fn atk_95_a_credential_is_one_users_of_a_client() {
    let (app, passkey) = with_passkey().await;
    let stolen = Passkey {
        key: Key::es256(9),
        ..Passkey::new(7)
    };
    for user in ["bob", "ann"] {
        let opened = options(&app, user).await;
        let body = registration(&opened, &stolen, user);
        app.post("/mfa/passkeys", body.clone())
            .await
            .fails(409, "already_registered");
        if user == "bob" {
            refused(&app.post("/mfa/passkeys", body).await, "challenge");
        }
    }
    assert_eq!(app.status("bob").await["mfa_enabled"], false);
    login(&app, "ann", &passkey).await.expect(200);
    // It is free again with the factor, with MFA, with the user and with the client.
    let second = Passkey::new(10);
    let factor = register(&app, "ann", &second).await;
    let path = format!("/mfa/factors/{}", factor["id"].as_str().unwrap());
    let remove = TestApp::request(
        http::Method::DELETE,
        &path,
        Some(&app.fresh_token()),
        r#"{"user_id":"ann"}"#,
    );
    app.send(remove).await.expect(200);
    register(&app, "bob", &second).await;
    app.disable("bob").await.expect(200);
    register(&app, "bob", &second).await;
    let delete = TestApp::request(
        http::Method::DELETE,
        "/mfa/users/bob",
        Some(&app.fresh_token()),
        "",
    );
    app.send(delete).await.expect(204);
    register(&app, "carol", &second).await;
    let rows = app
        .db
        .rows("SELECT user_id FROM passkeys ORDER BY user_id")
        .await;
    let users: Vec<&str> = rows
        .iter()
        .map(|row| row["user_id"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["ann", "carol"]);
    app.admin(http::Method::DELETE, "/admin/clients/shop", Value::Null)
        .await
        .expect(204);
    assert!(app.db.rows("SELECT user_id FROM passkeys").await.is_empty());
}

#[tokio::test]
async fn atk_95_of_users_who_register_one_credential_at_once_one_has_it() {
    let app = TestApp::new().await;
    let passkey = Passkey::new(7);
    let users = ["ann", "bob", "carol", "dan", "eve", "fay", "gil", "hal"];
    let mut bodies = Vec::new();
    for user in users {
        let opened = options(&app, user).await;
        bodies.push(registration(&opened, &passkey, user));
    }
    let requests = bodies
        .iter()
        .map(|body| app.post("/mfa/passkeys", body.clone()));
    let replies = join_all(requests).await;
    let mut owners = Vec::new();
    for (user, reply) in users.iter().zip(&replies) {
        if reply.status == 200 {
            owners.push(*user);
        } else {
            reply.fails(409, "already_registered");
        }
        let enabled = app.status(user).await["mfa_enabled"] == true;
        assert_eq!(enabled, reply.status == 200, "{user}");
    }
    let [owner] = owners[..] else {
        panic!("{owners:?}");
    };
    login(&app, owner, &passkey).await.expect(200);
    let rows = app.db.rows("SELECT user_id FROM passkeys").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["user_id"], owner);
}

#[tokio::test]
async fn atk_96_a_stolen_token_adds_no_factor_while_step_up_is_on() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let authenticator = app.enrolled("ann").await;
    app.of_user("/mfa/passkeys/options", "ann")
        .await
        .fails(403, "step_up_required");
    app.post("/mfa/factors", json!({"user_id": "ann", "type": "totp"}))
        .await
        .fails(403, "step_up_required");
    let active = json!({"user_id": "ann", "type": "totp", "confirm": false});
    app.post("/mfa/factors", active)
        .await
        .fails(403, "step_up_required");
    // A challenge that nobody proved anything for does not exist, so there is nothing to answer.
    let made_up = json!({"challenge_id": "0".repeat(32), "publicKey": {"rp": {"id": "mfa.example.com"}, "challenge": "AA"}});
    let passkey = Passkey::new(7);
    refused(
        &app.post("/mfa/passkeys", registration(&made_up, &passkey, "ann"))
            .await,
        "challenge",
    );

    app.advance(30);
    let wrong = json!({"user_id": "ann", "code": authenticator.wrong(app.now())});
    app.post("/mfa/passkeys/options", wrong)
        .await
        .fails(400, "invalid_code");
    let proved = json!({"user_id": "ann", "code": authenticator.code(app.now())});
    let opened = app.post("/mfa/passkeys/options", proved).await.expect(200);
    app.post("/mfa/passkeys", registration(&opened, &passkey, "ann"))
        .await
        .expect(200);

    // From then on the passkey is a proof as well, for everything that asks for one.
    let opened = challenge(&app, "ann").await;
    let mut body = assertion(&opened, &passkey, "ann");
    body["type"] = json!("totp");
    app.post("/mfa/factors", body.clone()).await.expect(200);
    refused(&app.post("/mfa/factors", body).await, "challenge");
    for path in [
        "/mfa/renew",
        "/mfa/recovery-codes",
        "/mfa/contact",
        "/mfa/disable",
    ] {
        let opened = challenge(&app, "ann").await;
        app.post(path, assertion(&opened, &passkey, "ann"))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn atk_96_what_was_begun_before_mfa_was_on_is_not_ended_after() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let begun = options(&app, "ann").await;
    let pending = app.register("ann").await.expect(200);
    let first = Passkey::new(7);
    let opened = options(&app, "ann").await;
    refused(
        &app.post(
            "/mfa/passkeys",
            registration(&begun, &Passkey::new(9), "ann"),
        )
        .await,
        "challenge",
    );
    app.post("/mfa/passkeys", registration(&opened, &first, "ann"))
        .await
        .expect(200);
    let code = Authenticator::of(&pending).code(app.now());
    app.verify("ann", &code).await.fails(400, "invalid_code");
    let factors = app.get("/mfa/factors?user_id=ann").await.expect(200);
    assert_eq!(factors["factors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_first_passkey_alone_brings_the_first_recovery_codes_without_another_proof() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    register(&app, "ann", &Passkey::new(7)).await;
    app.recovery_codes("ann").await.expect(200);
    app.recovery_codes("ann")
        .await
        .fails(403, "step_up_required");
}

#[tokio::test]
async fn rate_11_a_passkey_ends_no_row_of_failures_and_no_lock_keeps_it_out() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let passkey = Passkey::new(7);
    register(&app, "ann", &passkey).await;
    for left in [4, 3, 2, 1] {
        login(&app, "ann", &passkey).await.expect(200);
        let wrong = app.verify("ann", &authenticator.wrong(app.now())).await;
        assert_eq!(wrong.fails(400, "invalid_code")["attempts_remaining"], left);
    }
    app.guess_wrong("ann", &authenticator, 1).await;
    app.guess_right("ann", &authenticator)
        .await
        .fails(429, "locked");
    login(&app, "ann", &passkey).await.expect(200);
    app.guess_right("ann", &authenticator)
        .await
        .fails(429, "locked");
}

#[tokio::test]
async fn keys_of_all_three_kinds_register_and_log_in_and_a_large_answer_fits_into_a_body() {
    let app = TestApp::new().await;
    for (user, key) in [
        ("a", Key::es256(1)),
        ("b", Key::ed25519(2)),
        ("c", Key::rs256()),
    ] {
        let mut passkey = Passkey {
            key,
            ..Passkey::new(user.as_bytes()[0])
        };
        let opened = options(&app, user).await;
        let mut script = passkey.made().asked(&opened["publicKey"], ISSUER);
        // As long as a TPM's, with its certificates.
        script.attestation = Attestation::Other("tpm", vec![0xa0; 1]);
        if user == "c" {
            let statement = [&[0xa1, 0x61, b'x', 0x59, 0x17, 0x70][..], &[0; 6000]].concat();
            script.attestation = Attestation::Other("tpm", statement);
        }
        let body = json!({"user_id": user, "challenge_id": opened["challenge_id"], "credential": script.register(&passkey.key)});
        app.post("/mfa/passkeys", body).await.expect(200);
        passkey.count = 1;
        login(&app, user, &passkey).await.expect(200);
    }
}

#[tokio::test]
async fn passkeys_are_bound_to_the_clients_own_domain_where_it_sets_one() {
    let settings = json!({"passkey_rp_id": "shop.example", "passkey_origins": [SHOP, "https://login.shop.example"]});
    let app = TestApp::with_settings(settings).await;
    let passkey = Passkey::new(7);
    register(&app, "ann", &passkey).await;
    login(&app, "ann", &passkey).await.expect(200);
    let opened = challenge(&app, "ann").await;
    let script = passkey.used().asked(&opened["publicKey"], ISSUER);
    let body = json!({"user_id": "ann", "challenge_id": opened["challenge_id"], "credential": script.assert(&passkey.key)});
    refused(&app.post("/mfa/verify", body).await, "origin");

    for (settings, field) in [
        (
            json!({"passkey_rp_id": "https://shop.example"}),
            "settings.passkey_rp_id",
        ),
        (
            json!({"passkey_origins": ["https://evil.example"]}),
            "settings.passkey_origins",
        ),
        (
            json!({"passkey_origins": ["http://shop.example"]}),
            "settings.passkey_origins",
        ),
        (
            json!({"passkey_rp_id": "login.shop.example"}),
            "settings.passkey_origins",
        ),
        (
            json!({"passkey_user_verification": "always"}),
            "settings.passkey_user_verification",
        ),
    ] {
        let body = json!({"settings": settings});
        let reply = app
            .admin(http::Method::PATCH, "/admin/clients/shop", body)
            .await;
        assert_eq!(reply.fails(400, "invalid_request")["field"], field);
    }
}

#[tokio::test]
async fn without_a_passkey_or_where_the_client_uses_none_there_is_nothing_to_ask_for() {
    let app = TestApp::new().await;
    app.of_user("/mfa/passkeys/challenge", "ann")
        .await
        .fails(404, "user_not_found");
    app.enrolled("ann").await;
    app.of_user("/mfa/passkeys/challenge", "ann")
        .await
        .fails(409, "mfa_not_enabled");
    let app = TestApp::with_settings(json!({"methods": ["totp"]})).await;
    app.of_user("/mfa/passkeys/options", "ann")
        .await
        .fails(403, "method_not_allowed");
    app.enrolled("ann").await;
    app.of_user("/mfa/passkeys/challenge", "ann")
        .await
        .fails(403, "method_not_allowed");
    let body = json!({"user_id": "ann", "challenge_id": "x", "credential": Passkey::new(7).used().assert(&Key::es256(7))});
    app.post("/mfa/verify", body)
        .await
        .fails(403, "method_not_allowed");
}

#[tokio::test]
async fn a_request_has_a_code_or_a_challenge_with_its_credential() {
    let (app, passkey) = with_passkey().await;
    let opened = challenge(&app, "ann").await;
    let whole = assertion(&opened, &passkey, "ann");
    for (without, also, field) in [
        ("credential", None, "credential"),
        ("challenge_id", None, "challenge_id"),
        ("", Some(("code", "123456")), "code"),
        ("", Some(("method", "totp")), "method"),
    ] {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(without);
        if let Some((name, value)) = also {
            body[name] = json!(value);
        }
        let reply = app.post("/mfa/verify", body).await;
        assert_eq!(reply.fails(400, "invalid_request")["field"], field);
    }
    app.post("/mfa/verify", whole).await.expect(200);
}

#[tokio::test]
async fn cry_15_after_a_restore_no_challenge_of_before_is_answered() {
    let (app, passkey) = with_passkey().await;
    let opened = challenge(&app, "ann").await;
    app.advance(10);
    let restored = app.now().to_string();
    let app = app.redeployed(&[("RESTORED_AT", &restored)]);
    refused(
        &app.post("/mfa/verify", assertion(&opened, &passkey, "ann"))
            .await,
        "challenge",
    );
    login(&app, "ann", &passkey).await.expect(200);
}

#[tokio::test]
async fn atk_74_a_passkey_moved_to_another_user_opens_nothing() {
    let (app, passkey) = with_passkey().await;
    register(&app, "bob", &Passkey::new(8)).await;
    let move_it = "UPDATE accounts SET state = (SELECT state FROM accounts WHERE user_id = 'ann') WHERE user_id = 'bob'";
    app.db.execute(move_it.to_owned()).await;
    app.of_user("/mfa/passkeys/challenge", "bob")
        .await
        .fails(500, "internal");
    login(&app, "ann", &passkey).await.expect(200);
}

#[tokio::test]
async fn a_login_by_passkey_is_two_round_trips() {
    let (app, passkey) = with_passkey().await;
    let opened = challenge(&app, "ann").await;
    app.db.trips();
    app.post("/mfa/verify", assertion(&opened, &passkey, "ann"))
        .await
        .expect(200);
    assert_eq!(app.db.trips(), 2);
}
