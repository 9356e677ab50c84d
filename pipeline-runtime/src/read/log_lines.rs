use super::{date, utc};
use crate::journal::StoredLine;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The number of lines on a page, unless a filter sets a limit.
const PAGE: u32 = 1_000;

/// Selects the log lines to read: those that satisfy all conditions; at most 1,000, unless a [limit](Self::limit) is set.
///
/// Without a [node](Self::node) each page scans all lines of the run, so large pages are faster.
#[derive(Debug, Clone)]
pub struct LogFilter {
    pub(super) node: Option<String>,
    pub(super) attempt: Option<u32>,
    pub(super) after: i64,
    pub(super) limit: u32,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl LogFilter {
    /// All lines of a run.
    pub fn new() -> Self {
        Self { node: None, attempt: None, after: 0, limit: PAGE }
    }

    /// Only lines of that node; an element is named `upload[3]`.
    pub fn node(self, id: impl Into<String>) -> Self {
        Self { node: Some(id.into()), ..self }
    }

    /// Only lines of that attempt.
    pub fn attempt(self, number: u32) -> Self {
        Self { attempt: Some(number), ..self }
    }

    /// Only lines after the one with that [number](LogLine::number): the next page, or what was logged since.
    pub fn after(self, number: i64) -> Self {
        Self { after: number, ..self }
    }

    /// The maximum number of lines.
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}

/// A line that an attempt logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine(pub(super) StoredLine);

impl LogLine {
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn of(line: StoredLine) -> Self {
        Self(line)
    }

    /// The line's number in its run. Later lines have greater ones.
    pub fn number(&self) -> i64 {
        self.0.id
    }

    /// The node's id; an element is named `upload[3]`.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// The number of the attempt.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// When it was logged.
    pub fn at(&self) -> DateTime<Utc> {
        utc(self.0.at)
    }

    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub fn level(&self) -> &'static str {
        self.0.level.as_str()
    }

    /// The message, with the fields.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The line as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "at": date(self.at()),
            "node": self.node(),
            "attempt": self.attempt(),
            "level": self.level().to_ascii_lowercase(),
            "line": self.text(),
        })
    }

    pub(crate) fn stored(&self) -> &StoredLine {
        &self.0
    }
}
