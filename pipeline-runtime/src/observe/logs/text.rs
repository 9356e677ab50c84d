//! Log lines for people.

use super::LogSubject;
use crate::author::redaction::redacted;
use crate::observe::RunPrefixes;
use crate::observe::one_line;
use crate::time::Timestamp;
use chrono::SecondsFormat;
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata};

/// A longer line is cut.
pub(super) const MAX_LINE: usize = 16 << 10;

/// Returns an event's message, followed by its fields as `name=value`; and what it is about, if the engine logged it.
pub(super) fn text_and_subject(event: &Event<'_>, is_engines: bool) -> (String, LogSubject) {
    let mut visitor = LineVisitor { line: String::new(), has_text: false, about: is_engines.then(LogSubject::default) };
    event.record(&mut visitor);
    // Before the cut, which could leave a part of a value.
    if let Cow::Owned(hidden) = redacted(&visitor.line) {
        visitor.line = hidden;
    }
    cut(&mut visitor.line, MAX_LINE);
    (visitor.line, visitor.about.unwrap_or_default())
}

/// Returns what a line is about: `load#2` for a body, preceded by its pipeline and run if `prefixes` requires that.
pub(super) fn about(about: &LogSubject, prefixes: Option<&RunPrefixes>, metadata: &Metadata<'_>) -> String {
    let before = match (&about.pipeline, &about.run) {
        (Some(pipeline), Some(run)) => prefixes.map(|prefixes| prefixes.prefix(pipeline, run)).unwrap_or_default(),
        (Some(pipeline), None) => format!("{pipeline}/"),
        _ => String::new(),
    };
    match (&about.node, about.attempt) {
        (Some(node), Some(attempt)) => format!("{before}{node}#{attempt}"),
        (Some(node), None) => format!("{before}{node}"),
        _ if !before.is_empty() => before.trim_end_matches('/').to_owned(),
        // The module path is an internal detail of the engine.
        _ if super::is_ours(metadata) => "engine".to_owned(),
        _ => metadata.target().to_owned(),
    }
}

/// Formats a line for people. `about` is its node and attempt.
///
/// It cannot control a terminal, and no part of it looks like another line: continuation lines are indented.
pub(crate) fn line(at: Timestamp, level: Level, about: &str, text: &str) -> String {
    format!("{} {level} {about}: {}", at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true), one_line(text))
}

/// Cuts a text that is longer than `limit`, and says how much is missing.
pub(super) fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        let end = text.floor_char_boundary(limit);
        let more = text.len() - end;
        text.truncate(end);
        // Writing to a string cannot fail.
        let _ = write!(text, "… ({more} bytes more)");
    }
}

struct LineVisitor {
    line: String,
    has_text: bool,
    /// Set if the subject is written before the line instead of among the fields.
    about: Option<LogSubject>,
}

impl Visit for LineVisitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = self.about.as_mut().and_then(|about| match field.name() {
            "pipeline" => Some(&mut about.pipeline),
            "run" => Some(&mut about.run),
            "node" => Some(&mut about.node),
            _ => None,
        });
        match place {
            Some(place) => *place = Some(value.to_owned()),
            None => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let between = if std::mem::replace(&mut self.has_text, true) { " " } else { "" };
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.line, "{between}{value:?}"),
            name => write!(self.line, "{between}{name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let mut line = "ä".repeat(MAX_LINE);
        cut(&mut line, MAX_LINE);
        assert!(line.ends_with(&format!("… ({MAX_LINE} bytes more)")), "{}", &line[line.len() - 40..]);
    }

    #[test]
    fn no_line_within_a_line_looks_like_a_line() {
        let forged = "all is well\n2024-03-25T06:00:01Z INFO engine: answered a command: stop\n";
        let shown = line(Timestamp::default(), Level::INFO, "load#1", forged);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1..], ["    2024-03-25T06:00:01Z INFO engine: answered a command: stop"]);
    }
}
