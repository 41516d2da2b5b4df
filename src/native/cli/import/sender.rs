//! Records, one request each, to `POST /mfa/import`.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, Response};
use serde_json::{Value, json};

use super::Problem;
use crate::domain::bring::Brought;
use crate::native::cli::remote::{Service, text};
use crate::native::cli::serve::variable;

/// Times a request is sent again when the service is out of reach; it waits longer each time.
const TRIES: u32 = 6;

/// What became of a record.
pub(super) enum Sent {
    Imported,
    /// The user has MFA already: brought along by a run that was cut off, or before that.
    ThereAlready,
    Refused(String),
}

enum Credential {
    Key(String),
    Secret { id: String, secret: String },
}

pub(super) struct Sender {
    service: Service,
    credential: Credential,
    /// A token, or the key.
    bearer: String,
}

impl Sender {
    pub(super) fn new() -> Result<Self, Problem> {
        let given = |name| {
            variable(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let credential = match (
            given("CANDADO_API_KEY"),
            given("CANDADO_CLIENT_ID"),
            given("CANDADO_CLIENT_SECRET"),
        ) {
            (Some(key), _, _) => Credential::Key(key),
            (None, Some(id), Some(secret)) => Credential::Secret { id, secret },
            _ => {
                return Err(
                    "set CANDADO_API_KEY, or CANDADO_CLIENT_ID and CANDADO_CLIENT_SECRET: \
                    users are brought along to a client"
                        .to_owned(),
                );
            }
        };
        let mut sender = Self {
            service: Service::as_client()?,
            credential,
            bearer: String::new(),
        };
        sender.authenticate()?;
        Ok(sender)
    }

    fn authenticate(&mut self) -> Result<(), Problem> {
        self.bearer = match &self.credential {
            Credential::Key(key) => key.clone(),
            Credential::Secret { id, secret } => {
                let body = json!({"client_id": id, "client_secret": secret});
                let answer = self.service.ask(Method::POST, "/auth", Some(&body))?;
                text(&answer, "access_token").to_owned()
            }
        };
        Ok(())
    }

    /// What became of each. An error ends the import: it would be the same for all that follow.
    pub(super) fn send(&mut self, records: &[&Brought]) -> Result<Vec<Sent>, Problem> {
        let mut answers = self.send_each(records)?;
        // The token's hour is over: those that it was refused for are sent once more.
        let stale = |sent: &Option<Sent>| sent.is_none();
        if answers.iter().any(stale) {
            self.authenticate()?;
            let left: Vec<&Brought> = records
                .iter()
                .zip(&answers)
                .filter(|(_, sent)| stale(sent))
                .map(|(record, _)| *record)
                .collect();
            let mut again = self.send_each(&left)?.into_iter();
            for sent in answers.iter_mut().filter(|sent| stale(sent)) {
                *sent = again.next().flatten();
            }
        }
        let all: Option<Vec<Sent>> = answers.into_iter().collect();
        all.ok_or_else(|| "the service takes the credentials no longer".to_owned())
    }

    /// `None` for a record whose token was refused.
    fn send_each(&self, records: &[&Brought]) -> Result<Vec<Option<Sent>>, Problem> {
        let all = join_all(records.iter().map(|record| self.send_one(record)));
        self.service.block_on(all).into_iter().collect()
    }

    async fn send_one(&self, record: &Brought) -> Result<Option<Sent>, Problem> {
        let body = body(record);
        let mut tries = 0;
        loop {
            let answer = self
                .service
                .exchange(Method::POST, "/mfa/import", Some(&body), Some(&self.bearer))
                .await;
            let pause = match answer {
                Err(problem) if tries == TRIES => return Err(problem),
                Err(_) => 1 << tries,
                Ok(answer) => match judge(&self.service, &answer, tries)? {
                    Next::Done(sent) => return Ok(sent),
                    Next::Again(seconds) => seconds,
                    // Asked to wait by a service that works: that is no failed try.
                    Next::Wait(seconds) => {
                        tokio::time::sleep(Duration::from_secs(seconds)).await;
                        continue;
                    }
                },
            };
            tries += 1;
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
    }
}

enum Next {
    Done(Option<Sent>),
    Wait(u64),
    Again(u64),
}

fn judge(service: &Service, answer: &Response<Vec<u8>>, tries: u32) -> Result<Next, Problem> {
    let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let seconds = value
        .get("retry_after")
        .and_then(Value::as_u64)
        .unwrap_or(1)
        .max(1);
    Ok(match (answer.status().as_u16(), text(&value, "error")) {
        (200, _) => Next::Done(Some(Sent::Imported)),
        (401, "invalid_token") => Next::Done(None),
        (409, "already_registered") => Next::Done(Some(Sent::ThereAlready)),
        (429, _) => Next::Wait(seconds),
        (500.., _) if tries < TRIES => Next::Again(seconds),
        (400 | 409 | 422, code) if !code.is_empty() => {
            let field = text(&value, "field");
            let field = if field.is_empty() {
                String::new()
            } else {
                format!("{field}: ")
            };
            Next::Done(Some(Sent::Refused(format!(
                "{code}: {field}{}",
                text(&value, "message")
            ))))
        }
        _ => return Err(service.refusal(answer)),
    })
}

fn body(record: &Brought) -> Value {
    let alphabet = base32::Alphabet::Rfc4648 { padding: false };
    let mut body = json!({
        "user_id": record.user,
        "secret": base32::encode(alphabet, &record.secret),
        "algorithm": record.parameters.algorithm,
        "digits": record.parameters.digits,
        "period": record.parameters.period,
    });
    let contact = [("phone", &record.phone), ("email", &record.email)];
    for (name, value) in contact {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(name.to_owned(), value.as_str().into());
        }
    }
    body
}
