//! A program that was started for one test, and HTTP/1.1 spoken to it by hand.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const ADMIN_TOKEN: &str = "admin-token-of-at-least-32-characters";
pub(crate) const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const PRODUCTION: &[(&str, &str)] = &[
    ("PUBLIC_URL", "https://mfa.example.com"),
    ("MASTER_KEYS", KEYS),
    ("ADMIN_TOKEN", ADMIN_TOKEN),
    ("BEHIND_TLS_PROXY", "true"),
];

/// A place for databases that goes with the test.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("candado-server-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    log: Log,
}

/// What the program says, line by line as it comes.
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    fn of(lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static) -> Self {
        let kept = Arc::<Mutex<Vec<String>>>::default();
        let lines_there = kept.clone();
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self {
            lines: lines_there,
            reader: Some(reader),
        }
    }
}

impl Program {
    pub(crate) fn command(directory: &Directory, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_candado"));
        command
            .current_dir(&directory.0)
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .envs(variables.iter().copied());
        command
    }

    pub(crate) fn start(directory: &Directory, variables: &[(&str, &str)]) -> Self {
        let mut child = Self::command(directory, variables)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.next().expect("the program says something").unwrap();
        let address = said.split("http://").nth(1).expect(&said);
        let address = address.split('"').next().unwrap().parse().unwrap();
        Self {
            child,
            address,
            log: Log::of(lines),
        }
    }

    /// The first line with `part` in it, after the one that says where it listens; waits for it.
    pub(crate) fn line(&self, part: &str) -> String {
        for _ in 0..1000 {
            let lines = self.log.lines.lock().unwrap();
            if let Some(line) = lines.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            drop(lines);
            thread::sleep(Duration::from_millis(20));
        }
        panic!("no line with {part}: {:?}", self.log.lines.lock().unwrap());
    }

    /// By the shell, which has `kill` built in.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &line]).status();
        assert!(status.unwrap().success());
    }

    /// Ends it as systemd does, and gives its log.
    pub(crate) fn terminate(mut self) -> String {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        self.log()
    }

    /// Ends it as a failing machine does, and gives its log.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }

    fn log(&mut self) -> String {
        self.log.reader.take().unwrap().join().unwrap();
        self.log.lines.lock().unwrap().join("\n")
    }

    /// As the proxy in front hands it on.
    pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> String {
        let length = body.len();
        let authorization = if token.is_empty() {
            String::new()
        } else {
            format!("Authorization: Bearer {token}\r\n")
        };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\
             {authorization}Content-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    pub(crate) fn send(&self, request: &str) -> Reply {
        Self::send_to(self.address, request)
    }

    pub(crate) fn send_to(address: SocketAddr, request: &str) -> Reply {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Reply::read(&mut stream)
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Reply {
        self.send(&Self::request("GET", path, token, ""))
    }

    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(&Self::request("POST", path, token, &body.to_string()))
    }

    /// Makes the client `shop`; its secret, and a token.
    pub(crate) fn client(&self) -> (String, String) {
        let body = json!({"name": "Shop", "client_id": "shop"});
        let client = self.post("/admin/clients", ADMIN_TOKEN, &body).expect(201);
        let secret = client["client_secret"].as_str().unwrap();
        let body = json!({"client_id": "shop", "client_secret": secret});
        let token = self.post("/auth", "", &body).expect(200);
        let token = token["access_token"].as_str().unwrap();
        (secret.to_owned(), token.to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn read(stream: &mut TcpStream) -> Self {
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next())
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        // The answer to HEAD says how long the body would be, and has none.
        if stream.read_exact(&mut body).is_err() {
            body.clear();
        }
        let text = String::from_utf8(body).unwrap();
        Self { status, head, text }
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    #[track_caller]
    pub(crate) fn fails(&self, status: u16, error: &str) {
        assert_eq!(self.expect(status)["error"], error, "{}", self.text);
    }
}
