//! A database that behaves as one across a network does: it is slow, refuses, loses answers, and fails over.
//!
//! The statements are the product's and SQLite runs them. What happens around them is drawn from the seed.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use candado::platform::{Database, DatabaseError, Outcome, Row, Statement, Value};
use fastrand::Rng;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use tokio::time::{Instant, sleep};

/// A rule of the product that is taken out, to see that the simulation notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// An account is stored whatever became of it since it was read.
    NoCompareAndSwap,
    /// A wrong guess is told and mostly not stored.
    UncountedGuesses,
    /// What is counted for limits is not compared with them.
    NoLimits,
    /// Commits were lost in a failover, and nobody says so to the service.
    SilentFailover,
}

/// What the database did beside its work.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Faults {
    pub refused: u64,
    pub conflicts: u64,
    pub answers_lost: u64,
    pub failovers: u64,
    pub commits_lost: u64,
}

struct State {
    connection: Connection,
    rng: Rng,
    down_until: Instant,
    /// Failovers so far: whoever waits for an answer meanwhile does not get it.
    incident: u64,
    /// Failovers that lost commits. A program of before is no longer let in.
    generation: u64,
    /// Commits since the standby fell behind, while it is.
    behind: Option<u64>,
    faults: Faults,
}

#[derive(Clone)]
pub(super) struct Engine {
    state: Arc<Mutex<State>>,
    defect: Option<Defect>,
}

impl Engine {
    pub(super) fn new(seed: u64, defect: Option<Defect>) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.set_prepared_statement_cache_capacity(64);
        // As the product sets it: else a statement is parsed again whenever another value is bound.
        let once = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
        once.unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
        files.sort();
        for file in files {
            connection
                .execute_batch(&std::fs::read_to_string(file).unwrap())
                .unwrap();
        }
        let state = State {
            connection,
            rng: Rng::with_seed(seed),
            down_until: Instant::now(),
            incident: 0,
            generation: 0,
            behind: None,
            faults: Faults::default(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            defect,
        }
    }

