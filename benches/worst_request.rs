//! The CPU of the most expensive requests, natively: the whole service on SQLite in memory, against the
//! 10 ms a request has on the free plan. The wasm is slower; `worker.mjs` measures that one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark has nobody to report to"
)]

use std::time::Instant;

use candado::api;
use candado_testkit::TestApp;
use http::Method;
use serde_json::{Value, json};

const RUNS: usize = 300;

/// All an account can hold: an app and its pending twin with the longest secrets, ten recovery codes, and
/// a live code on every channel. Returns the path of the QR code.
async fn fullest_account(app: &TestApp) -> String {
    let ann = json!({"user_id": "ann"});
    let user = json!({
        "user_id": "ann", "phone": "+34600111222", "email": "ann@example.com", "algorithm": "SHA512", "confirm": false
    });
    app.post("/mfa/register", user).await.expect(200);
    let renewed = app.post("/mfa/renew", ann.clone()).await.expect(200);
    for path in [
        "/mfa/recovery-codes",
        "/mfa/sms",
        "/mfa/email",
        "/mfa/generate",
    ] {
        app.post(path, ann.clone()).await.expect(200);
    }
    app.advance(61);
    let recovery = json!({"user_id": "ann", "recovery_method": "sms"});
    app.post("/mfa/recovery", recovery).await.expect(200);
    let url = renewed["qr_code_url"].as_str().unwrap();
    url.trim_start_matches("https://mfa.example.com").to_owned()
}

fn main() {
    // `cargo test --benches` calls this too; measuring is not testing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = TestApp::new().await;
        let picture = fullest_account(&app).await;
        app.db.execute("CREATE TABLE kept AS SELECT * FROM accounts".to_owned()).await;
        let full = |body: Value| {
            let text = body.to_string();
            format!("{text}{}", " ".repeat(api::BODY_LIMIT - text.len()))
        };
        println!("{RUNS} runs each, natively, SQLite in memory: nothing waits, so time is CPU");
        for (name, path, body) in [
            ("verify, six digits, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "000000"}))),
            ("verify, eight digits, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "00000000"}))),
            ("verify, recovery code, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "0000-0000-0000-0000-0000-0000"}))),
            ("ten recovery codes, body of 16 KiB", "/mfa/recovery-codes", full(json!({"user_id": "ann"}))),
            ("renew, body of 16 KiB", "/mfa/renew", full(json!({"user_id": "ann"}))),
            ("register, body of 16 KiB", "/mfa/register", full(json!({"user_id": "new", "algorithm": "SHA512", "phone": "+34600111223", "email": "new@example.com"}))),
            ("a body of 16 KiB that is one field too many", "/mfa/verify", format!(r#"{{"user_id":"ann","x":"{}"}}"#, "x".repeat(api::BODY_LIMIT - 40))),
            ("QR code as PNG", picture.as_str(), String::new()),
            ("status", "/mfa/status?user_id=ann", String::new()),
        ] {
            let mut times = Vec::new();
            for _ in 0..RUNS {
                app.db.execute("DELETE FROM accounts".to_owned()).await;
                app.db.execute("INSERT INTO accounts SELECT * FROM kept".to_owned()).await;
                let method = if body.is_empty() { Method::GET } else { Method::POST };
                let request = TestApp::request(method, path, Some(&app.fresh_token()), &body);
                let began = now();
                let reply = app.send(request).await;
                times.push(began.elapsed().as_secs_f64() * 1e3);
                assert!(reply.status < 429, "{}", reply.status);
            }
            times.sort_by(f64::total_cmp);
            let at = |share: usize| times[(RUNS - 1) * share / 100];
            println!("{name:<48} median {:>6.3} ms   99 % below {:>6.3} ms", at(50), at(99));
        }
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs natively, and time is what it measures"
)]
fn now() -> Instant {
    Instant::now()
}
