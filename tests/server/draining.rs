//! The end of a program that is one of several: a balancer hears of it before any request is refused.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::program::{Directory, PRODUCTION, Program, Reply};
use crate::{code, enrolled, verify};

fn draining(directory: &Directory, seconds: &'static str) -> Program {
    let mut variables = PRODUCTION.to_vec();
    variables.push(("DRAIN_SECONDS", seconds));
    Program::start(directory, &variables)
}

/// Until `/health` says so, which is soon after the signal.
fn until_unfit(program: &Program) -> Reply {
    for _ in 0..500 {
        let health = program.get("/health", "");
        if health.status != 200 {
            return health;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("/health still answers 200");
}

#[test]
fn after_sigterm_health_fails_first_while_everything_else_is_served() {
    let directory = Directory::new("drain");
    let mut program = draining(&directory, "3");
    let (_, token) = program.client();
    let ann = enrolled(&program, &token, "ann");
    program.get("/health/live", "").expect(200);
    let mut kept = TcpStream::connect(program.address).unwrap();
    let live = Program::request("GET", "/health/live", "", "");
    kept.write_all(live.as_bytes()).unwrap();
    let reply = Reply::read(&mut kept);
    assert!(!reply.head.contains("connection: close"), "{}", reply.head);

    program.signal("TERM");
    let health = until_unfit(&program);
    health.fails(503, "unavailable");
    program.get("/health/live", "").expect(200);
    // New connections are taken, and what is asked is done.
    verify(&program, &token, "ann", &code(&ann)).expect(200);
    // One that was kept is given back with its next answer.
    kept.write_all(live.as_bytes()).unwrap();
    let reply = Reply::read(&mut kept);
    assert_eq!(reply.status, 200);
    assert!(reply.head.contains("connection: close"), "{}", reply.head);
    assert!(program.child.try_wait().unwrap().is_none(), "too early");
    assert!(program.child.wait().unwrap().success());
    assert!(TcpStream::connect(program.address).is_err());
}

#[test]
fn who_connected_just_before_the_end_is_answered() {
    let directory = Directory::new("drain-last");
    let mut program = draining(&directory, "0");
    program.get("/health/live", "").expect(200);
    let mut opened: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(program.address).unwrap())
        .collect();
    program.signal("TERM");
    while TcpStream::connect(program.address).is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
    for stream in &mut opened {
        let live = Program::request("GET", "/health/live", "", "");
        stream.write_all(live.as_bytes()).unwrap();
        let reply = Reply::read(stream);
        assert_eq!(reply.status, 200);
        assert!(reply.head.contains("connection: close"), "{}", reply.head);
    }
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn a_second_signal_ends_the_wait() {
    let directory = Directory::new("drain-twice");
    let mut program = draining(&directory, "300");
    program.signal("TERM");
    until_unfit(&program);
    program.signal("TERM");
    let ended = (0..1000).find_map(|_| {
        thread::sleep(Duration::from_millis(25));
        program.child.try_wait().unwrap()
    });
    assert!(ended.expect("it still waits").success());
}

#[test]
fn a_request_that_comes_during_the_wait_is_answered_after_it() {
    let directory = Directory::new("drain-late");
    let mut program = draining(&directory, "2");
    program.signal("TERM");
    until_unfit(&program);
    let mut stream = TcpStream::connect(program.address).unwrap();
    let body = json!({"client_id": "shop", "client_secret": "wrong"}).to_string();
    let request = Program::request("POST", "/auth", "", &body);
    let (first, rest) = request.split_at(request.len() - 10);
    stream.write_all(first.as_bytes()).unwrap();
    while TcpStream::connect(program.address).is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(rest.as_bytes()).unwrap();
    Reply::read(&mut stream).fails(401, "invalid_client");
    assert!(program.child.wait().unwrap().success());
}