    /// The way a program that starts now reaches it.
    pub(super) fn connect(&self) -> Arc<dyn Database> {
        Arc::new(Client {
            engine: self.clone(),
            generation: self.lock().generation,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// From now on the standby gets no commits.
    pub(super) fn fall_behind(&self) {
        let mut state = self.lock();
        state.connection.execute_batch("SAVEPOINT behind").unwrap();
        state.behind = Some(0);
    }

    /// The standby takes over, and is there after `pause`. Whether commits were lost.
    pub(super) fn fail_over(&self, pause: Duration) -> bool {
        let mut state = self.lock();
        state.incident += 1;
        state.faults.failovers += 1;
        state.down_until = Instant::now() + pause;
        let Some(lost) = state.behind.take() else {
            return false;
        };
        state
            .connection
            .execute_batch("ROLLBACK TO behind; RELEASE behind")
            .unwrap();
        state.faults.commits_lost += lost;
        state.generation += 1;
        true
    }

    /// The only number of the only row.
    pub(super) fn number(&self, sql: &str) -> u64 {
        let state = self.lock();
        let number: i64 = state
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        u64::try_from(number).unwrap()
    }
}

/// What becomes of one batch.
struct Fate {
    way_there: Duration,
    way_back: Duration,
    /// Times that another transaction is in the way.
    conflicts: u32,
    refused: bool,
    answer_lost: bool,
}

impl Fate {
    fn draw(rng: &mut Rng) -> Self {
        // Mostly near, at times far or queued.
        let way = |rng: &mut Rng| {
            let longest = if rng.u32(..50) == 0 { 800 } else { 6 };
            Duration::from_millis(rng.u64(0..longest))
        };
        Self {
            way_there: way(rng),
            way_back: way(rng),
            conflicts: if rng.u32(..100) == 0 {
                rng.u32(1..6)
            } else {
                0
            },
            refused: rng.u32(..500) == 0,
            answer_lost: rng.u32(..200) == 0,
        }
    }
}

/// How often the product runs a batch again that met another.
const AGAIN: u32 = 3;

struct Client {
    engine: Engine,
    generation: u64,
}

#[async_trait]
impl Database for Client {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        let fate = Fate::draw(&mut self.engine.lock().rng);
        sleep(fate.way_there).await;
        for _ in 0..fate.conflicts.min(AGAIN + 1) {
            self.engine.lock().faults.conflicts += 1;
            sleep(fate.way_there).await;
        }
        let (done, incident) = {
            let mut state = self.engine.lock();
            let down = Instant::now() < state.down_until || state.generation != self.generation;
            if down || fate.refused || fate.conflicts > AGAIN {
                state.faults.refused += 1;
                return Err(DatabaseError::Unavailable("simulated".to_owned()));
            }
            (state.run(&statements, self.engine.defect), state.incident)
        };
        sleep(fate.way_back).await;
        let mut state = self.engine.lock();
        if fate.answer_lost || state.incident != incident {
            state.faults.answers_lost += 1;
            return Err(DatabaseError::Unavailable(
                "simulated: no answer".to_owned(),
            ));
        }
        done
    }
}

impl State {
    fn run(
        &mut self,
        statements: &[Statement],
        defect: Option<Defect>,
    ) -> Result<Vec<Outcome>, DatabaseError> {
        if defect == Some(Defect::UncountedGuesses)
            && is_failed_guess(statements)
            && self.rng.u32(..10) > 0
        {
            let told = |_| Outcome {
                rows: Vec::new(),
                changes: 1,
            };
            return Ok(statements.iter().map(told).collect());
        }
        self.connection.execute_batch("SAVEPOINT batch").unwrap();
        let done: rusqlite::Result<Vec<Outcome>> = statements
            .iter()
            .map(|statement| execute(&self.connection, statement, defect))
            .collect();
        if done.is_err() {
            self.connection.execute_batch("ROLLBACK TO batch").unwrap();
        }
        self.connection.execute_batch("RELEASE batch").unwrap();
        let writes = |outcomes: &Vec<Outcome>| outcomes.iter().any(|outcome| outcome.changes > 0);
        if let (Some(behind), true) = (&mut self.behind, done.as_ref().is_ok_and(writes)) {
            *behind += 1;
        }
        done.map_err(|error| DatabaseError::Unavailable(error.to_string()))
    }
}

fn is_failed_guess(statements: &[Statement]) -> bool {
    let failed = Value::from("failed");
    statements
        .iter()
        .any(|statement| statement.params.contains(&failed))
}

/// The text without what the defect takes out of it.
fn planted(sql: &str, defect: Option<Defect>) -> String {
    match defect {
        Some(Defect::NoCompareAndSwap) if sql.starts_with("UPDATE accounts") => {
            sql.replace(" AND version = ", " AND -1 <> ")
        }
        Some(Defect::NoLimits) => sql.replace(") < ", ") < 1000000 + "),
        _ => sql.to_owned(),
    }
}

fn execute(
    connection: &Connection,
    statement: &Statement,
    defect: Option<Defect>,
) -> rusqlite::Result<Outcome> {
    let mut prepared = match defect {
        None => connection.prepare_cached(&statement.sql)?,
        defect => connection.prepare_cached(&planted(&statement.sql, defect))?,
    };
    let writes = !prepared.readonly();
    let names: Vec<Arc<str>> = prepared.column_names().map(Arc::from).collect();
    let mut found = prepared.query(params_from_iter(&statement.params))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let column = |(place, name): (usize, &Arc<str>)| {
            let value = match row.get_ref(place)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                value => Value::Text(value.as_str()?.to_owned()),
            };
            Ok((name.clone(), value))
        };
        rows.push(
            names
                .iter()
                .enumerate()
                .map(column)
                .collect::<rusqlite::Result<Row>>()?,
        );
    }
    drop(found);
    let changes = if writes { connection.changes() } else { 0 };
    Ok(Outcome { rows, changes })
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        let Self {
            refused,
            conflicts,
            answers_lost,
            failovers,
            commits_lost,
        } = self;
        write!(
            text,
            "{refused} batches refused, {conflicts} undone for another, {answers_lost} answers lost, \
             {failovers} failovers, {commits_lost} commits lost in them"
        )?;
        f.write_str(&text)
    }
}
