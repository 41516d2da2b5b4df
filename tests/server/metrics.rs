//! What a Prometheus reads of the program, and that dashboard and rules ask for nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use regex::Regex;
use serde_json::{Value, json};

use crate::program::{ADMIN_TOKEN, Directory, PRODUCTION, Program};
use crate::{code, development, enrolled, verify, wrong_code};

const LISTEN: (&str, &str) = ("METRICS_LISTEN", "127.0.0.1:0");

fn address(program: &Program) -> SocketAddr {
    let line = program.line("metrics are at ");
    let address = line.split("http://").nth(1).unwrap();
    address.split('/').next().unwrap().parse().unwrap()
}

fn read(address: SocketAddr) -> String {
    let reply = Program::send_to(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(reply.status, 200, "{}", reply.head);
    assert!(
        reply
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        reply.head
    );
    reply.text
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|other| other == line), "{line}\n{text}");
}

/// Takes messages as Twilio does, and gives every one's text.
fn provider() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut message = String::new();
        while !message.contains("Body=") {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).unwrap();
            message.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
        let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
        message
    });
    (address, taken)
}

#[test]
fn log_02_metrics_count_what_happened_and_name_nobody() {
    let (twilio, message) = provider();
    let directory = Directory::new("metrics");
    let mut variables = development(&twilio);
    variables.push(LISTEN);
    let program = Program::start(&directory, &variables);
    let address = address(&program);
    let (client_secret, token) = program.client();
    let ann = enrolled(&program, &token, "ann@example.com");
    let used = code(&ann);
    verify(&program, &token, "ann@example.com", &used).expect(200);
    verify(&program, &token, "ann@example.com", &used).fails(400, "code_already_used");
    let wrong = wrong_code(&ann);
    verify(&program, &token, "ann@example.com", &wrong).fails(400, "invalid_code");
    verify(&program, &token, "nobody", "123456").fails(404, "user_not_found");
    let body = json!({"user_id": "ann@example.com", "phone": "+34600111222"});
    program.post("/mfa/contact", &token, &body).expect(200);
    let body = json!({"user_id": "ann@example.com"});
    program.post("/mfa/sms", &token, &body).expect(200);
    let sent = message.join().unwrap();
    let sent: String = sent
        .split("Body=")
        .nth(1)
        .unwrap()
        .chars()
        .take(6)
        .collect();
    verify(&program, &token, "ann@example.com", &sent).expect(200);
    program
        .post("/mfa/sms", &token, &body)
        .fails(429, "send_limited");
    program
        .get("/no/such/ann@example.com", &token)
        .fails(404, "not_found");

    let text = read(address);
    for line in [
        r#"candado_verifications_total{method="totp",outcome="success"} 1"#,
        r#"candado_verifications_total{method="sms",outcome="success"} 1"#,
        r#"candado_verifications_total{method="unknown",outcome="code_already_used"} 1"#,
        r#"candado_verifications_total{method="unknown",outcome="invalid_code"} 1"#,
        r#"candado_verifications_total{method="unknown",outcome="user_not_found"} 1"#,
        r#"candado_messages_total{channel="sms",outcome="success"} 1"#,
        r#"candado_messages_total{channel="sms",outcome="send_limited"} 1"#,
        r#"candado_requests_total{method="POST",route="/mfa/verify",status="200"} 2"#,
        r#"candado_requests_total{method="POST",route="/mfa/verify",status="400"} 2"#,
        r#"candado_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"candado_request_duration_seconds_count{method="POST",route="/mfa/verify"} 5"#,
        r#"candado_errors_total{error="invalid_code"} 1"#,
        r#"candado_database_errors_total{operation="write"} 0"#,
        "candado_connections_limit 500",
        "candado_accounts_of_keys_not_in_ring 0",
    ] {
        has(&text, line);
    }
    // Without the values, whose digits may be those of a code by chance.
    let named = text.lines().map(|line| line.rsplit_once(' ').unwrap().0);
    let named = named.collect::<Vec<_>>().join("\n");
    for hidden in [
        &used,
        &wrong,
        &sent,
        &token,
        &client_secret,
        ADMIN_TOKEN,
        "ann@",
        "nobody",
        "shop",
        "+346",
        "34600111222",
    ] {
        assert!(!named.contains(hidden), "{hidden} in {named}");
    }
}

