//! The program's commands, as somebody types them.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::program::{Directory, PRODUCTION, Program, Reply};

/// `candado dev` in a directory, and what it says of itself.
struct Dev {
    child: Child,
    said: Value,
}

impl Dev {
    fn start(directory: &Directory) -> Self {
        let mut command = Program::command(directory, &[]);
        let mut child = command
            .args(["dev", "--port", "0", "--inbox-port", "0", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.next().expect("it says what there is").unwrap();
        let said = serde_json::from_str(&said).unwrap();
        Self { child, said }
    }

    fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap()
    }

    fn send(&self, place: &str, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let address: SocketAddr = self
            .text(place)
            .replace("http://localhost:", "127.0.0.1:")
            .parse()
            .unwrap();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Program::request(method, path, token, &body);
        Program::send_to(address, &request)
    }

    fn token(&self) -> String {
        let body = json!({"client_id": self.text("client_id"), "client_secret": self.text("client_secret")});
        let answer = self.send("url", "POST", "/auth", "", &body).expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Another command in the same directory, at this service.
    fn run(&self, directory: &Directory, arguments: &[&str]) -> Output {
        let url = self.text("url").to_owned();
        let mut command = Program::command(directory, &[("CANDADO_URL", &url)]);
        command.args(arguments).output().unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn dev_serves_shows_messages_and_keeps_everything_for_the_next_start() {
    let directory = Directory::new("dev");
    let dev = Dev::start(&directory);
    let token = dev.token();
    let ann = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@mail.example"});
    dev.send("url", "POST", "/mfa/register", &token, &ann)
        .expect(200);
    for channel in ["sms", "email"] {
        let body = json!({"user_id": "ann"});
        dev.send("url", "POST", &format!("/mfa/{channel}"), &token, &body)
            .expect(200);
    }
    let inbox = dev
        .send("inbox", "GET", "/messages", "", &Value::Null)
        .expect(200);
    let channels: Vec<_> = inbox
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["channel"])
        .collect();
    assert_eq!(channels, ["sms", "email"]);
    assert_eq!(inbox[0]["to"], "+34600111222");
    let page = dev.send("inbox", "GET", "/", "", &Value::Null);
    assert!(
        page.text.contains(dev.text("url")),
        "the page leads back to the service"
    );
    let admin = dev.text("admin_token").to_owned();
    drop(dev);

    let again = Dev::start(&directory);
    assert_eq!(again.text("admin_token"), admin);
    let status = again.send(
        "url",
        "GET",
        "/mfa/status?user_id=ann",
        &again.token(),
        &Value::Null,
    );
    assert_eq!(status.expect(200)["state"], "pending");
}

#[test]
fn the_inbox_answers_to_this_machine_alone() {
    let directory = Directory::new("rebinding");
    let dev = Dev::start(&directory);
    let address: SocketAddr = dev
        .text("inbox")
        .replace("http://localhost:", "127.0.0.1:")
        .parse()
        .unwrap();
    let request = "GET /messages HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n";
    assert_eq!(Program::send_to(address, request).status, 403);
}

#[test]
fn a_port_that_is_taken_is_an_error_that_offers_another() {
    let directory = Directory::new("taken");
    let dev = Dev::start(&directory);
    let port = dev.text("url").rsplit_once(':').unwrap().1.to_owned();
    let output = dev.run(&directory, &["dev", "--port", &port]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("candado dev --port "), "{said}");
}

#[test]
fn a_test_client_reads_here_what_would_have_been_sent() {
    let directory = Directory::new("test-client");
    let dev = Dev::start(&directory);
    let made = out(&dev.run(
        &directory,
        &["client", "create", "Shop, in tests", "--test", "--json"],
    ));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["test"], true);
    let body = json!({"client_id": made["client_id"], "client_secret": made["client_secret"]});
    let token = dev.send("url", "POST", "/auth", "", &body).expect(200);
    let token = token["access_token"].as_str().unwrap();
    let ask = |method, path, body| dev.send("url", method, path, token, &body).expect(200);
    let ann = json!({"user_id": "ann", "phone": "+34600111222", "confirm": false});
    ask("POST", "/mfa/register", ann);
    ask("POST", "/mfa/sms", json!({"user_id": "ann"}));
    let listed = ask("GET", "/mfa/test/messages", Value::Null);
    assert_eq!(listed["messages"][0]["to"], "+34600111222");
    let clock = ask("POST", "/mfa/test/clock", json!({"advance_seconds": 60}));
    assert_eq!(clock["ahead_seconds"], 60);
    ask("POST", "/mfa/sms", json!({"user_id": "ann"}));
}

#[test]
fn a_client_is_made_listed_and_given_a_new_secret() {
    let directory = Directory::new("client");
    let dev = Dev::start(&directory);
    let run = |arguments: &[&str]| out(&dev.run(&directory, arguments));

    let arguments = [
        "client",
        "create",
        "Shop",
        "--id",
        "shop",
        "--set",
        "require_step_up=true",
    ];
    let made = run(&arguments);
    let made: Vec<_> = made
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    assert_eq!(made[0], ("CANDADO_CLIENT_ID", "shop"));
    assert_eq!(made[1].0, "CANDADO_CLIENT_SECRET");
    let auth = |secret: &str| {
        let body = json!({"client_id": "shop", "client_secret": secret});
        dev.send("url", "POST", "/auth", "", &body).status
    };
    assert_eq!(auth(made[1].1), 200);

    let list = run(&["client", "list"]);
    let columns = |line: &str| {
        line.split_whitespace()
            .take(3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lines: Vec<_> = list.lines().map(columns).collect();
    assert_eq!(
        lines[1..],
        [["app123", "Demo", "on"], ["shop", "Shop", "on"]]
    );
    let list: Value = serde_json::from_str(&run(&["client", "list", "--json"])).unwrap();
    assert_eq!(list["clients"][1]["settings"]["require_step_up"], true);

    let rotated = run(&[
        "client",
        "rotate-secret",
        "shop",
        "--overlap",
        "0",
        "--json",
    ]);
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    assert_eq!(auth(made[1].1), 401, "the former secret");
    assert_eq!(auth(rotated["client_secret"].as_str().unwrap()), 200);
}

#[test]
fn a_client_is_shown_set_turned_off_and_on_and_deleted_only_when_it_is_named_twice() {
    let directory = Directory::new("client-life");
    let dev = Dev::start(&directory);
    let run = |arguments: &[&str]| out(&dev.run(&directory, arguments));
    let shown = run(&[
        "client",
        "settings",
        "app123",
        "locale=es",
        "cooldown_seconds=90",
    ]);
    assert!(
        shown.contains("cooldown_seconds") && shown.contains("90"),
        "{shown}"
    );
    let json: Value = serde_json::from_str(&run(&["client", "show", "app123", "--json"])).unwrap();
    assert_eq!(json["settings"]["locale"], "es");
    assert!(run(&["client", "disable", "app123"]).contains("disabled"));
    let body = json!({"client_id": "app123", "client_secret": "secret123"});
    assert_eq!(dev.send("url", "POST", "/auth", "", &body).status, 401);
    run(&["client", "enable", "app123"]);
    dev.token();
    let wrong = dev.run(
        &directory,
        &["client", "delete", "app123", "--confirm", "app12"],
    );
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        !wrong.status.success() && said.contains("nothing was deleted"),
        "{said}"
    );
    dev.token();
    run(&["client", "delete", "app123", "--confirm", "app123"]);
    assert_eq!(dev.send("url", "POST", "/auth", "", &body).status, 401);
}

#[test]
fn what_is_no_client_id_reaches_no_route_of_the_service() {
    let directory = Directory::new("path");
    let dev = Dev::start(&directory);
    for id in ["../audit", "a/b", "x?limit=1", "a b", "..", "%2e%2e"] {
        let output = dev.run(&directory, &["client", "show", id]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{id}: {said}");
        assert!(said.contains("expected a client id"), "{said}");
    }
}

#[test]
fn the_token_that_dev_keeps_is_shown_to_this_machine_alone() {
    let directory = Directory::new("kept");
    drop(Dev::start(&directory));
    let run = |url: &str| {
        let mut command = Program::command(&directory, &[("CANDADO_URL", url)]);
        let output = command.args(["client", "list"]).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    // Whoever listens there would have read the token, if it had been sent.
    for url in [
        "https://mfa.example.com",
        "https://localhost.evil.example",
        "https://192.0.2.1",
    ] {
        let said = run(url);
        assert!(
            said.contains("CANDADO_ADMIN_TOKEN is not set"),
            "{url}: {said}"
        );
    }
    for url in [
        "http://mfa.example.com",
        "http://localhost@evil.example",
        "https://mfa.example.com/x",
    ] {
        let said = run(url);
        assert!(
            said.contains("CANDADO_URL is not the address"),
            "{url}: {said}"
        );
    }
    for url in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
        let said = run(url);
        assert!(said.contains("does not answer"), "{url}: {said}");
    }
}

#[test]
fn keys_are_made_used_listed_and_revoked() {
    let directory = Directory::new("keys");
    let dev = Dev::start(&directory);
    let run = |arguments: &[&str]| out(&dev.run(&directory, arguments));
    let made = run(&[
        "keys", "create", "app123", "Login", "--scope", "read", "--days", "30",
    ]);
    let key = made.trim().strip_prefix("CANDADO_API_KEY=").unwrap();
    let status = || dev.send("url", "GET", "/mfa/status?user_id=ann", key, &Value::Null);
    status().expect(200);
    let list: Value = serde_json::from_str(&run(&["keys", "list", "app123", "--json"])).unwrap();
    let id = list["keys"][0]["key_id"].as_str().unwrap().to_owned();
    let table = run(&["keys", "list", "app123"]);
    assert!(
        table.contains(&id) && table.contains("read") && !table.contains(key),
        "{table}"
    );
    assert_eq!(
        run(&["keys", "revoke", "app123", &id]),
        format!("{id} is revoked.\n")
    );
    assert_eq!(status().status, 401);
    let wrong = dev.run(
        &directory,
        &["keys", "create", "app123", "X", "--scope", "all"],
    );
    assert!(
        String::from_utf8(wrong.stderr)
            .unwrap()
            .contains("verify, send, enrol, manage, read")
    );
}

/// Whether the body is as long as the head says.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length == body.len().to_string())
}

/// Answers each request over a connection of its own, and keeps what came.
fn receiver() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://localhost:{}/hook",
        listener.local_addr().unwrap().port()
    );
    let (came, messages) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut text = String::new();
            while !is_whole(&text) {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).unwrap();
                assert_ne!(length, 0, "it ends within {text}");
                text.push_str(std::str::from_utf8(&part[..length]).unwrap());
            }
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .unwrap();
            let _ = came.send(text);
        }
    });
    (url, messages)
}

