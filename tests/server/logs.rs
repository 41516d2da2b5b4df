//! What the log says, line by line, and which trace a request belongs to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::program::{Directory, PRODUCTION, Program, Reply};
use crate::{code, development, enrolled, verify};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn with_trace(path: &str, token: &str, body: &Value, traceparents: &[&str]) -> String {
    let request = Program::request("POST", path, token, &body.to_string());
    let mut headers = String::new();
    for value in traceparents {
        headers.push_str("traceparent: ");
        headers.push_str(value);
        headers.push_str("\r\n");
    }
    request.replacen("\r\n", &format!("\r\n{headers}"), 1)
}

#[test]
fn each_line_is_an_object_where_log_format_says_json() {
    let directory = Directory::new("json");
    let mut variables = PRODUCTION.to_vec();
    variables.push(("LOG_FORMAT", "json"));
    let program = Program::start(&directory, &variables);
    let (_, token) = program.client();
    let ann = enrolled(&program, &token, "ann");
    verify(&program, &token, "ann", &code(&ann)).expect(200);
    let log = program.terminate();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    for line in &lines {
        assert_eq!(line["level"], "info", "{line}");
        let time = line["time"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
    }
    let request = lines.iter().find(|line| line["route"] == "/mfa/verify");
    let request = request.expect(&log);
    assert_eq!(
        (&request["status"], &request["client"]),
        (&json!(200), &json!("shop"))
    );
    // A request without a trace begins one, under its own id.
    assert_eq!(request["trace_id"], request["request_id"]);
    let ended = lines
        .iter()
        .any(|line| line["message"] == "candado has ended");
    assert!(ended, "{log}");
}

#[test]
fn a_start_that_is_refused_says_so_in_the_same_form() {
    let directory = Directory::new("json-refused");
    let mut variables = PRODUCTION.to_vec();
    variables.extend([("LOG_FORMAT", "json"), ("RESTORED_AT", "yesterday")]);
    let output = Program::command(&directory, &variables).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(line["level"], "error");
    let message = line["message"].as_str().unwrap();
    assert!(
        message.starts_with("candado: RESTORED_AT is not valid"),
        "{said}"
    );
}

#[test]
fn a_trace_is_logged_and_carried_to_the_provider_and_a_malformed_one_is_neither() {
    let twilio = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", twilio.local_addr().unwrap());
    let messages = thread::spawn(move || {
        let take = |_| {
            let (mut stream, _) = twilio.accept().unwrap();
            let mut message = String::new();
            while !message.contains("Body=") {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).unwrap();
                message.push_str(std::str::from_utf8(&part[..length]).unwrap());
            }
            let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).unwrap();
            let header = message
                .lines()
                .find_map(|line| line.strip_prefix("traceparent: "));
            header.expect(&message).to_owned()
        };
        (0..3).map(take).collect::<Vec<String>>()
    });
    let directory = Directory::new("trace");
    let program = Program::start(&directory, &development(&address));
    let (_, token) = program.client();
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let forged = format!("00-{TRACE}-00f067aa0ba902b7-01\", \"status\":200");
    for (user, phone, headers) in [
        ("ann", "+34600111222", vec![good.as_str()]),
        ("bob", "+34600111333", vec![forged.as_str()]),
        ("cid", "+34600111444", vec![good.as_str(), good.as_str()]),
    ] {
        let body = json!({"user_id": user, "phone": phone, "confirm": false});
        program.post("/mfa/register", &token, &body).expect(200);
        let body = json!({"user_id": user});
        let reply: Reply = program.send(&with_trace("/mfa/sms", &token, &body, &headers));
        reply.expect(200);
    }
    let passed_on = messages.join().unwrap();
    let log = program.terminate();
    let sms: Vec<Value> = log
        .lines()
        .filter(|line| line.contains("/mfa/sms"))
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(sms.len(), 3, "{log}");
    assert_eq!(sms[0]["trace_id"], TRACE);
    assert!(
        passed_on[0].starts_with(&format!("00-{TRACE}-")),
        "{passed_on:?}"
    );
    assert!(passed_on[0].ends_with("-01"), "{passed_on:?}");
    assert_ne!(passed_on[0], good, "a part of the trace of its own");
    for place in [1, 2] {
        let own = sms[place]["request_id"].as_str().unwrap();
        assert_eq!(sms[place]["trace_id"], own);
        assert!(
            passed_on[place].starts_with(&format!("00-{own}-")),
            "{passed_on:?}"
        );
        assert!(passed_on[place].ends_with("-00"), "{passed_on:?}");
    }
}
