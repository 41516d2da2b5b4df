//! Log lines to standard error, where systemd and containers look for them.

use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

struct StandardError;

impl Log for StandardError {
    /// What this crate says, and nothing of the libraries below it: they know no rule about secrets.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info && metadata.target().starts_with("candado")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = record.args().to_string().replace(['\n', '\r'], " ") + "\n";
            // Nobody is left to be told that the log cannot be written.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

pub(super) fn init() {
    // Set once a process; a second time would mean that it is set already.
    let _ = log::set_logger(&StandardError);
    log::set_max_level(LevelFilter::Info);
}
