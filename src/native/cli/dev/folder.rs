//! What `candado dev` keeps: keys and a database, in a folder of their own.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::super::Problem;
use super::super::keys::Keys;

pub(super) const DEFAULT: &str = "candado-dev";
const SECRETS: &str = "candado.env";

pub(super) struct Folder {
    path: PathBuf,
    secrets: String,
}

impl Folder {
    /// Opens it, or makes it with fresh keys.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let unusable = |error: std::io::Error| {
            format!("the folder {} cannot be used: {error}", path.display())
        };
        make(path).map_err(unusable)?;
        let keys = Keys::draw().map_err(|error| error.to_string())?;
        let secrets = keep(&path.join(SECRETS), &keys.lines()).map_err(unusable)?;
        Ok(Self {
            path: path.to_owned(),
            secrets,
        })
    }

    pub(super) fn variable(&self, name: &str) -> Option<String> {
        find(&self.secrets, name)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("candado.sqlite")
    }

    pub(super) fn display(&self) -> String {
        self.path.display().to_string()
    }

    /// What is wrong with what it holds, and how to begin anew.
    pub(super) fn explain(&self, problem: &str) -> Problem {
        format!(
            "the folder {} is of no use: {problem}\ndelete it, or name another with --folder, to begin anew",
            self.display()
        )
    }
}

/// The operator's token of the service that `candado dev` serves from the folder it uses if it is told none.
pub(in super::super) fn kept_admin_token() -> Option<String> {
    let secrets = fs::read_to_string(Path::new(DEFAULT).join(SECRETS)).ok()?;
    find(&secrets, "ADMIN_TOKEN")
}

fn find(secrets: &str, name: &str) -> Option<String> {
    let mut lines = secrets.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(other, _)| *other == name)?;
    Some(value.to_owned())
}

/// Its owner's alone.
fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// What the file holds; if it is not there, it is written first. Of two that start at once one writes it.
fn keep(path: &Path, fresh: &str) -> std::io::Result<String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => file.write_all(fresh.as_bytes())?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    fs::read_to_string(path)
}
