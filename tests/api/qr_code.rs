//! The QR code behind its link.

use candado_testkit::{Authenticator, TestApp};
use http::{Method, Request};
use serde_json::json;

async fn fetch_qr(app: &TestApp, url: &str) -> candado_testkit::Reply {
    let path = url.strip_prefix("https://mfa.example.com").unwrap();
    app.send(TestApp::request(Method::GET, path, None, ""))
        .await
}

#[tokio::test]
async fn atk_44_a_qr_link_shows_one_pending_secret_and_dies_with_it() {
    let app = TestApp::new().await;
    let reply = app.register("ann").await.expect(200);
    let url = reply["qr_code_url"].as_str().unwrap();
    assert!(!url.contains(reply["secret"].as_str().unwrap()));
    for _ in 0..2 {
        let image = fetch_qr(&app, url).await;
        assert_eq!(
            (image.status, image.header("content-type")),
            (200, "image/png")
        );
        assert_eq!(image.header("referrer-policy"), "no-referrer");
        assert_eq!(image.bytes[..8], *b"\x89PNG\r\n\x1a\n");
    }
    let svg = fetch_qr(&app, &format!("{url}&format=svg")).await;
    assert_eq!(
        (svg.status, svg.header("content-type")),
        (200, "image/svg+xml; charset=utf-8")
    );
    assert_eq!(svg.header("content-security-policy"), "default-src 'none'");

    fetch_qr(&app, &url.replace("/ann?", "/bob?"))
        .await
        .fails(404, "not_found");
    fetch_qr(&app, "https://mfa.example.com/qrcode/ann")
        .await
        .fails(404, "not_found");
    fetch_qr(&app, "https://mfa.example.com/qrcode/ann?t=guess")
        .await
        .fails(404, "not_found");
    fetch_qr(&app, &format!("{url}&format=gif"))
        .await
        .fails(400, "invalid_request");
    fetch_qr(&app, &url.replace("?t=", &format!("?t={}.", app.token)))
        .await
        .fails(404, "not_found");

    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .expect(200);
    fetch_qr(&app, url).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_qr_link_dies_by_time_by_renewal_by_disabling_and_with_the_client() {
    let app = TestApp::new().await;
    let url_of = |reply: serde_json::Value| reply["qr_code_url"].as_str().unwrap().to_owned();
    let register = || app.register("ann");

    let replaced = url_of(register().await.expect(200));
    let expired = url_of(register().await.expect(200));
    fetch_qr(&app, &replaced).await.fails(404, "not_found");
    app.advance(600);
    fetch_qr(&app, &expired).await.fails(404, "not_found");

    let disabled = url_of(register().await.expect(200));
    app.disable("ann").await.expect(200);
    fetch_qr(&app, &disabled).await.fails(404, "not_found");

    let url = url_of(register().await.expect(200));
    app.admin(
        Method::PATCH,
        "/admin/clients/shop",
        json!({"disabled": true}),
    )
    .await
    .expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");

    // What ends the tokens it was made with ends the link for good (a thief may have made it).
    let enable = json!({"disabled": false});
    app.admin(Method::PATCH, "/admin/clients/shop", enable)
        .await
        .expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");
    let app = TestApp::new().await;
    let registered = app.register("ann").await;
    let url = url_of(registered.expect(200));
    assert_eq!(fetch_qr(&app, &url).await.status, 200);
    let rotate = |overlap: u64| {
        let body = json!({"overlap_seconds": overlap});
        app.admin(Method::POST, "/admin/clients/shop/rotate-secret", body)
    };
    rotate(60).await.expect(200);
    assert_eq!(fetch_qr(&app, &url).await.status, 200);
    rotate(0).await.expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");
}

#[tokio::test]
async fn an_access_token_opens_no_qr_code_and_a_user_id_may_hold_a_slash() {
    let app = TestApp::new().await;
    let reply = app
        .post("/mfa/register", json!({"user_id": "a/b?c#d"}))
        .await
        .expect(200);
    let url = reply["qr_code_url"].as_str().unwrap();
    assert!(url.contains("/qrcode/a%2Fb%3Fc%23d?t="), "{url}");
    assert_eq!(fetch_qr(&app, url).await.status, 200);
    let request = Request::get("https://mfa.example.com/qrcode/a%2Fb%3Fc%23d")
        .header("authorization", format!("Bearer {}", app.token));
    app.send(request.body(bytes::Bytes::new()).unwrap())
        .await
        .fails(404, "not_found");
}
