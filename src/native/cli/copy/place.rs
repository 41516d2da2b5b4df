//! What `--from` and `--to` name, opened so that nothing else works with it meanwhile.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::dump::{self, Converted};
use super::progress::Progress;
use super::shown;
use crate::native::cli::Problem;
use crate::native::postgres::{DatabaseUrl, Postgres};
use crate::native::sqlite::Sqlite;
use crate::platform::Database;

/// What a SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// What is copied, and the file that was made of it where it was a dump: it goes when this does.
pub(super) struct Source {
    database: Arc<dyn Database>,
    _converted: Option<Converted>,
}

impl Source {
    pub(super) fn database(&self) -> &dyn Database {
        self.database.as_ref()
    }
}

pub(super) fn is_server(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}

pub(super) async fn source(place: &str, progress: &Progress) -> Result<Source, Problem> {
    if is_server(place) {
        let database = server("--from", place, false).await?;
        return Ok(Source {
            database,
            _converted: None,
        });
    }
    let unreadable = |error| format!("--from cannot be read: {}: {error}", shown(place));
    let path = Path::new(place);
    let mut begins = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let length = u64::try_from(SQLITE.len()).unwrap_or_default();
    file.take(length)
        .read_to_end(&mut begins)
        .map_err(unreadable)?;
    let converted = match &*begins {
        SQLITE => None,
        _ => Some(dump::convert(path, progress)?),
    };
    let file = converted.as_ref().map_or(path, Converted::path);
    Ok(Source {
        database: Arc::new(
            Sqlite::open_alone(file, false).map_err(|error| used("--from", &error))?,
        ),
        _converted: converted,
    })
}

pub(super) async fn target(place: &str) -> Result<Arc<dyn Database>, Problem> {
    if is_server(place) {
        return server("--to", place, true).await;
    }
    let database = Sqlite::open_alone(Path::new(place), true);
    Ok(Arc::new(database.map_err(|error| used("--to", &error))?))
}

async fn server(which: &str, url: &str, target: bool) -> Result<Arc<dyn Database>, Problem> {
    let url = DatabaseUrl::parse(url).map_err(|expected| format!("{which} is not {expected}"))?;
    let database = Postgres::open_alone(&url, target).await;
    Ok(Arc::new(
        database.map_err(|error| format!("{which}: {error}"))?,
    ))
}

fn used(which: &str, error: &crate::native::sqlite::OpenError) -> Problem {
    if error.is_busy() {
        return format!("{which} is in use: stop the program that has it open, and copy then");
    }
    format!("{which} cannot be opened: {error}")
}
