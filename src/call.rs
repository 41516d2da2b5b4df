//! One request under way: what it may use, what it leaves for later, what its log line says.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::app::App;
use crate::config::OperatorName;
use crate::domain::crypto::random::RandomError;
use crate::domain::ids::{ClientId, RequestId};
use crate::domain::time::UnixTime;

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
    /// The time the request came in: one moment for everything it decides.
    pub now: UnixTime,
    pub later: Later,
    pub trace: Trace,
    /// Which operator asks, where it is one.
    pub operator: Option<OperatorName>,
}

impl Call {
    pub fn new(app: Arc<App>) -> Result<Self, RandomError> {
        Ok(Self {
            request_id: RequestId::draw()?,
            now: app.now(),
            app,
            later: Later::default(),
            trace: Trace::default(),
            operator: None,
        })
    }
}

/// What the log line of a request says beside its status: filled in as the request finds out.
#[derive(Clone, Default)]
pub struct Trace {
    route: Arc<OnceLock<String>>,
    client: Arc<OnceLock<ClientId>>,
}

impl Trace {
    /// The route's pattern, never the path itself: that may hold a user's id.
    pub fn set_route(&self, pattern: &str) {
        self.route.get_or_init(|| pattern.to_owned());
    }

    pub fn set_client(&self, client: &ClientId) {
        self.client.get_or_init(|| client.clone());
    }

    pub fn route(&self) -> Option<&str> {
        self.route.get().map(String::as_str)
    }

    pub fn client(&self) -> Option<&str> {
        self.client.get().map(ClientId::as_str)
    }
}