#[test]
fn metrics_are_on_their_own_socket_and_nowhere_unless_asked_for() {
    let directory = Directory::new("metrics-off");
    let program = Program::start(&directory, PRODUCTION);
    program.get("/metrics", "").fails(404, "not_found");
    program.get("/metrics", ADMIN_TOKEN).fails(404, "not_found");
    assert!(!program.terminate().contains("metrics"));

    let mut variables = PRODUCTION.to_vec();
    variables.push(LISTEN);
    let program = Program::start(&directory, &variables);
    let address = address(&program);
    program.get("/metrics", "").fails(404, "not_found");
    let status = |request: &str| Program::send_to(address, request).status;
    assert_eq!(status("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    assert_eq!(
        status("POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
        404
    );
    assert_eq!(status("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
}

/// Somebody who keeps the metrics' connections must not keep the service's.
#[test]
fn atk_82_whoever_holds_the_metrics_connections_holds_up_nobody_else() {
    let directory = Directory::new("metrics-held");
    let mut variables = PRODUCTION.to_vec();
    variables.push(LISTEN);
    let program = Program::start(&directory, &variables);
    let address = address(&program);
    let held: Vec<_> = (0..40)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    program.get("/health", "").expect(200);
    drop(held);
    read(address);
}

/// Every name of a metric in a text, without what a histogram adds.
fn names(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(?:candado|process)_[a-z_]+[a-z]\b").unwrap();
    let found = name.find_iter(text);
    let bare = |name: &str| {
        let endings = ["_bucket", "_sum", "_count"];
        let ending = endings.iter().find_map(|ending| name.strip_suffix(ending));
        ending.unwrap_or(name).to_owned()
    };
    found.map(|name| bare(name.as_str())).collect()
}

#[test]
fn dashboard_rules_and_guide_name_metrics_that_exist() {
    let directory = Directory::new("metrics-names");
    let (twilio, message) = provider();
    let mut variables = development(&twilio);
    variables.push(LISTEN);
    let program = Program::start(&directory, &variables);
    let address = address(&program);
    let (_, token) = program.client();
    let ann = enrolled(&program, &token, "ann");
    verify(&program, &token, "ann", &wrong_code(&ann)).fails(400, "invalid_code");
    let body = json!({"user_id": "ann", "phone": "+34600111222"});
    program.post("/mfa/contact", &token, &body).expect(200);
    program
        .post("/mfa/sms", &token, &json!({"user_id": "ann"}))
        .expect(200);
    message.join().unwrap();
    let mut there = names(&read(address));
    // Those of the other engine; `npm run test:postgres` reads them.
    let postgres = [
        "connections_in_use",
        "connections_idle",
        "connections_limit",
        "waiting",
    ];
    there.extend(postgres.map(|name| format!("candado_postgres_{name}")));

    let root = env!("CARGO_MANIFEST_DIR");
    for path in [
        "deploy/grafana/candado.json",
        "deploy/prometheus/alerts.yml",
        "docs/guides/monitoring.md",
    ] {
        let text = fs::read_to_string(format!("{root}/{path}")).unwrap();
        let asked = names(&text);
        assert!(asked.len() >= 10, "{path}: {asked:?}");
        let missing: Vec<_> = asked.difference(&there).collect();
        assert!(missing.is_empty(), "{path} names {missing:?}");
    }
    let guide = fs::read_to_string(format!("{root}/docs/guides/monitoring.md")).unwrap();
    let untold: Vec<_> = there.difference(&names(&guide)).cloned().collect();
    assert!(untold.is_empty(), "the guide does not name {untold:?}");
    let dashboard = fs::read_to_string(format!("{root}/deploy/grafana/candado.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() >= 10);
}
