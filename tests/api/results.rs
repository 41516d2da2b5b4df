//! Results that others can verify: `result_token` in POST /mfa/verify, and the keys to verify it with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado_testkit::{ISSUER, K1, K2, Reply, TestApp};
use http::Method;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

/// What another service does that trusts this one: strict about everything a result can be wrong in.
pub(crate) fn verified(
    token: &str,
    keys: &Value,
    audience: &str,
    now: u64,
) -> Result<Value, &'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return Err("parts");
    };
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "base64");
    let json = |part: &str| serde_json::from_slice::<Value>(&bytes(part)?).map_err(|_| "json");
    let header = json(header)?;
    if header["alg"] != "ES256" || header["typ"] != "candado-result+jwt" {
        return Err("header");
    }
    let key = keys["keys"].as_array().unwrap().iter();
    let key = key
        .into_iter()
        .find(|key| key["kid"] == header["kid"])
        .ok_or("key")?;
    let coordinate = |name: &str| bytes(key[name].as_str().unwrap());
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    let message = &token[..token.rfind('.').unwrap()];
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message.as_bytes(), &bytes(signature)?)
        .map_err(|_| "signature")?;
    let claims = json(claims)?;
    if claims["iss"] != ISSUER || claims["aud"] != audience {
        return Err("audience");
    }
    if claims["exp"].as_u64().unwrap() <= now {
        return Err("expired");
    }
    Ok(claims)
}

pub(crate) async fn keys(app: &TestApp) -> Value {
    let request = TestApp::request(Method::GET, "/.well-known/jwks.json", None, "");
    app.send(request).await.expect(200)
}

async fn ask(app: &TestApp, code: &str) -> Reply {
    let body = json!({"user_id": "ann", "code": code, "result_token": true, "nonce": "n 1"});
    app.post("/mfa/verify", body).await
}

fn token(reply: &Reply) -> String {
    let body = reply.expect(200);
    body["result_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_result_says_who_proved_what_to_whom_and_when() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let result = token(&ask(&app, &authenticator.code(app.now())).await);
    let claims = verified(&result, &keys(&app).await, "shop", app.now()).unwrap();
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 32);
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "aud": "shop", "sub": "ann", "iat": app.now(), "exp": app.now() + 300,
            "auth_time": app.now(), "jti": jti, "amr": ["otp"], "nonce": "n 1",
        })
    );
    app.advance(30);
    let again = token(&ask(&app, &authenticator.code(app.now())).await);
    let again = verified(&again, &keys(&app).await, "shop", app.now()).unwrap();
    assert_ne!(again["jti"], jti, "each result has a name of its own");
}

#[tokio::test]
async fn amr_names_what_rfc_8176_has_a_name_for_and_a_recovery_has_none() {
    let app = TestApp::with_ann().await;
    let jwks = keys(&app).await;
    app.sms("ann").await.expect(200);
    let reply = ask(&app, &app.outbox.last().code()).await;
    let claims = verified(&token(&reply), &jwks, "shop", app.now()).unwrap();
    assert_eq!(claims["amr"], json!(["sms"]));
    app.email("ann").await.expect(200);
    let email = app.outbox.last().code();
    let codes = app.recovery_codes("ann").await.expect(200);
    app.advance(60);
    app.recover("ann", "email").await.expect(200);
    let generated = app.generate("ann").await.expect(200);
    let others = [
        email,
        codes["recovery_codes"][0].as_str().unwrap().to_owned(),
        app.outbox.last().code(),
        generated["code"].as_str().unwrap().to_owned(),
    ];
    for code in others {
        let reply = ask(&app, &code).await;
        let claims = verified(&token(&reply), &jwks, "shop", app.now()).unwrap();
        assert_eq!(claims["amr"], json!([]), "{reply:?}");
    }
}

#[tokio::test]
async fn a_result_is_given_only_where_it_is_asked_for() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let code = authenticator.code(app.now());
    let body = json!({"user_id": "ann", "code": code, "nonce": "n"});
    let failure = app.post("/mfa/verify", body).await;
    assert_eq!(failure.fails(400, "invalid_request")["field"], "nonce");
    for nonce in [json!(""), json!("n".repeat(129)), json!("a\nb"), json!(7)] {
        let body = json!({"user_id": "ann", "code": code, "result_token": true, "nonce": nonce});
        let failure = app.post("/mfa/verify", body).await;
        assert_eq!(failure.fails(400, "invalid_request")["field"], "nonce");
    }
    let body = json!({"user_id": "ann", "code": code, "result_token": false});
    let plain = app.post("/mfa/verify", body).await.expect(200);
    assert!(
        plain.get("result_token").is_none(),
        "and no request above spent the code"
    );
}

