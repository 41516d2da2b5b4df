//! The one connection that writes, on a thread of its own.
//!
//! A commit waits for the disk. Batches that come meanwhile share the next one: each runs within a
//! savepoint of one transaction, as exact as alone, and is answered once all of it is on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{execute, unavailable};
use crate::platform::{DatabaseError, Outcome, Statement};

/// The most batches that share a commit, so that the first of them waits for a bounded time.
const SHARED: usize = 256;

const SAVEPOINT: &str = "SAVEPOINT batch";
const RELEASE: &str = "RELEASE batch";
const ROLLBACK_TO: &str = "ROLLBACK TO batch";

type Answer = Result<Vec<Outcome>, DatabaseError>;

struct Job {
    statements: Vec<Statement>,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    fn answer(self, answer: Answer) {
        // Whoever asked may have gone.
        let _ = self.answer.send(answer);
    }
}

/// How many commits there were, and how many batches in all of them.
#[derive(Debug, Default)]
pub(in crate::native) struct Commits {
    commits: AtomicU64,
    batches: AtomicU64,
}

impl Commits {
    /// Commits, batches.
    pub(in crate::native) fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.commits), read(&self.batches))
    }

    fn add(&self, batches: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let batches = u64::try_from(batches).unwrap_or(u64::MAX);
        self.batches.fetch_add(batches, Ordering::Relaxed);
    }
}

