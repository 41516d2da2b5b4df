//! `Database` on D1.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use worker::send::SendFuture;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Delay};

use crate::platform::{Database, DatabaseError, Outcome, Row, Statement, Value};

/// D1 has stalled for many seconds at a time; a caller is told sooner.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct D1(pub D1Database);

#[async_trait]
impl Database for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        SendFuture::new(async {
            let prepared = statements
                .iter()
                .map(|statement| self.prepare(statement))
                .collect::<Result<Vec<_>, _>>()?;
            let answer = pin!(self.0.batch(prepared));
            match select(answer, Delay::from(TIMEOUT)).await {
                Either::Left((results, _)) => results
                    .map_err(|error| unavailable(&error))?
                    .iter()
                    .map(outcome)
                    .collect(),
                Either::Right(_) => Err(DatabaseError::Unavailable("no answer in time".to_owned())),
            }
        })
        .await
    }
}

impl D1 {
    fn prepare(&self, statement: &Statement) -> Result<D1PreparedStatement, DatabaseError> {
        let params: Vec<JsValue> = statement.params.iter().map(bound).collect();
        self.0
            .prepare(statement.sql.as_ref())
            .bind(&params)
            .map_err(|error| unavailable(&error))
    }
}

/// D1 takes numbers as doubles, exact up to 2^53: beyond every time and version stored here.
fn bound(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        #[expect(
            clippy::cast_precision_loss,
            reason = "times and versions are below 2^53"
        )]
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Text(text) => JsValue::from_str(text),
    }
}

fn outcome(result: &D1Result) -> Result<Outcome, DatabaseError> {
    let rows = result
        .results::<Row>()
        .map_err(|error| unavailable(&error))?;
    let changes = result
        .meta()
        .ok()
        .flatten()
        .and_then(|meta| meta.changes)
        .unwrap_or_default();
    Ok(Outcome {
        rows,
        changes: u64::try_from(changes).unwrap_or_default(),
    })
}

/// The first line of what D1 says; the others are a stack of its own code.
fn unavailable(error: &worker::Error) -> DatabaseError {
    let text = error.to_string();
    let line = text
        .lines()
        .find(|line| line.contains(' '))
        .unwrap_or(&text);
    DatabaseError::Unavailable(line.trim().to_owned())
}
