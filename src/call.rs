//! One request under way: what it may use, what it leaves for later, what its log line says.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::app::App;
use crate::config::OperatorName;
use crate::domain::crypto::random::RandomError;
use crate::domain::ids::{ClientId, RequestId};
use crate::domain::method::{Channel, Method};
use crate::domain::time::UnixTime;
use crate::domain::trace_context::TraceContext;
use crate::platform::Traced;

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Work a request leaves for after its answer: hygiene, never anything an outcome depends on.
#[derive(Clone, Default)]
pub struct Later(Arc<Mutex<Vec<Task>>>);

impl Later {
    pub fn push(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::pin(task));
    }

    pub fn take(&self) -> Vec<Task> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One request under way.
#[derive(Clone)]
pub struct Call {
    pub app: Arc<App>,
    pub request_id: RequestId,
    /// The trace of its caller, or one that begins with it.
    pub context: TraceContext,
    /// The time the request came in: one moment for everything it decides.
    pub now: UnixTime,
    pub later: Later,
    pub trace: Trace,
    /// Which operator asks, where it is one.
    pub operator: Option<OperatorName>,
}

impl Call {
    /// What every request to somebody else goes through: it carries the trace on.
    pub fn http(&self) -> Traced<'_> {
        Traced {
            http: &*self.app.http,
            context: self.context,
        }
    }

    pub fn new(app: Arc<App>) -> Result<Self, RandomError> {
        let request_id = RequestId::draw()?;
        Ok(Self {
            context: TraceContext::beginning_with(&request_id),
            request_id,
            now: app.now(),
            app,
            later: Later::default(),
            trace: Trace::default(),
            operator: None,
        })
    }
}

/// What the log line and the metrics say of a request beside its status: filled in as the request finds out. All of
/// it is of few values, or the client's id (LOG-02).
#[derive(Clone, Default)]
pub struct Trace(Arc<Noted>);

#[derive(Default)]
struct Noted {
    route: OnceLock<String>,
    client: OnceLock<ClientId>,
    error: OnceLock<&'static str>,
    guess: Mutex<Option<Guess>>,
    message: Mutex<Option<Message>>,
}

/// What became of the code, or other proof, that came with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// What was proved, or else what the caller said it would be.
    pub method: Option<Method>,
    /// `success`, or the code of the error.
    pub outcome: &'static str,
}

/// What became of the message that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub channel: Channel,
    /// `success`, or the code of the error.
    pub outcome: &'static str,
}

impl Trace {
    /// The route's pattern, never the path itself: that may hold a user's id.
    pub fn set_route(&self, pattern: &str) {
        self.0.route.get_or_init(|| pattern.to_owned());
    }

    pub fn set_client(&self, client: &ClientId) {
        self.0.client.get_or_init(|| client.clone());
    }

    /// The code of the error that is answered.
    pub fn set_error(&self, code: &'static str) {
        self.0.error.get_or_init(|| code);
    }

    /// Of several, as when a decision is made again, the last counts.
    pub fn set_guess(&self, guess: Guess) {
        *self.0.guess.lock().unwrap_or_else(PoisonError::into_inner) = Some(guess);
    }

    pub fn set_message(&self, message: Message) {
        *self
            .0
            .message
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(String::as_str)
    }

    pub fn client(&self) -> Option<&str> {
        self.0.client.get().map(ClientId::as_str)
    }

    pub fn error(&self) -> Option<&'static str> {
        self.0.error.get().copied()
    }

    pub fn guess(&self) -> Option<Guess> {
        *self.0.guess.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn message(&self) -> Option<Message> {
        *self
            .0
            .message
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
