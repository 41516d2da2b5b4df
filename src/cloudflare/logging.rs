//! Log lines to the Worker's console.

use log::{Level, LevelFilter, Log, Metadata, Record};
use worker::{console_error, console_log, console_warn};

struct Console;

impl Log for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        match record.level() {
            Level::Error => console_error!("{}", record.args()),
            Level::Warn => console_warn!("{}", record.args()),
            _ => console_log!("{}", record.args()),
        }
    }

    fn flush(&self) {}
}

pub(super) fn init() {
    // Set once an isolate; a second time would mean that it is set already.
    let _ = log::set_logger(&Console);
    log::set_max_level(LevelFilter::Info);
}
