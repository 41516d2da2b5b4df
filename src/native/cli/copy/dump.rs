//! What `wrangler d1 export` writes, as a SQLite file that is there for the time of the copy.
//!
//! Of a dump only its tables and rows are taken. Any statement that is not expected there is refused, not run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::progress::{Progress, Step};
use super::shown;
use crate::native::cli::Problem;
use crate::native::sqlite::make_private;

/// Far more than D1 lets a row have (2 MB).
const LONGEST: usize = 16 << 20;

/// What a dump has beside tables and rows: it is of no use here.
const PASSED_OVER: [&str; 9] = [
    "PRAGMA ",
    "BEGIN",
    "COMMIT",
    "CREATE INDEX ",
    "CREATE UNIQUE INDEX ",
    "DELETE FROM SQLITE_SEQUENCE",
    "INSERT INTO \"SQLITE_SEQUENCE\"",
    "INSERT INTO SQLITE_SEQUENCE",
    "ANALYZE ",
];

/// A file with the rows of a dump. It has the dump's secrets, so nobody else may read it, and it goes with the copy.
pub(super) struct Converted(PathBuf);

impl Converted {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Converted {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            let _ = fs::remove_file(path);
        }
    }
}

/// Reads the dump into a file beside it.
pub(super) fn convert(dump: &Path, progress: &Progress) -> Result<Converted, Problem> {
    let mut path = dump.as_os_str().to_owned();
    path.push(".candado-copy");
    let converted = Converted(path.into());
    // One that was killed left its file behind.
    let _ = fs::remove_file(converted.path());
    make_private(converted.path()).map_err(|error| format!("beside --from: {error}"))?;
    let connection = Connection::open(converted.path()).map_err(|error| error.to_string())?;
    // Nothing of it is needed after a crash: the dump is still there.
    for (pragma, value) in [("journal_mode", "OFF"), ("synchronous", "OFF")] {
        connection
            .pragma_update(None, pragma, value)
            .map_err(|error| error.to_string())?;
    }
    let unreadable = |error| format!("--from cannot be read: {error}");
    let file = File::open(dump).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut counted = progress.begin_bytes(Step::Converted, length);
    let mut statements = Statements::new(BufReader::with_capacity(1 << 20, file));
    let done = (|| -> Result<(), Problem> {
        connection
            .execute_batch("BEGIN")
            .map_err(|error| error.to_string())?;
        while let Some(statement) = statements.next()? {
            run(&connection, statement)?;
            counted.at(statements.read);
        }
        connection
            .execute_batch("COMMIT")
            .map_err(|error| error.to_string())
    })();
    counted.end();
    done.map_err(|error| {
        format!(
            "{} is neither a SQLite file nor what `wrangler d1 export` writes: {error}",
            shown(&dump.to_string_lossy())
        )
    })?;
    Ok(converted)
}

fn run(connection: &Connection, statement: &str) -> Result<(), Problem> {
    let upper: String = statement
        .chars()
        .take(40)
        .collect::<String>()
        .to_uppercase();
    if statement.is_empty() || PASSED_OVER.iter().any(|begin| upper.starts_with(begin)) {
        return Ok(());
    }
    let begin: String = statement.chars().take(40).collect();
    if !upper.starts_with("CREATE TABLE ") && !upper.starts_with("INSERT INTO ") {
        return Err(format!("it has a statement that is not expected: {begin}"));
    }
    let done = connection
        .prepare_cached(statement)
        .and_then(|mut prepared| prepared.execute([]));
    done.map(drop).map_err(|error| match error {
        // Its text may hold a row.
        rusqlite::Error::SqlInputError { error, .. } => format!("{begin}: {error}"),
        error => format!("{begin}: {error}"),
    })
}

/// A file's statements, one after the other, each without the semicolon that ends it.
struct Statements<R> {
    input: R,
    buffer: Vec<u8>,
    /// Bytes that were read.
    read: u64,
}

/// Within what a semicolon ends nothing.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    Text,
    Name,
    Comment,
}

