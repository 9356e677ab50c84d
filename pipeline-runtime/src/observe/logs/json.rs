//! Log lines for programs.

use super::{LogSubject, is_ours, text};
use crate::author::redaction::redacted;
use crate::observe::harmless_json;
use crate::time::Timestamp;
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use tracing::Event;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{JsonFields, Writer};

/// One line. A body's own fields are in a separate object, so that they cannot collide with these.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    message: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// Formats an event as a JSON object on one line.
pub(super) fn line(at: Timestamp, event: &Event<'_>, mut about: LogSubject) -> String {
    let metadata = event.metadata();
    let (mut message, mut fields) = message_and_fields(event);
    if is_ours(metadata) && about.attempt.is_none() {
        about.take_from(&mut fields);
    }
    // The message takes precedence over the fields if there is not enough room.
    text::cut(&mut message, text::MAX_LINE);
    let mut room = text::MAX_LINE.saturating_sub(message.len());
    for value in fields.values_mut() {
        if let Value::String(value) = value {
            text::cut(value, room);
            room = room.saturating_sub(value.len());
        }
    }
    let LogSubject { pipeline, run, node, attempt } = &about;
    let line = Line {
        time: at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true),
        level: metadata.level().as_str(),
        target: metadata.target(),
        pipeline: pipeline.as_deref(),
        run: run.as_deref(),
        node: node.as_deref(),
        attempt: *attempt,
        message: &message,
        fields,
    };
    // Strings, numbers and string keys: JSON can represent them all.
    harmless_json(&serde_json::to_string(&line).unwrap_or_default()).into_owned()
}

/// Returns an event's message and its fields, without the values of secrets.
pub(crate) fn message_and_fields(event: &Event<'_>) -> (String, Map<String, Value>) {
    let mut fields = fields(event);
    fields.values_mut().for_each(redact);
    let message = match fields.remove("message") {
        Some(Value::String(message)) => message,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    (message, fields)
}

/// Redacts the value of a secret, even if it is a number.
fn redact(value: &mut Value) {
    let text = match &*value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    if let Cow::Owned(hidden) = redacted(&text) {
        *value = Value::String(hidden);
    }
}

/// Returns an event's fields as tracing-subscriber writes them in JSON: numbers as numbers, and values without a JSON form as
/// text.
fn fields(event: impl RecordFields) -> Map<String, Value> {
    let mut json = String::new();
    let written = JsonFields::new().format_fields(Writer::new(&mut json), event);
    written.ok().and_then(|()| serde_json::from_str(&json).ok()).unwrap_or_default()
}

impl LogSubject {
    /// Moves the engine's fields that say what the line is about out of its other fields. The log notifier uses `run_id`.
    fn take_from(&mut self, fields: &mut Map<String, Value>) {
        let mut text = |name| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        self.pipeline = text("pipeline");
        self.run = text("run").or_else(|| text("run_id"));
        self.node = text("node");
        self.attempt = fields.remove("attempt").and_then(|attempt| attempt.as_u64()?.try_into().ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, PoisonError};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    /// Returns the lines that `work` logs.
    fn logged(work: impl FnOnce()) -> Vec<String> {
        struct Lines(Arc<Mutex<Vec<String>>>);
        impl<S: tracing::Subscriber> Layer<S> for Lines {
            fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
                let at = Timestamp::from("2024-03-25T06:00:01.5Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
                self.0.lock().unwrap().push(line(at, event, LogSubject::default()));
            }
        }
        let lines = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Lines(Arc::clone(&lines)));
        tracing::subscriber::with_default(subscriber, work);
        std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[test]
    fn fields_keep_their_types_and_collide_with_nothing() {
        let lines = logged(|| {
            tracing::info!(target: "mine", rows = 3, share = 0.5, ok = true, level = "high", run = "mine", at = ?(1, 2), "a\n\"b\"");
            tracing::warn!(target: "mine", empty = "");
        });
        expect_test::expect![[r#"
            {"time":"2024-03-25T06:00:01.500Z","level":"INFO","target":"mine","message":"a\n\"b\"","fields":{"at":"(1, 2)","level":"high","ok":true,"rows":3,"run":"mine","share":0.5}}
            {"time":"2024-03-25T06:00:01.500Z","level":"WARN","target":"mine","message":"","fields":{"empty":""}}"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_the_engine_says_is_about_its_run() {
        let lines = logged(|| {
            tracing::warn!(pipeline = "nightly", run = "manual__1", node = "load", error = "503", "a callback failed");
        });
        expect_test::expect![[r#"{"time":"2024-03-25T06:00:01.500Z","level":"WARN","target":"pipeline_runtime::observe::logs::json::tests","pipeline":"nightly","run":"manual__1","node":"load","message":"a callback failed","fields":{"error":"503"}}"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_long_line_is_cut_and_is_still_an_object() {
        let long = "x".repeat(100_000);
        let lines = logged(|| tracing::info!(target: "mine", long, more = long, "{long}"));
        assert!(lines[0].len() < text::MAX_LINE + 500, "{}", lines[0].len());
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert!(line["message"].as_str().unwrap().ends_with("xx… (83616 bytes more)"), "{line}");
        assert_eq!(line["fields"]["more"], "… (100000 bytes more)");
    }
}
