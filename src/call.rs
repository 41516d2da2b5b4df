//! One request under way: what it may use, what it leaves for later, what its log line says.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::app::App;
use crate::config::OperatorName;
use crate::domain::api_key::PresentedKey;
use crate::domain::crypto::random::RandomError;
use crate::domain::idempotency::Claim;
use crate::domain::ids::{ClientId, RequestId, TokenEpoch};
use crate::domain::method::{Channel, Method};
use crate::domain::scope::Scope;
use crate::domain::time::UnixTime;
use crate::domain::trace_context::TraceContext;
use crate::error::Error;
use crate::platform::{Batch, Traced};

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

    pub fn extend(&self, tasks: Vec<Task>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(tasks);
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
    /// The time the request came in: one moment for everything it decides. By the clock of the client that asks, which
    /// is the server's but for test clients.
    pub now: UnixTime,
    /// Of a test client: how many seconds its clock is ahead.
    pub clock_ahead: Option<u64>,
    pub later: Later,
    pub trace: Trace,
    /// Which operator asks, where it is one.
    pub operator: Option<OperatorName>,
    /// Who asks, where that was found out before the route was.
    pub caller: Option<Caller>,
    /// Of a request that is to take effect once.
    pub once: Option<Arc<Once>>,
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
            clock_ahead: None,
            app,
            later: Later::default(),
            trace: Trace::default(),
            operator: None,
            caller: None,
            once: None,
        })
    }

    /// The same call by a clock that is so many seconds ahead.
    #[must_use]
    pub fn ahead_by(mut self, seconds: Option<u64>) -> Self {
        self.now = self.now.plus(seconds.unwrap_or_default());
        self.clock_ahead = seconds;
        self
    }

    /// Goes on to the present moment, in a call that waits for something.
    pub fn now_again(&mut self) {
        self.now = self.app.now().plus(self.clock_ahead.unwrap_or_default());
    }

    /// When the request came in by the server's own clock. What others judge by theirs is told in it: tokens, keys,
    /// the record.
    pub fn real_now(&self) -> UnixTime {
        self.now.minus(self.clock_ahead.unwrap_or_default())
    }
}

/// A client application, and by what it says so.
#[derive(Debug, Clone)]
pub struct Caller {
    pub client: ClientId,
    pub credential: Credential,
}

/// What a client application showed. That it still holds is checked when the account is loaded.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An access token of ours, which may be revoked or of an epoch that ended.
    Token {
        jti: String,
        epoch: TokenEpoch,
        issued_at: UnixTime,
    },
    /// An API key that is well formed, and the scope that what is asked for belongs to.
    Key { key: PresentedKey, needs: Scope },
}

impl Caller {
    /// The same, where what is asked for belongs to that scope.
    #[must_use]
    pub fn needing(mut self, scope: Scope) -> Self {
        if let Credential::Key { needs, .. } = &mut self.credential {
            *needs = scope;
        }
        self
    }
}

/// A request with an idempotency key: its hold on the key, and what it has come to.
pub struct Once {
    pub claim: Claim,
    progress: Mutex<Progress>,
}

#[derive(Default)]
pub enum Progress {
    #[default]
    Undecided,
    /// Decided, and stored once its answer is known: together with that.
    Held(Held),
    /// Something of it is stored.
    Stored,
    /// What was held was decided on what is not so any more.
    Missed,
}

/// A change that is decided and not stored.
pub struct Held {
    pub batch: Batch,
    /// What is in its way, where it is not that somebody else changed the same first.
    pub obstacle: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
    /// To be done later, once it is stored.
    pub after: Vec<Task>,
}

impl Once {
    pub fn new(claim: Claim) -> Self {
        let progress = Mutex::default();
        Self { claim, progress }
    }

    pub fn is_stored(&self) -> bool {
        matches!(*self.progress(), Progress::Stored)
    }

    pub fn set(&self, progress: Progress) {
        *self.progress() = progress;
    }

    /// What it has come to; from then on it is undecided again.
    pub fn take(&self) -> Progress {
        std::mem::take(&mut self.progress())
    }

    /// What is held, if something is.
    pub fn take_held(&self) -> Option<Held> {
        let mut progress = self.progress();
        match std::mem::take(&mut *progress) {
            Progress::Held(held) => Some(held),
            other => {
                *progress = other;
                None
            }
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
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
