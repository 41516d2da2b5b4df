//! The program's commands, as somebody types them.

use std::io::{BufRead, BufReader};
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
    assert_eq!(list, "app123  Demo\nshop    Shop\n");
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
