//! Connections: made with what the product expects of them, lent for one batch, and closed if it did not end well.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime, Timeouts,
};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::execute::describe;
use super::url::DatabaseUrl;

/// Longest wait for a connection, whether another request has it or it is to be made.
const WAIT: Duration = Duration::from_secs(5);

/// What a connection is told first. Limits in time, so that nothing waits for ever: not for a row somebody else
/// holds, and not for a program that vanished within a transaction. READ COMMITTED is what the product is exact
/// under; and an answer follows the disk, or a used code would be good again after a crash.
const SET_UP: &str = "
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '5s';
    SET lock_timeout = '4s';
    SET idle_in_transaction_session_timeout = '10s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Who else may work with the database while a connection is there. It is a lock of the session, so it goes with a
/// program that is killed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sharing {
    /// Other programs, and nobody who wants it for itself.
    WithPrograms,
    /// None that asks.
    WithNobody,
}

impl Sharing {
    /// A session that has just lost its program may hold its lock for a moment more. It is asked for again and
    /// again, not waited for: whoever waits keeps others out already.
    fn set_up(self) -> String {
        let (lock, problem) = match self {
            Self::WithPrograms => (
                "pg_try_advisory_lock_shared",
                "the database is being copied, or copied into",
            ),
            Self::WithNobody => (
                "pg_try_advisory_lock",
                "a program is connected to the database: stop it first",
            ),
        };
        format!(
            "{SET_UP};
            DO $$ BEGIN
              FOR try IN 1..10 LOOP
                IF {lock}(hashtext('candado_copy'), hashtext(current_schema())) THEN
                  RETURN;
                END IF;
                PERFORM pg_sleep(0.2);
              END LOOP;
              RAISE EXCEPTION '{problem}' USING ERRCODE = 'object_in_use';
            END $$"
        )
    }
}

/// `most` connections at a time; none is made yet.
pub(super) fn pool(url: &DatabaseUrl, most: usize, sharing: Sharing) -> Result<Pool, String> {
    let config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match url.tls().map_err(|error| error.to_string())? {
        None => Manager::from_config(url.config().clone(), NoTls, config),
        Some(tls) => {
            Manager::from_config(url.config().clone(), MakeRustlsConnect::new(tls), config)
        }
    };
    let set_up: Arc<str> = sharing.set_up().into();
    let set_up = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let set_up = set_up.clone();
        Box::pin(async move {
            let done = client.batch_execute(&set_up).await;
            done.map_err(HookError::Backend)
        })
    });
    Pool::builder(manager)
        .max_size(most)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(WAIT),
            create: Some(WAIT),
            recycle: Some(WAIT),
        })
        .post_create(set_up)
        .build()
        .map_err(|error| error.to_string())
}

/// A connection that is closed unless it is given back: whoever dropped what ran on it may have left a
/// transaction open.
pub(super) struct Lent(Option<Object>);

impl Lent {
    pub(super) async fn from(pool: &Pool) -> Result<Self, String> {
        let object = pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                describe(&error)
            }
            error => error.to_string(),
        })?;
        Ok(Self(Some(object)))
    }

    /// The connection, which is there until it is given back.
    pub(super) fn client(&mut self) -> Result<&mut ClientWrapper, String> {
        self.0
            .as_deref_mut()
            .ok_or_else(|| "the connection was given back".to_owned())
    }

    pub(super) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
