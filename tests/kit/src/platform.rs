//! The platform in the test's hands: storage that counts and fails, KV that lies, providers that are recorded.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candado::platform::{
    Database, DatabaseError, HttpClient, HttpError, KeyValue, KeyValueError, Letter, MailError,
    Mailer, Outcome, Row, Statement, Value,
};
use http::{HeaderMap, Request, Response};
use serde_json::Value as Json;

/// A database that counts round trips and can fail.
#[derive(Clone)]
pub struct Storage {
    engine: Arc<dyn Database>,
    trips: Arc<AtomicU64>,
    /// Calls until the one that fails, negative for never; and whether it fails before or after its work.
    fails_in: Arc<AtomicI64>,
    fails_after_work: Arc<Mutex<bool>>,
    /// What somebody else does just before the n-th call from now.
    meanwhile: Arc<Mutex<Option<(u64, String)>>>,
    written: Arc<Mutex<Vec<Statement>>>,
}

impl Storage {
    pub(crate) fn new(engine: Arc<dyn Database>) -> Self {
        Self {
            engine,
            trips: Arc::default(),
            fails_in: Arc::new(AtomicI64::new(-1)),
            fails_after_work: Arc::default(),
            meanwhile: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Runs `sql` between the calls of the next request: before its `n`-th, the first being 0.
    pub fn before(&self, n: u64, sql: &str) {
        *self.meanwhile.lock().unwrap() = Some((n, sql.to_owned()));
    }

    async fn meanwhile(&self) {
        let due = {
            let mut meanwhile = self.meanwhile.lock().unwrap();
            match meanwhile.take() {
                Some((0, sql)) => Some(sql),
                Some((n, sql)) => {
                    *meanwhile = Some((n - 1, sql));
                    None
                }
                None => None,
            }
        };
        if let Some(sql) = due {
            self.execute(sql).await;
        }
    }

    /// The statements of the last call.
    pub fn last_batch(&self) -> Vec<Statement> {
        self.written.lock().unwrap().clone()
    }

    /// How SQLite carries out the statement of the last call.
    pub async fn plan_of_last(&self) -> String {
        let statement = self.last_batch().remove(0);
        let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let explain = Statement::new(sql, statement.params);
        let rows = objects(&self.engine.run(explain).await.unwrap());
        let steps: Vec<&str> = rows
            .iter()
            .map(|row| row["detail"].as_str().unwrap())
            .collect();
        steps.join("; ")
    }

    /// Round trips since the last time this was asked.
    pub fn trips(&self) -> u64 {
        self.trips.swap(0, Ordering::SeqCst)
    }

    /// Lets the `n`-th call from now fail, the first being 0; with `after_work`, only its answer is lost.
    pub fn fail_at(&self, n: i64, after_work: bool) {
        *self.fails_after_work.lock().unwrap() = after_work;
        self.fails_in.store(n, Ordering::SeqCst);
    }

    /// Whether a failure that was asked for has not come to pass.
    pub fn has_fault_left(&self) -> bool {
        self.fails_in.swap(-1, Ordering::SeqCst) >= 0
    }

    pub async fn rows(&self, sql: &'static str) -> Vec<Json> {
        objects(&self.engine.run(Statement::new(sql, [])).await.unwrap())
    }

    pub async fn execute(&self, sql: String) {
        self.engine.run(Statement::new(sql, [])).await.unwrap();
    }
}

/// Rows as a test likes to look at them.
fn objects(outcome: &Outcome) -> Vec<Json> {
    let json = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
    };
    let object = |row: &Row| {
        row.iter()
            .map(|(name, value)| (name.to_owned(), json(value)))
            .collect()
    };
    outcome.rows.iter().map(object).collect()
}

#[async_trait]
impl Database for Storage {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        self.trips.fetch_add(1, Ordering::SeqCst);
        // Lets parallel requests interleave, as they do between Workers.
        tokio::task::yield_now().await;
        self.meanwhile().await;
        self.written.lock().unwrap().clone_from(&statements);
        let fails = self.fails_in.load(Ordering::SeqCst) >= 0
            && self.fails_in.fetch_sub(1, Ordering::SeqCst) == 0;
        let after_work = *self.fails_after_work.lock().unwrap();
        let outcomes = if fails && !after_work {
            Ok(Vec::new())
        } else {
            self.engine.batch(statements).await
        };
        if fails {
            Err(DatabaseError::Unavailable("injected".to_owned()))
        } else {
            outcomes
        }
    }

    fn is_serial(&self) -> bool {
        self.engine.is_serial()
    }

    async fn settled(&self, table: &'static str) -> Result<Option<i64>, DatabaseError> {
        self.engine.settled(table).await
    }
}

/// How KV behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Sound,
    /// Every call fails.
    Failing,
    /// Reads find nothing, as after a cached negative look-up.
    Empty,
    /// Deletes do nothing: what was once there stays readable.
    Stale,
}

