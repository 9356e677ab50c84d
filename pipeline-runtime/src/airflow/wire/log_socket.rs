//! Log lines in the form that Airflow reads.
//!
//! Each is one JSON object with `timestamp`, `level`, `event` and `logger`; all other fields are under `fields`. A line in
//! another form, or with one of Airflow's own names among its fields, may end the conversation (seen with Airflow 3.3.2).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use tracing::Level;

/// The socket that a task's log lines are sent to.
#[derive(Debug)]
pub(in crate::airflow) struct LogSocket(Mutex<TcpStream>);

impl LogSocket {
    pub(in crate::airflow) fn new(socket: TcpStream) -> Self {
        Self(Mutex::new(socket))
    }

    /// Sends a line. An error is ignored: the supervisor is gone then, and the conversation notices that.
    pub(in crate::airflow) fn send(
        &self,
        at: DateTime<Utc>,
        level: Level,
        logger: &str,
        event: &str,
        fields: Map<String, Value>,
    ) {
        let mut line = format_line(at, level, logger, event, fields);
        line.push('\n');
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
    }
}

fn format_line(at: DateTime<Utc>, level: Level, logger: &str, event: &str, fields: Map<String, Value>) -> String {
    let mut line = json!({
        "timestamp": at.to_rfc3339_opts(SecondsFormat::Micros, true), "level": level_name(level), "event": event, "logger": logger,
    });
    if !fields.is_empty() {
        line["fields"] = Value::Object(fields);
    }
    line.to_string()
}

/// Airflow drops a line with any other level; it has no `trace`.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        _ => "debug",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_four_names_and_all_else_below_one() {
        let at = "2024-03-25T06:00:00.5Z".parse().unwrap();
        let fields = Map::from_iter([("level".to_owned(), json!("mine")), ("rows".to_owned(), json!(3))]);
        let long = format_line(at, Level::WARN, "shop", "a\n\"b\"", fields);
        assert_eq!(
            long,
            r#"{"event":"a\n\"b\"","fields":{"level":"mine","rows":3},"level":"warning","logger":"shop","timestamp":"2024-03-25T06:00:00.500000Z"}"#
        );
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE].map(level_name);
        assert_eq!(levels, ["error", "warning", "info", "debug", "debug"]);
        assert!(!format_line(at, Level::INFO, "shop", "x", Map::new()).contains("fields"));
    }
}