#[tokio::test]
async fn atk_110_an_altered_result_and_one_for_another_are_refused() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let result = token(&ask(&app, &authenticator.code(app.now())).await);
    let (jwks, now) = (keys(&app).await, app.now());
    assert!(verified(&result, &jwks, "shop", now).is_ok());
    assert_eq!(verified(&result, &jwks, "bank", now), Err("audience"));
    assert!(verified(&result, &jwks, "shop", now + 299).is_ok());
    assert_eq!(verified(&result, &jwks, "shop", now + 300), Err("expired"));
    let [header, claims, signature] = result.split('.').collect::<Vec<_>>()[..] else {
        panic!("{result}");
    };
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let other = URL_SAFE_NO_PAD.encode(text.replace("\"ann\"", "\"bob\""));
    let forged = format!("{header}.{other}.{signature}");
    assert_eq!(verified(&forged, &jwks, "shop", now), Err("signature"));
    for alg in ["none", "HS256"] {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        let header = URL_SAFE_NO_PAD.encode(text.replace("ES256", alg));
        for signature in ["", signature] {
            let forged = format!("{header}.{claims}.{signature}");
            assert_eq!(verified(&forged, &jwks, "shop", now), Err("header"));
        }
    }
    // Nor is it an access token here.
    app.post_as(&result, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn atk_110_no_failed_history_has_a_result() {
    let app = TestApp::new().await;
    let mut failures = vec![ask(&app, "123456").await];
    app.register("ann").await.expect(200);
    failures.push(ask(&app, "000000").await);
    let authenticator = app.enrolled("ann").await;
    failures.push(ask(&app, &authenticator.code(app.now())).await);
    failures.push(ask(&app, "no code").await);
    for _ in 0..6 {
        failures.push(ask(&app, &authenticator.wrong(app.now())).await);
    }
    let right = authenticator.code(app.now() + 30);
    failures.push(ask(&app, &right).await);
    app.advance(3600);
    app.db.fail_at(1, true);
    failures.push(ask(&app, &authenticator.code(app.now())).await);
    app.disable("ann").await.expect(200);
    failures.push(ask(&app, &authenticator.code(app.now())).await);
    for failure in &failures {
        assert!(failure.status >= 400, "{failure:?}");
        assert!(failure.json().get("result_token").is_none(), "{failure:?}");
    }
    let errors: Vec<Value> = failures
        .iter()
        .map(|it| it.json()["error"].clone())
        .collect();
    for wanted in [
        "user_not_found",
        "invalid_code",
        "code_already_used",
        "locked",
        "unavailable",
        "mfa_not_enabled",
    ] {
        assert!(errors.contains(&json!(wanted)), "{wanted}: {errors:?}");
    }
}

#[tokio::test]
async fn atk_110_a_key_is_known_before_it_signs_and_until_the_ring_drops_it() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let first = token(&ask(&app, &authenticator.code(app.now())).await);
    let announced = app.redeployed(&[("MASTER_KEYS", &format!("{K1},{K2}"))]);
    let (one, two) = (keys(&app).await, keys(&announced).await);
    let names = |keys: &Value| -> Vec<String> {
        let keys = keys["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!((names(&one).len(), names(&two).len()), (1, 2));
    assert_eq!(names(&one)[0], names(&two)[0], "the same key signs");
    let rotated = app.redeployed(&[("MASTER_KEYS", &format!("{K2},{K1}"))]);
    rotated.advance(30);
    let second = token(&ask(&rotated, &authenticator.code(rotated.now())).await);
    let now = rotated.now();
    assert!(verified(&second, &two, "shop", now).is_ok(), "known before");
    assert_eq!(verified(&second, &one, "shop", now), Err("key"));
    assert!(verified(&first, &keys(&rotated).await, "shop", now).is_ok());
    let retired = app.redeployed(&[("MASTER_KEYS", K2)]);
    let left = keys(&retired).await;
    assert_eq!(verified(&first, &left, "shop", now), Err("key"));
    assert!(verified(&second, &left, "shop", now).is_ok());
    // Another key under a name that was used before is another key to verifiers, too.
    let renamed = app.redeployed(&[("MASTER_KEYS", &K2.replace("k2:", "k1:"))]);
    assert_eq!(names(&keys(&renamed).await), names(&left));
}

#[tokio::test]
async fn the_keys_are_public_may_be_kept_and_are_only_public() {
    let app = TestApp::new().await;
    app.db.trips();
    let request = TestApp::request(Method::GET, "/.well-known/jwks.json", None, "");
    let reply = app.send(request).await;
    assert_eq!(app.db.trips(), 0);
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    let body = reply.expect(200);
    let key = body["keys"][0].as_object().unwrap();
    let mut members: Vec<&str> = key.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[tokio::test]
async fn a_result_takes_no_further_way_to_the_database() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    app.db.trips();
    ask(&app, &authenticator.code(app.now())).await.expect(200);
    assert_eq!(app.db.trips(), 2);
}