#[test]
fn a_webhook_is_set_shown_tested_listed_sent_again_and_deleted() {
    let directory = Directory::new("webhook");
    let dev = Dev::start(&directory);
    let run = |arguments: &[&str]| out(&dev.run(&directory, arguments));
    let (url, messages) = receiver();
    let set = run(&["webhook", "set", "app123", &url, "--event", "locked"]);
    assert!(set.starts_with("CANDADO_WEBHOOK_SECRET=whsec_"), "{set}");
    let shown = run(&["webhook", "show", "app123"]);
    assert!(shown.contains(&url) && shown.contains("locked"), "{shown}");
    let tested = run(&["webhook", "test", "app123"]);
    let id = tested.split(' ').next().unwrap();
    assert_eq!(tested, format!("{id} is delivered: 204\n"));
    let message = messages.recv().unwrap();
    assert!(message.starts_with("POST /hook HTTP/1.1\r\n"), "{message}");
    assert!(
        message.contains(&format!("webhook-id: {id}\r\n")),
        "{message}"
    );
    let listed = run(&["webhook", "deliveries", "app123"]);
    assert!(
        listed.contains(id) && listed.contains("delivered"),
        "{listed}"
    );
    assert_eq!(run(&["webhook", "redeliver", "app123", id]), tested);
    assert!(messages.recv().unwrap().contains(id));
    run(&["webhook", "delete", "app123"]);
    let gone = dev.run(&directory, &["webhook", "show", "app123"]);
    assert!(!gone.status.success());
}