impl<R: BufRead> Statements<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            read: 0,
        }
    }

    fn next(&mut self) -> Result<Option<&str>, Problem> {
        self.buffer.clear();
        let mut within = Within::Nothing;
        let mut seen = 0;
        let ended = loop {
            let read = self.input.read_until(b';', &mut self.buffer);
            let read = read.map_err(|error| error.to_string())?;
            self.read += u64::try_from(read).unwrap_or_default();
            let mut before = b' ';
            for &byte in self.buffer.iter().skip(seen) {
                within = within.after(before, byte);
                before = byte;
            }
            seen = self.buffer.len();
            if within == Within::Nothing && self.buffer.last() == Some(&b';') {
                break true;
            }
            if read == 0 {
                break false;
            }
            if self.buffer.len() > LONGEST {
                return Err("it has a statement without an end".to_owned());
            }
        };
        let text = std::str::from_utf8(&self.buffer).map_err(|_| "it is not text")?;
        let statement = without_comments(text.strip_suffix(';').unwrap_or(text));
        if !ended && !statement.is_empty() {
            return Err("it ends in the middle of a statement: is the export complete?".to_owned());
        }
        Ok(ended.then_some(statement))
    }
}

impl Within {
    /// A quote that is doubled ends a text and begins it again, which comes to the same.
    fn after(self, before: u8, byte: u8) -> Self {
        match (self, byte) {
            (Self::Nothing, b'\'') => Self::Text,
            (Self::Nothing, b'"') => Self::Name,
            (Self::Nothing, b'-') if before == b'-' => Self::Comment,
            (Self::Text, b'\'') | (Self::Name, b'"') | (Self::Comment, b'\n') => Self::Nothing,
            _ => self,
        }
    }
}

/// The statement, from its first word on.
fn without_comments(statement: &str) -> &str {
    let mut text = statement.trim();
    while text.starts_with("--") {
        text = text.split_once('\n').map_or("", |(_, rest)| rest).trim();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Result<Vec<String>, Problem> {
        let mut statements = Statements::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(statement) = statements.next()? {
            found.push(statement.to_owned());
        }
        Ok(found)
    }

    #[test]
    fn a_semicolon_in_quotes_or_a_comment_ends_no_statement() {
        let text = "PRAGMA a=TRUE;\nINSERT INTO \"t;\" VALUES('it''s; \"so');\n-- the users' own; rows\nCREATE TABLE u (a -- it's;\n, b);\n";
        assert_eq!(
            statements(text).unwrap(),
            [
                "PRAGMA a=TRUE",
                "INSERT INTO \"t;\" VALUES('it''s; \"so')",
                "CREATE TABLE u (a -- it's;\n, b)"
            ]
        );
    }

    #[test]
    fn what_is_cut_off_is_noticed() {
        for text in [
            "INSERT INTO t VALUES('a",
            "INSERT INTO t VALUES('a;",
            "INSERT INTO t",
        ] {
            let error = statements(text).unwrap_err();
            assert!(error.contains("is the export complete?"), "{error}");
        }
    }

    #[test]
    fn a_dump_makes_tables_and_rows_and_does_nothing_else() {
        let connection = Connection::open_in_memory().unwrap();
        for statement in [
            "CREATE TABLE IF NOT EXISTS \"t\" (a TEXT) STRICT",
            "INSERT INTO \"t\" (\"a\") VALUES(replace('one\\ntwo','\\n',char(10)))",
            "PRAGMA defer_foreign_keys=TRUE",
            "DELETE FROM sqlite_sequence",
            "CREATE INDEX i ON nowhere (a)",
        ] {
            run(&connection, statement).unwrap();
        }
        let text: String = connection
            .query_row("SELECT a FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(text, "one\ntwo");
        for statement in [
            "ATTACH 'elsewhere' AS e",
            "DROP TABLE t",
            "UPDATE t SET a = 'b'",
            "DELETE FROM t",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1",
            "SELECT load_extension('x')",
        ] {
            assert!(run(&connection, statement).is_err(), "{statement}");
        }
    }
}
