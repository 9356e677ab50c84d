use crate::cli::output;
use crate::observe::one_line;

/// Lines for stdout that are written together: a run of a million nodes has millions of them, and each write costs more than its line.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn push(&mut self, line: &str) {
        self.0.push_str(&one_line(line));
        self.0.push('\n');
    }

    /// Writes them. To be called before anything else is written, so that all stands in the order in which it happened.
    pub(super) fn flush(&mut self) {
        if let Some(lines) = self.0.strip_suffix('\n') {
            output::to_stdout(lines);
        }
        self.0.clear();
    }
}