#[test]
fn users_and_the_record_are_read_and_users_unlocked_disabled_and_deleted() {
    let directory = Directory::new("users");
    let dev = Dev::start(&directory);
    let run = |arguments: &[&str]| out(&dev.run(&directory, arguments));
    let token = dev.token();
    for user in ["ann", "a/../b", "=1+1"] {
        let body = json!({"user_id": user, "phone": "+34600111222", "confirm": false});
        dev.send("url", "POST", "/mfa/register", &token, &body)
            .expect(200);
    }
    let list = run(&["users", "list", "app123", "--prefix", "a"]);
    assert!(
        list.contains("ann") && list.contains("a/../b") && !list.contains("=1+1"),
        "{list}"
    );
    let shown = run(&["users", "show", "app123", "a/../b"]);
    assert!(
        shown.contains("a/../b") && shown.contains("enrolled") && !shown.contains("600111222"),
        "{shown}"
    );
    let export: Value = serde_json::from_str(&run(&["users", "export", "app123", "ann"])).unwrap();
    assert_eq!(export["user"]["phone"], "+34600111222");
    assert!(run(&["users", "unlock", "app123", "ann"]).contains("unlocked"));
    assert!(run(&["users", "disable", "app123", "ann"]).contains("off"));
    assert!(run(&["users", "delete", "app123", "ann", "--confirm", "ann"]).contains("deleted"));
    let record = run(&["audit", "--user", "ann"]);
    let kinds: Vec<&str> = record
        .lines()
        .map(|line| line.split_whitespace().nth(3).unwrap())
        .collect();
    assert_eq!(kinds, ["enrolled", "unlocked", "disabled", "deleted"]);
    assert_eq!(
        run(&["audit", "--operator", "admin", "--json"])
            .lines()
            .count(),
        3
    );
    let all = run(&[
        "audit", "--all", "--event", "enrolled", "--format", "csv", "--from", "1h",
    ]);
    assert!(
        all.starts_with("id,at,client_id") && all.contains("\"'=1+1\""),
        "{all}"
    );
    assert_eq!(all.lines().count(), 4);
    let ring = run(&["key-ring"]);
    assert!(ring.contains("2 of 2 users"), "{ring}");
    let top: Value = serde_json::from_str(&run(&["top", "--once", "--json"])).unwrap();
    let enrolled = json!({"client_id": "app123", "event": "enrolled", "count": 3});
    assert!(
        top["events"].as_array().unwrap().contains(&enrolled),
        "{top}"
    );
}

