//! Lines that are written together.

use crate::cli::output;
use crate::observe::one_line;

/// Buffered lines for stdout: a run of a million nodes has millions of them, and a write costs more than a line.
#[derive(Debug, Default)]
pub(super) struct LineBuffer(String);

impl LineBuffer {
    pub(super) fn push(&mut self, line: &str) {
        self.0.push_str(&one_line(line));
        self.0.push('\n');
    }

    /// Writes them. Must be called before anything else is written, to keep the order of events.
    pub(super) fn flush(&mut self) {
        if let Some(lines) = self.0.strip_suffix('\n') {
            output::to_stdout(lines);
        }
        self.0.clear();
    }
}