/// Where batches are handed in. The thread ends with it.
pub(super) struct Writer {
    jobs: Sender<Job>,
    pub(super) commits: Arc<Commits>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let commits = Arc::<Commits>::default();
        let counts = commits.clone();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Ok(first) = waiting.recv() {
                    commit_together(&connection, first, &waiting, &counts);
                }
            })?;
        Ok(Self { jobs, commits })
    }

    /// Runs the batch as one transaction, and is done when it is on the disk. It is carried out also
    /// when nobody waits for its outcome any more.
    pub(super) async fn write(&self, statements: Vec<Statement>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job { statements, answer };
        let ended = || DatabaseError::Unavailable("the thread that writes has ended".to_owned());
        self.jobs.send(job).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Runs the first batch, and those that wait by then, in one transaction.
fn commit_together(connection: &Connection, first: Job, waiting: &Receiver<Job>, counts: &Commits) {
    if let Err(error) = execute::control(connection, execute::BEGIN_TO_WRITE) {
        // Those behind would wait as long for the lock, one after the other.
        refuse(std::iter::once(first).chain(waiting.try_iter()), &error);
        return;
    }
    let mut carried_out = Vec::new();
    for job in std::iter::once(first)
        .chain(waiting.try_iter())
        .take(SHARED)
    {
        match within_savepoint(connection, &job.statements) {
            Ok(Ok(outcomes)) => carried_out.push((job, outcomes)),
            // Undone up to its savepoint: nobody else's work is touched, and only its caller hears.
            Ok(Err(error)) => job.answer(Err(unavailable(error))),
            Err(error) => {
                execute::give_up(connection);
                let undone = carried_out.into_iter().map(|(job, _)| job);
                refuse(undone.chain([job]), &error);
                return;
            }
        }
    }
    match execute::control(connection, execute::COMMIT) {
        Ok(()) => {
            counts.add(carried_out.len());
            for (job, outcomes) in carried_out {
                job.answer(Ok(outcomes));
            }
        }
        Err(error) => {
            // Not tried again: after a sync that failed nobody knows what the disk holds.
            execute::give_up(connection);
            refuse(carried_out.into_iter().map(|(job, _)| job), &error);
        }
    }
}

/// The batch's own result; or an error if the transaction it shares with others is lost.
fn within_savepoint(
    connection: &Connection,
    statements: &[Statement],
) -> rusqlite::Result<rusqlite::Result<Vec<Outcome>>> {
    execute::control(connection, SAVEPOINT)?;
    let done = execute::each(connection, statements);
    if let Err(error) = &done {
        // A full disk, for one, makes SQLite roll everything back by itself.
        if connection.is_autocommit() {
            return done.map(Ok);
        }
        log::warn!("a batch was undone: {error}");
        execute::control(connection, ROLLBACK_TO)?;
    }
    execute::control(connection, RELEASE)?;
    Ok(done)
}

fn refuse(jobs: impl Iterator<Item = Job>, error: &rusqlite::Error) {
    for job in jobs {
        job.answer(Err(unavailable(error)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        let schema = "CREATE TABLE uses (code TEXT PRIMARY KEY) STRICT;
            CREATE TABLE later (code TEXT REFERENCES uses DEFERRABLE INITIALLY DEFERRED) STRICT;";
        connection.execute_batch(schema).unwrap();
        connection
    }

    fn stored(connection: &Connection) -> Vec<String> {
        let mut select = connection
            .prepare("SELECT code FROM uses ORDER BY code")
            .unwrap();
        let codes = select.query_map([], |row| row.get(0)).unwrap();
        codes.map(Result::unwrap).collect()
    }

    /// Batches of statements, which all wait when the writer comes to them, and what each is answered.
    fn together(connection: &Connection, batches: &[&[&'static str]]) -> Vec<Answer> {
        let (jobs, waiting) = channel();
        let mut answers = Vec::new();
        for batch in batches {
            let statements = batch.iter().map(|sql| Statement::new(*sql, [])).collect();
            let (answer, answered) = oneshot::channel();
            jobs.send(Job { statements, answer }).unwrap();
            answers.push(answered);
        }
        let first = waiting.recv().unwrap();
        commit_together(connection, first, &waiting, &Commits::default());
        assert!(connection.is_autocommit(), "no transaction is left open");
        let answer = |answered: oneshot::Receiver<Answer>| answered.blocking_recv().unwrap();
        answers.into_iter().map(answer).collect()
    }

    const A: &str = "INSERT INTO uses VALUES ('a')";
    const B: &str = "INSERT INTO uses VALUES ('b')";
    const C: &str = "INSERT INTO uses VALUES ('c')";

    #[test]
    fn a_batch_that_fails_is_undone_whole_and_disturbs_no_neighbour() {
        let connection = connection();
        let answers = together(&connection, &[&[A], &[B, A], &[C]]);
        assert_eq!(stored(&connection), ["a", "c"]);
        assert_eq!(answers[0].as_ref().unwrap()[0].changes, 1);
        assert!(answers[1].is_err());
        assert_eq!(answers[2].as_ref().unwrap()[0].changes, 1);
    }

    #[test]
    fn batches_of_one_commit_are_counted_with_it_and_those_undone_are_not() {
        let connection = connection();
        let (jobs, waiting) = channel();
        for sql in [A, A, B] {
            let statements = vec![Statement::new(sql, [])];
            let (answer, _) = oneshot::channel();
            jobs.send(Job { statements, answer }).unwrap();
        }
        let counts = Commits::default();
        commit_together(&connection, waiting.recv().unwrap(), &waiting, &counts);
        assert_eq!(counts.counts(), (1, 2));
    }

    #[test]
    fn of_batches_that_swap_from_the_same_version_one_hits() {
        let connection = connection();
        together(&connection, &[&[A]]);
        let swap: &[&str] = &["UPDATE uses SET code = 'z' WHERE code = 'a'"];
        let answers = together(&connection, &[swap, swap, swap]);
        let hits = answers.into_iter().map(|answer| answer.unwrap()[0].changes);
        assert_eq!(hits.collect::<Vec<_>>(), [1, 0, 0]);
    }

    #[test]
    fn a_commit_that_fails_is_told_to_everybody_in_it() {
        let connection = connection();
        let orphan = "INSERT INTO later VALUES ('nobody')";
        let answers = together(&connection, &[&[A], &[orphan], &[C]]);
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(stored(&connection), [""; 0]);
        assert!(
            together(&connection, &[&[A]])[0].is_ok(),
            "the next one works again"
        );
    }

    #[test]
    fn a_transaction_that_sqlite_gives_up_is_told_to_everybody_in_it() {
        let connection = connection();
        together(&connection, &[&[A]]);
        let gives_up = "INSERT OR ROLLBACK INTO uses VALUES ('a')";
        let answers = together(&connection, &[&[B], &[gives_up]]);
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(stored(&connection), ["a"]);
        assert!(
            together(&connection, &[&[C]])[0].is_ok(),
            "the next one works again"
        );
    }

    #[test]
    fn a_lock_that_another_process_holds_refuses_all_that_wait_at_once() {
        let file = std::env::temp_dir().join(format!("candado-lock-{}", std::process::id()));
        let open = || Connection::open(&file).unwrap();
        let (other, connection) = (open(), open());
        connection
            .execute_batch("CREATE TABLE uses (code TEXT) STRICT")
            .unwrap();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let answers = together(&connection, &[&[A], &[B], &[C]]);
        assert!(answers.iter().all(Result::is_err));
        other.execute_batch("COMMIT").unwrap();
        assert!(together(&connection, &[&[A]])[0].is_ok());
        assert_eq!(stored(&connection), ["a"]);
        std::fs::remove_file(file).unwrap();
    }
}
