//! How far a copy is: a bar where somebody looks at it, lines of JSON where a program does.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::rows::Values;
use super::tables::Table;
use crate::native::cli::print;
use crate::native::cli::serve::milliseconds;
use crate::platform::{Database, Statement, Value};

/// Between two lines of JSON.
const PAUSE_MS: u64 = 1000;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Converted,
    Copied,
    Compared,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Copied => "copied",
            Self::Compared => "compared",
        }
    }
}

pub(super) struct Progress {
    json: bool,
    began: u64,
}

/// One step of one table.
pub(super) struct Counted<'a> {
    progress: &'a Progress,
    step: Step,
    table: String,
    bar: ProgressBar,
    /// The least id and the greatest, where a row's id says how far it is; how many rows otherwise.
    range: (i64, i64),
    by_id: bool,
    rows: u64,
    said: u64,
}

impl Progress {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            began: milliseconds(),
        }
    }

    /// Begins a step of a table of that database.
    pub(super) async fn begin(
        &self,
        step: Step,
        database: &dyn Database,
        table: &Table,
    ) -> Counted<'_> {
        let by_id = table.is_numbered;
        let asked = if by_id {
            "MIN(id) - 1 AS least, MAX(id) AS most"
        } else {
            "0 AS least, COUNT(*) AS most"
        };
        let sql = format!("SELECT {asked} FROM {}", table.name);
        // For the bar only: that it cannot be had is said where the rows are read.
        let outcome = database
            .run(Statement::new(sql, []))
            .await
            .unwrap_or_default();
        let number = |name| match outcome.rows.first().and_then(|row| row.get(name)) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        };
        self.counted(step, &table.name, (number("least"), number("most")), by_id)
    }

    /// Begins a step over a file of so many bytes.
    pub(super) fn begin_bytes(&self, step: Step, length: u64) -> Counted<'_> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.counted(step, "export", (0, length), false)
    }

    fn counted(&self, step: Step, table: &str, range: (i64, i64), by_id: bool) -> Counted<'_> {
        let bar = if self.json {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(length(range))
        };
        let template = "{prefix:>9} {msg:<16} {bar:30} {percent:>3} %, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(step.name());
        bar.set_message(table.to_owned());
        bar.enable_steady_tick(Duration::from_millis(500));
        Counted {
            progress: self,
            step,
            table: table.to_owned(),
            bar,
            range,
            by_id,
            rows: 0,
            said: milliseconds(),
        }
    }

    /// What is said at the end.
    pub(super) fn result(&self, rows: u64) -> String {
        let seconds = (milliseconds().saturating_sub(self.began)) / 1000;
        if self.json {
            let result = json!({"copied": true, "rows": rows, "seconds": seconds});
            return format!("{result}\n");
        }
        format!("{rows} rows are the same on both sides, after {seconds} s\n")
    }
}

fn length((least, most): (i64, i64)) -> u64 {
    u64::try_from(most.saturating_sub(least)).unwrap_or_default()
}

impl Counted<'_> {
    /// So many more rows, up to that key.
    pub(super) fn add(&mut self, rows: usize, last: &Values) {
        self.rows += u64::try_from(rows).unwrap_or_default();
        let place = match (self.by_id, last.first()) {
            (true, Some(Value::Integer(id))) => length((self.range.0, *id)),
            _ => self.rows,
        };
        self.at(place);
    }

    /// At that place of the way.
    pub(super) fn at(&mut self, place: u64) {
        self.bar.set_position(place);
        let now = milliseconds();
        if self.progress.json && now.saturating_sub(self.said) >= PAUSE_MS {
            self.said = now;
            self.say(place);
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn end(&self) {
        if self.progress.json {
            self.say(length(self.range));
            return;
        }
        self.bar.finish_and_clear();
        log::info!("{} {}: {} rows", self.step.name(), self.table, self.rows);
    }

    fn say(&self, place: u64) {
        let all = length(self.range).max(place).max(1);
        let line = json!({
            "step": self.step.name(),
            "table": self.table,
            "rows": self.rows,
            "percent": place.saturating_mul(100) / all,
        });
        // Whoever does not read on any more does not end the copy.
        let _ = print(&format!("{line}\n"));
    }
}
