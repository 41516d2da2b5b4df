//! The built program, natively: its start, HTTP over real sockets, what a restart keeps, its end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod cli;
mod copy;
mod draining;
mod logs;
mod metrics;
mod program;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use candado::api::BODY_LIMIT;
use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::time::UnixTime;
use serde_json::{Value, json};

use program::{ADMIN_TOKEN, Directory, KEYS, PRODUCTION, Program, Reply};

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test has the machine's clock"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn secret(enrolment: &Value) -> Vec<u8> {
    let secret = enrolment["secret"].as_str().unwrap();
    base32::decode(base32::Alphabet::Rfc4648 { padding: false }, secret).unwrap()
}

fn code_at(secret: &[u8], at: u64) -> String {
    let parameters = Parameters::default();
    let step = parameters.step_at(UnixTime::from_secs(at));
    let code: NumericCode = parameters.code_at(secret, step);
    code.as_str().to_owned()
}

fn code(secret: &[u8]) -> String {
    code_at(secret, now())
}

/// A code no step near now has.
fn wrong_code(secret: &[u8]) -> String {
    let near: Vec<String> = (0..7)
        .map(|step| code_at(secret, now() + step * 30 - 90))
        .collect();
    let mut codes = (0..8).map(|n| format!("{n:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

fn verify(program: &Program, token: &str, user: &str, code: &str) -> Reply {
    let body = json!({"user_id": user, "code": code});
    program.post("/mfa/verify", token, &body)
}

/// A user whose authenticator counts already; its secret.
fn enrolled(program: &Program, token: &str, user: &str) -> Vec<u8> {
    let body = json!({"user_id": user, "confirm": false});
    secret(&program.post("/mfa/register", token, &body).expect(200))
}

#[test]
fn the_program_serves_and_describes_itself() {
    let directory = Directory::new("describes");
    let program = Program::start(&directory, PRODUCTION);
    let health = program.get("/health", "").expect(200);
    assert_eq!(
        health,
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
    );
    let document = program.get("/openapi.json", "").expect(200);
    assert!(document["paths"]["/mfa/verify"].is_object());
    program.get("/nothing", "").fails(404, "not_found");
    let head =
        "HEAD /health HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
    let head = program.send(head);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert!(head.head.contains("x-request-id: "), "{}", head.head);
}

#[test]
fn atk_05_a_used_code_stays_used_and_a_lock_stays_locked_when_the_program_was_killed() {
    let directory = Directory::new("journey");
    let program = Program::start(&directory, PRODUCTION);
    let (client_secret, token) = program.client();
    let body = json!({"user_id": "ann"});
    let ann = secret(&program.post("/mfa/register", &token, &body).expect(200));
    let used = code(&ann);
    assert_eq!(
        verify(&program, &token, "ann", &used).expect(200)["method"],
        "totp"
    );
    verify(&program, &token, "ann", &used).fails(400, "code_already_used");

    let bob = enrolled(&program, &token, "bob");
    for _ in 0..5 {
        verify(&program, &token, "bob", &wrong_code(&bob)).fails(400, "invalid_code");
    }
    verify(&program, &token, "bob", &code(&bob)).fails(429, "locked");

    let log = program.kill();
    let program = Program::start(&directory, PRODUCTION);
    verify(&program, &token, "ann", &used).fails(400, "code_already_used");
    verify(&program, &token, "bob", &code(&bob)).fails(429, "locked");
    assert_eq!(
        program.get("/mfa/status?user_id=ann", &token).expect(200)["mfa_enabled"],
        true
    );

    assert!(log.contains(r#"{"housekeeping":{"#), "{log}");
    let line = log
        .lines()
        .find(|line| line.contains("/mfa/verify"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["client"], &line["status"], &line["error"]),
        (&json!("shop"), &json!(200), &Value::Null)
    );
    for hidden in [&used, &token, &client_secret, ADMIN_TOKEN, "ann"] {
        assert!(!log.contains(hidden), "LOG-02: {hidden} in {log}");
    }
}

/// What is written at the same time shares a commit: whoever was answered must find it kept all the same.
#[test]
fn atk_05_no_use_that_was_answered_under_load_is_lost_to_a_kill() {
    const USERS: usize = 240;
    let directory = Directory::new("load");
    let program = Program::start(&directory, PRODUCTION);
    let (_, token) = program.client();
    let users: Vec<_> = (0..USERS).map(|number| format!("user-{number}")).collect();
    let register = |user: &String| {
        let body = json!({"user_id": user});
        code(&secret(
            &program.post("/mfa/register", &token, &body).expect(200),
        ))
    };
    let codes: Vec<_> = users.iter().map(register).collect();

    let answered: Vec<AtomicBool> = users.iter().map(|_| AtomicBool::new(false)).collect();
    let answers = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let user = next.fetch_add(1, Ordering::SeqCst);
                    // Whoever is cut off by the kill has no answer.
                    if user >= USERS
                        || try_verify(&program, &token, &users[user], &codes[user]) != Some(200)
                    {
                        return;
                    }
                    answered[user].store(true, Ordering::SeqCst);
                    answers.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while answers.load(Ordering::SeqCst) < USERS / 3 {
            thread::yield_now();
        }
        program.signal("KILL");
    });
    drop(program);

    let program = Program::start(&directory, PRODUCTION);
    let told = |user: usize| answered[user].load(Ordering::SeqCst);
    let count = (0..USERS).filter(|user| told(*user)).count();
    assert!((USERS / 3..USERS).contains(&count), "{count}");
    for user in (0..USERS).filter(|user| told(*user)) {
        verify(&program, &token, &users[user], &codes[user]).fails(400, "code_already_used");
    }
}

/// The status, if there was an answer at all.
fn try_verify(program: &Program, token: &str, user: &str, code: &str) -> Option<u16> {
    let body = json!({"user_id": user, "code": code}).to_string();
    let mut stream = TcpStream::connect(program.address).ok()?;
    let request = Program::request("POST", "/mfa/verify", token, &body);
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer).ok()?.get(9..)?.parse().ok()
}

#[test]
fn atk_01_of_thirty_uses_of_one_code_one_succeeds() {
    let directory = Directory::new("race");
    let program = Program::start(&directory, PRODUCTION);
    let (_, token) = program.client();
    let code = code(&enrolled(&program, &token, "ann"));
    assert_eq!(successes(&[&program], &token, &code), 1);
}

#[test]
fn atk_01_two_programs_on_one_database_accept_a_code_once_between_them() {
    let directory = Directory::new("two");
    let programs = [
        Program::start(&directory, PRODUCTION),
        Program::start(&directory, PRODUCTION),
    ];
    let (_, token) = programs[0].client();
    let code = code(&enrolled(&programs[1], &token, "ann"));
    assert_eq!(successes(&programs.each_ref(), &token, &code), 1);
}

/// How many of thirty uses at a time are accepted. The others may have nothing but a refusal.
fn successes(programs: &[&Program], token: &str, code: &str) -> usize {
    let statuses: Vec<u16> = thread::scope(|scope| {
        let program = programs.iter().cycle();
        let uses: Vec<_> = program
            .take(30)
            .map(|program| scope.spawn(|| verify(program, token, "ann", code).status))
            .collect();
        uses.into_iter().map(|used| used.join().unwrap()).collect()
    });
    let refused = |status: &&u16| matches!(status, 400 | 429);
    let successes = statuses.iter().filter(|status| **status == 200).count();
    let refusals = statuses.iter().filter(refused).count();
    assert_eq!(successes + refusals, 30, "{statuses:?}");
    successes
}

#[test]
fn api_02_16_kib_are_read_and_one_byte_more_is_refused_announced_or_chunked() {
    let directory = Directory::new("body");
    let program = Program::start(&directory, PRODUCTION);
    let head = "POST /auth HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nContent-Type: application/json\r\n";
    let announced = |length: usize| {
        let body = "{}".to_owned() + &" ".repeat(length - 2);
        program.send(&format!("{head}Content-Length: {length}\r\n\r\n{body}"))
    };
    announced(BODY_LIMIT).fails(400, "invalid_request");
    announced(BODY_LIMIT + 1).fails(413, "payload_too_large");
    announced(900 * 1024).fails(413, "payload_too_large");
    let chunked = |length: usize| {
        let body = "{}".to_owned() + &" ".repeat(length - 2);
        let (first, rest) = body.split_at(100);
        program.send(&format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n64\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
            rest.len()
        ))
    };
    chunked(BODY_LIMIT).fails(400, "invalid_request");
    chunked(BODY_LIMIT + 1).fails(413, "payload_too_large");
}

#[test]
fn atk_82_a_body_that_does_not_come_is_given_up() {
    let directory = Directory::new("slow");
    let program = Program::start(&directory, PRODUCTION);
    let reply = program.send(
        "POST /auth HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nContent-Length: 9\r\n\r\n{",
    );
    assert_eq!((reply.status, reply.text.as_str()), (408, ""));
    assert!(reply.head.contains("connection: close"), "{}", reply.head);
}

#[test]
fn api_06_plain_http_is_refused_wherever_it_pretends_to_come_from() {
    let directory = Directory::new("plain");
    let program = Program::start(&directory, PRODUCTION);
    for header in [
        "",
        "X-Forwarded-Proto: http\r\n",
        "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n",
        "X-Forwarded-Proto: https, http\r\n",
        "Forwarded: proto=https\r\n",
        "X-Forwarded-Ssl: on\r\n",
    ] {
        for host in ["mfa.example.com", "localhost"] {
            let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{header}\r\n");
            program.send(&request).fails(403, "https_required");
        }
    }
    let absolute = "GET https://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    program.send(absolute).fails(403, "https_required");
}

#[test]
fn api_06_in_development_plain_http_is_let_through_to_localhost_and_no_header_is_believed() {
    let directory = Directory::new("development");
    let program = Program::start(&directory, &development(""));
    let get = |host: &str| {
        program.send(&format!(
            "GET /health HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\n\r\n"
        ))
    };
    for host in ["localhost", "localhost:8787", "127.0.0.1", "[::1]:1"] {
        get(host).expect(200);
    }
    for host in ["mfa.example.com", "localhost.example.com", "127.0.0.2"] {
        get(host).fails(403, "https_required");
    }
}

#[test]
fn what_is_no_request_of_ours_is_refused_with_a_status_alone() {
    let directory = Directory::new("odd");
    let program = Program::start(&directory, PRODUCTION);
    for request in [
        "GET /health HTTP/1.1\r\nX-Forwarded-Proto: https\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "no http at all\r\n\r\n",
    ] {
        let reply = program.send(request);
        assert_eq!((reply.status, reply.text.as_str()), (400, ""), "{request}");
    }
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    assert_eq!(program.send(&long).status, 431);
    program.get("/health", "").expect(200);
}

#[test]
fn a_request_under_way_is_answered_after_sigterm_and_nothing_new_is_taken() {
    let directory = Directory::new("sigterm");
    let mut program = Program::start(&directory, PRODUCTION);
    let body = r#"{"client_id": "shop", "client_secret": "wrong"}"#;
    let (first, rest) = body.split_at(10);
    let mut stream = TcpStream::connect(program.address).unwrap();
    let head = "POST /auth HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nContent-Type: application/json\r\n";
    write!(
        stream,
        "{head}Content-Length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    // One that is idle does not hold the program up.
    let idle = TcpStream::connect(program.address).unwrap();
    program.get("/health", "").expect(200);
    program.signal("TERM");
    while TcpStream::connect(program.address).is_ok() {
        thread::yield_now();
    }
    stream.write_all(rest.as_bytes()).unwrap();
    Reply::read(&mut stream).fails(401, "invalid_client");
    assert!(program.child.wait().unwrap().success());
    drop(idle);
}

fn development(provider: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("ENVIRONMENT", "development"),
        ("PUBLIC_URL", "http://localhost:8787"),
        ("MASTER_KEYS", KEYS),
        ("ADMIN_TOKEN", ADMIN_TOKEN),
        ("SMS_COUNTRIES", "ES"),
        ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", "twilio-token"),
        ("TWILIO_FROM", "+15005550006"),
        ("TWILIO_BASE_URL", provider),
    ]
}

/// A caller that hangs up must not leave a code behind that is stored and not sent, or sent and not
/// known; and Twilio gets its request over the program's own client.
#[test]
fn rel_04_a_message_is_sent_to_its_end_though_the_caller_hung_up() {
    let twilio = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", twilio.local_addr().unwrap());
    let directory = Directory::new("hang-up");
    let program = Program::start(&directory, &development(&address));
    let (_, token) = program.client();
    let user = json!({"user_id": "ann", "phone": "+34600111222", "confirm": false});
    program.post("/mfa/register", &token, &user).expect(200);

    let mut caller = TcpStream::connect(program.address).unwrap();
    let body = r#"{"user_id": "ann"}"#;
    let request = Program::request("POST", "/mfa/sms", &token, body);
    caller.write_all(request.as_bytes()).unwrap();
    let (mut provider, _) = twilio.accept().unwrap();
    let mut message = String::new();
    while !message.contains("Body=") {
        let mut part = [0; 4096];
        let length = provider.read(&mut part).unwrap();
        message.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    drop(caller);
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    provider.write_all(answer.as_bytes()).unwrap();

    let text = message.split("Body=").nth(1).unwrap();
    let code: String = text.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(
        verify(&program, &token, "ann", &code).expect(200)["method"],
        "sms"
    );
    let log = program.terminate();
    let sent = |line: &&str| line.contains("/mfa/sms") && line.contains(r#""status":200"#);
    assert_eq!(log.lines().filter(sent).count(), 1, "{log}");
}

#[test]
fn cry_07_a_start_on_a_database_that_another_key_ring_sealed_is_refused() {
    let directory = Directory::new("foreign");
    let program = Program::start(&directory, PRODUCTION);
    let (_, token) = program.client();
    enrolled(&program, &token, "ann");
    program.terminate();
    let mut variables = PRODUCTION.to_vec();
    variables.retain(|(name, _)| *name != "MASTER_KEYS");
    variables.push((
        "MASTER_KEYS",
        "k1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    ));
    let output = Program::command(&directory, &variables).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("MASTER_KEYS does not open"), "{said}");
    let program = Program::start(&directory, PRODUCTION);
    assert_eq!(program.get("/health", "").status, 200);
}

#[test]
fn cfg_04_a_start_with_a_missing_or_unsafe_variable_is_refused_and_names_it() {
    let directory = Directory::new("refused");
    let without = |name: &'static str| (name, "");
    for (name, value) in [
        without("PUBLIC_URL"),
        without("MASTER_KEYS"),
        without("BEHIND_TLS_PROXY"),
        ("BEHIND_TLS_PROXY", "false"),
        ("BEHIND_TLS_PROXY", "yes"),
        ("PUBLIC_URL", "http://mfa.example.com"),
        ("MASTER_KEYS", "k1:c2hvcnQtYW5kLXNlY3JldA=="),
        ("ADMIN_TOKEN", "short-and-secret"),
        ("ENVIRONMENT", "staging"),
        ("LISTEN", "8787"),
        ("LISTEN", "192.0.2.1:1"),
        ("DATABASE", "/nowhere/candado.sqlite"),
        ("RESTORED_AT", "yesterday"),
        ("SENDGRID_API_KEY", "SG.secret"),
    ] {
        let mut variables = PRODUCTION.to_vec();
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
        let output = Program::command(&directory, &variables).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let named = match name {
            "SENDGRID_API_KEY" => "SENDGRID_FROM",
            name => name,
        };
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with(&format!("candado: {named} is not ")),
            "{said}"
        );
        assert!(
            !said.contains("secret") && !said.contains("c2hvcnQ"),
            "{said}"
        );
    }
    // In development plain http is let through, so nobody else may reach the socket.
    let mut variables = development("");
    variables.push(("LISTEN", "0.0.0.0:0"));
    let output = Program::command(&directory, &variables).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("candado: LISTEN is not valid"), "{said}");
}

fn run(argument: &str) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candado"));
    let output = command.arg(argument).env_clear().output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn help_lists_every_variable_the_readme_has() {
    let (output, help) = run("--help");
    assert!(output.status.success());
    let readme = include_str!("../../README.md");
    let table = readme.split("## Configuration").nth(1).unwrap();
    let rows = table
        .split("\n## ")
        .next()
        .unwrap()
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    let mut names = 0;
    for name in rows {
        assert!(help.contains(&format!("  {name} ")), "{name} is missing");
        names += 1;
    }
    assert!(names >= 15, "{names}");
}

#[test]
fn an_unknown_argument_is_an_error_of_use() {
    let (output, said) = run("--listen");
    assert_eq!((output.status.code(), said.as_str()), (Some(2), ""));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--help"));
    let (output, version) = run("--version");
    assert!(output.status.success());
    assert_eq!(version, format!("candado {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn generated_keys_are_fresh_and_enough_to_start_with() {
    let (output, keys) = run("generate-keys");
    assert!(output.status.success());
    assert_ne!(run("generate-keys").1, keys);
    let mut variables = vec![
        ("PUBLIC_URL", "https://mfa.example.com"),
        ("BEHIND_TLS_PROXY", "true"),
    ];
    variables.extend(keys.lines().map(|line| line.split_once('=').unwrap()));
    let directory = Directory::new("keys");
    let program = Program::start(&directory, &variables);
    let admin = variables.last().unwrap().1;
    let clients = program.get("/admin/clients", admin).expect(200);
    assert_eq!(clients["clients"], json!([]));
}

#[test]
fn connections_are_used_again_and_many_at_a_time() {
    let directory = Directory::new("many");
    let program = Program::start(&directory, PRODUCTION);
    let (told, heard) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..8 {
            let told = told.clone();
            let address = program.address;
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                for _ in 0..20 {
                    let request =
                        "GET /health HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n";
                    stream.write_all(request.as_bytes()).unwrap();
                    told.send(Reply::read(&mut stream).status).unwrap();
                }
            });
        }
    });
    drop(told);
    let statuses: Vec<u16> = heard.iter().collect();
    assert_eq!(statuses, [200; 160]);
}
