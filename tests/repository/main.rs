//! What the repository says about itself holds: references lead somewhere, and the threat model names tests that exist.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

mod layers;
mod references;
mod threat_model;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file under `folders` with one of `endings`, as its path from the root, without what is installed or built.
fn files(folders: &[&str], endings: &[&str]) -> Vec<String> {
    const NOT_OURS: [&str; 6] = [
        "node_modules",
        "target",
        "dist",
        "build",
        "public",
        "corpus",
    ];
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if NOT_OURS.contains(&name.as_str()) || name.starts_with('.') {
                continue;
            }
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(
                path.strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
    assert!(!found.is_empty(), "nothing under {folders:?}");
    found.sort();
    found
}