#[test]
fn the_record_is_followed_as_it_goes_on() {
    let directory = Directory::new("follow");
    let dev = Dev::start(&directory);
    let url = dev.text("url").to_owned();
    let mut command = Program::command(&directory, &[("CANDADO_URL", &url)]);
    let mut child = command
        .args(["audit", "--follow", "--json", "--event", "enrolled"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let body = json!({"user_id": "ann"});
    dev.send("url", "POST", "/mfa/register", &dev.token(), &body)
        .expect(200);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line["user_id"], "ann");
}

#[test]
fn users_are_brought_along_and_a_second_run_goes_on_where_the_first_was_cut_off() {
    let directory = Directory::new("import");
    let dev = Dev::start(&directory);
    let url = dev.text("url").to_owned();
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let mut text = "user_id,secret,digits\n".to_owned();
    for user in 0..20 {
        let _ = writeln!(text, "u{user},{secret},6");
    }
    let _ = write!(text, "ann,{secret},7\n=cmd,{secret},6\nu3,{secret},6\n");
    let file = directory.0.join("users.csv");
    std::fs::write(&file, &text).unwrap();
    let import = |more: &[&str]| {
        let variables = [
            ("CANDADO_URL", url.as_str()),
            ("CANDADO_CLIENT_ID", "app123"),
            ("CANDADO_CLIENT_SECRET", "secret123"),
        ];
        let mut command = Program::command(&directory, &variables);
        command
            .args(["import", "--from", "csv", "users.csv", "--json"])
            .args(more);
        let output = command.output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (
            output.status.code(),
            told,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, told, _) = import(&["--dry-run"]);
    assert_eq!(
        (code, &told["ready"], &told["refused"]),
        (Some(1), &json!(21), &json!(2))
    );
    assert!(!directory.0.join("users.csv.done").exists());
    // As if the program had ended after these, within the line of a third.
    std::fs::write(directory.0.join("users.csv.done"), "u0\nu1\nu1").unwrap();
    let (code, told, said) = import(&[]);
    assert_eq!(code, Some(1), "{said}");
    let expected = json!({"records": 23, "ready": 0, "imported": 19, "there_already": 0, "done_before": 2, "refused": 2});
    assert_eq!(told, expected);
    let report = std::fs::read_to_string(directory.0.join("users.csv.refused.csv")).unwrap();
    let report: Vec<&str> = report.lines().collect();
    assert!(
        report[1].starts_with("22,") && report[1].contains("digits"),
        "{report:?}"
    );
    assert!(report[2].starts_with("24,u3,"), "{report:?}");
    assert!(!report.join("").contains(secret));
    let status = dev.send(
        "url",
        "GET",
        "/mfa/status?user_id=u19",
        &dev.token(),
        &Value::Null,
    );
    assert_eq!(status.expect(200)["state"], "active");
    let (_, told, _) = import(&[]);
    assert_eq!(
        (&told["imported"], &told["done_before"]),
        (&json!(0), &json!(21))
    );
    std::fs::remove_file(directory.0.join("users.csv.done")).unwrap();
    let (_, told, _) = import(&[]);
    assert_eq!(
        (&told["imported"], &told["there_already"]),
        (&json!(2), &json!(19))
    );
}

#[test]
fn completions_know_the_commands() {
    let directory = Directory::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let script = out(&Program::command(&directory, &[])
            .args(["completions", shell])
            .output()
            .unwrap());
        assert!(
            script.contains("rotate-secret") && script.contains("key-ring"),
            "{shell}"
        );
    }
}

#[test]
fn what_the_service_refuses_is_said_with_its_own_words() {
    let directory = Directory::new("refusals");
    let dev = Dev::start(&directory);
    let said = |arguments: &[&str]| {
        let output = dev.run(&directory, arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let twice = said(&["client", "create", "Demo", "--id", "app123"]);
    assert!(twice.contains("refused with 409"), "{twice}");
    let unknown = said(&["client", "rotate-secret", "nobody"]);
    assert!(unknown.contains("refused with 404"), "{unknown}");
    let setting = said(&["client", "create", "Shop", "--set", "colour=red"]);
    assert!(setting.contains("colour"), "{setting}");
}

#[test]
fn a_service_that_does_not_answer_and_a_token_that_is_missing_are_said() {
    let directory = Directory::new("alone");
    let run = |variables: &[(&str, &str)]| {
        let mut command = Program::command(&directory, variables);
        let output = command.args(["client", "list"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run(&[]);
    assert!(said.contains("CANDADO_ADMIN_TOKEN is not set"), "{said}");
    let nowhere = [
        ("CANDADO_ADMIN_TOKEN", "x"),
        ("CANDADO_URL", "http://127.0.0.1:1"),
    ];
    let said = run(&nowhere);
    assert!(
        said.contains("http://127.0.0.1:1 does not answer"),
        "{said}"
    );
}

#[test]
fn health_says_by_its_exit_whether_the_program_serves() {
    let directory = Directory::new("health");
    let program = Program::start(&directory, PRODUCTION);
    let address = program.address.to_string();
    let run = || {
        let mut command = Program::command(&directory, &[("LISTEN", &address)]);
        command.arg("health").output().unwrap()
    };
    assert!(run().status.success());
    program.terminate();
    let gone = run();
    assert_eq!(gone.status.code(), Some(1));
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn cfg_04_without_variables_all_that_are_missing_are_named_at_once_and_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_candado"))
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for name in [
        "PUBLIC_URL",
        "MASTER_KEYS",
        "BEHIND_TLS_PROXY",
        "candado dev",
        "candado --help",
    ] {
        assert!(said.contains(name), "{name}: {said}");
    }
}