#[derive(Clone)]
pub struct Kv {
    engine: Arc<dyn KeyValue>,
    mood: Arc<Mutex<Mood>>,
    reads: Arc<AtomicU64>,
    pub written: Arc<Mutex<HashMap<String, (String, u64)>>>,
}

impl Kv {
    pub(crate) fn new(engine: Arc<dyn KeyValue>) -> Self {
        Self {
            engine,
            mood: Arc::new(Mutex::new(Mood::Sound)),
            reads: Arc::default(),
            written: Arc::default(),
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Reads since the last time this was asked.
    pub fn reads(&self) -> u64 {
        self.reads.swap(0, Ordering::SeqCst)
    }

    fn mood(&self) -> Result<Mood, KeyValueError> {
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Failing {
            Err(KeyValueError("injected".to_owned()))
        } else {
            Ok(mood)
        }
    }
}

#[async_trait]
impl KeyValue for Kv {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.mood()? {
            Mood::Empty => Ok(None),
            _ => self.engine.get(key).await,
        }
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        self.mood()?;
        self.written
            .lock()
            .unwrap()
            .insert(key.to_owned(), (value.to_owned(), ttl));
        self.engine.put(key, value, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        match self.mood()? {
            Mood::Stale => Ok(()),
            _ => self.engine.delete(key).await,
        }
    }
}

/// One request a provider got.
#[derive(Debug, Clone)]
pub struct Sent {
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
    /// How long it was given.
    pub timeout: Duration,
}

impl Sent {
    /// The code in the message's text.
    pub fn code(&self) -> String {
        let text = if self.uri.contains("/Messages.json") {
            self.field("Body")
                .or_else(|| self.field("ContentVariables"))
        } else if self.uri.contains("/Calls.json") {
            let twiml = self.field("Twiml");
            return spoken_digits(&twiml.unwrap());
        } else {
            let body: Json = serde_json::from_str(&self.body).unwrap();
            let text = [&body["content"][0]["value"], &body["text"]];
            text.into_iter().find_map(Json::as_str).map(str::to_owned)
        };
        let text = text.unwrap();
        let digits: Vec<&str> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|run| matches!(run.len(), 6 | 8))
            .collect();
        (*digits.first().unwrap()).to_owned()
    }

    /// One of a form's.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(self.body.as_bytes());
        let found = fields.find(|(other, _)| other == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// Those of the first time that a call reads a code.
fn spoken_digits(twiml: &str) -> String {
    let said = twiml.split("<Say language=").skip(2);
    let said = said.map(|verb| verb.split_once('>').unwrap().1.split_once('<').unwrap().0);
    said.take_while(|text| text.len() == 1).collect()
}

/// What a provider answers to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    Timeout,
    Reset,
}

/// Both providers: they accept everything unless told otherwise.
#[derive(Clone, Default)]
pub struct Outbox {
    sent: Arc<Mutex<Vec<Sent>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Outbox {
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub fn last(&self) -> Sent {
        self.sent().pop().expect("a message was sent")
    }

    /// What the next requests are answered.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// The next requests succeed.
    pub fn forget_answers(&self) {
        self.answers.lock().unwrap().clear();
    }

    fn next(&self) -> Answer {
        let next = self.answers.lock().unwrap().pop_front();
        next.unwrap_or(Answer::Status(202, &[], ""))
    }

    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Outbox {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        assert!(timeout <= Duration::from_secs(5));
        let (parts, body) = request.into_parts();
        self.sent.lock().unwrap().push(Sent {
            uri: parts.uri.to_string(),
            headers: parts.headers,
            body: String::from_utf8(body).unwrap(),
            timeout,
        });
        match self.next() {
            Answer::Timeout => Err(HttpError::Timeout),
            Answer::Reset => Err(HttpError::Unreachable("connection reset".to_owned())),
            Answer::Status(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(*name, *value);
                }
                Ok(response.body(body.as_bytes().to_vec()).unwrap())
            }
        }
    }

    async fn wait(&self, duration: Duration) {
        self.waits.lock().unwrap().push(duration);
    }
}

/// A mail server, whose statuses are replies of SMTP.
#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, letter: &Letter<'_>, timeout: Duration) -> Result<(), MailError> {
        assert!(timeout <= Duration::from_secs(5));
        let body = serde_json::json!({
            "id": letter.id, "from": letter.from.as_str(), "from_name": letter.from_name, "to": letter.to.as_str(),
            "subject": letter.text.subject, "text": letter.text.text, "html": letter.text.html,
        });
        self.sent.lock().unwrap().push(Sent {
            uri: "smtp".to_owned(),
            headers: HeaderMap::new(),
            body: body.to_string(),
            timeout,
        });
        match self.next() {
            Answer::Timeout => Err(MailError::Timeout),
            Answer::Reset => Err(MailError::Unknown("connection reset".to_owned())),
            Answer::Status(status @ 500.., ..) => Err(MailError::Refused(status)),
            Answer::Status(400.., ..) => Err(MailError::Unsent("not now".to_owned())),
            Answer::Status(..) => Ok(()),
        }
    }
}
