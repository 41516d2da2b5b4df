//! Whose import is done, beside the file: an import that was cut off goes on there. It holds user ids and no secret.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use super::Problem;

pub(super) struct Journal {
    done: HashSet<String>,
    file: BufWriter<File>,
    name: String,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let unusable = |error: std::io::Error| format!("{name}: {error}");
        let before = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(error)),
        };
        // The last line may have been cut off.
        let whole = before
            .rfind('\n')
            .map_or("", |end| before.get(..end).unwrap_or_default());
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = BufWriter::new(options.open(path).map_err(unusable)?);
        if !before.is_empty() && !before.ends_with('\n') {
            file.write_all(b"\n").map_err(unusable)?;
        }
        Ok(Self {
            done: whole.lines().map(str::to_owned).collect(),
            file,
            name,
        })
    }

    pub(super) fn has(&self, user: &str) -> bool {
        self.done.contains(user)
    }

    pub(super) fn add(&mut self, user: &str) -> Result<(), Problem> {
        let written = writeln!(self.file, "{user}");
        written.map_err(|error| format!("{}: {error}", self.name))
    }

    /// Has what was added outlive this program.
    pub(super) fn keep(&mut self) -> Result<(), Problem> {
        self.file
            .flush()
            .map_err(|error| format!("{}: {error}", self.name))
    }
}
