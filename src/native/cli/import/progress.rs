//! How far an import is, on a terminal.

use std::io::{IsTerminal, Write};

use crate::native::cli::serve::milliseconds;

const WIDTH: usize = 24;

pub(super) struct Progress {
    all: usize,
    before: usize,
    done: usize,
    refused: usize,
    began: u64,
    shown: u64,
    visible: bool,
}

impl Progress {
    pub(super) fn new(all: usize, before: usize) -> Self {
        Self {
            all,
            before,
            done: before,
            refused: 0,
            began: milliseconds(),
            shown: 0,
            visible: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn refused(&mut self) {
        self.refused += 1;
    }

    pub(super) fn advance(&mut self, by: usize) {
        self.done += by;
        let now = milliseconds();
        if now.saturating_sub(self.shown) >= 100 || self.done >= self.all {
            self.shown = now;
            self.show(now);
        }
    }

    fn show(&self, now: u64) {
        if !self.visible {
            return;
        }
        let line = line(
            self.done,
            self.all,
            self.refused,
            self.done - self.before,
            now.saturating_sub(self.began),
        );
        let _ = write!(std::io::stderr(), "\r{line}\u{1b}[K");
    }

    pub(super) fn end(&self) {
        if self.visible {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line(done: usize, all: usize, refused: usize, of_this_run: usize, milliseconds: u64) -> String {
    let whole = all.max(1);
    let filled = "#".repeat(done * WIDTH / whole);
    let per_second = (of_this_run as u64).saturating_mul(1000) / milliseconds.max(1);
    let left = (all.saturating_sub(done) as u64).checked_div(per_second);
    let left = left.map_or(String::new(), |seconds| {
        format!("  {}:{:02} left", seconds / 60, seconds % 60)
    });
    let refused = match refused {
        0 => String::new(),
        some => format!("  {some} refused"),
    };
    format!("[{filled:.<WIDTH$}] {done} of {all}  {per_second}/s{left}{refused}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is_and_how_long_it_takes() {
        let expected = "[############............] 500 of 1000  50/s  0:10 left  2 refused";
        assert_eq!(line(500, 1000, 2, 500, 10_000), expected);
        assert_eq!(
            line(0, 0, 0, 0, 0),
            "[........................] 0 of 0  0/s"
        );
    }
}
