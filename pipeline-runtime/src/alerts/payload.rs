//! What a webhook sends.

use super::words;
use crate::author::notify::{Event, Notification};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::fmt::Write;
use std::time::Duration;

/// Slack refuses longer texts at 40,000 characters and folds them long before; an error is rarely read beyond its first lines.
const MAX_ERROR: usize = 3000;
const MAX_VALUE: usize = 500;

/// A notification as JSON.
pub(super) fn json(n: &Notification) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Json {
        event: n.event,
        summary: words::headline(n),
        key: key(n),
        pipeline: &n.pipeline,
        run_id: &n.run_id,
        logical_date: n.logical_date,
        at: n.at,
        node: n.node.as_deref(),
        state: n.state.as_deref(),
        attempt: words::attempt(n),
        attempts: n.attempts,
        pokes: n.pokes,
        error: n.error.as_deref(),
        elapsed_seconds: n.elapsed.as_ref().map(Duration::as_secs_f64),
        budget_left_seconds: n.budget_left.as_ref().map(Duration::as_secs_f64),
        inputs: Inputs(&n.inputs),
    })
}

#[derive(Serialize)]
struct Json<'a> {
    event: Event,
    summary: String,
    key: String,
    pipeline: &'a str,
    run_id: &'a str,
    logical_date: DateTime<Utc>,
    at: DateTime<Utc>,
    node: Option<&'a str>,
    state: Option<&'a str>,
    attempt: Option<u32>,
    attempts: Option<u32>,
    pokes: Option<u32>,
    error: Option<&'a str>,
    elapsed_seconds: Option<f64>,
    budget_left_seconds: Option<f64>,
    inputs: Inputs<'a>,
}

/// An object, in the order of the parameters.
struct Inputs<'a>(&'a [(String, String)]);

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The same each time the same thing is told, and no other time.
fn key(n: &Notification) -> String {
    let at = n.at.timestamp_nanos_opt().unwrap_or_default();
    format!("{}/{}/{}/{at}", n.run_id, n.node.as_deref().unwrap_or_default(), n.event.name())
}

/// A notification as Slack, and what is compatible with it, takes it: one text in its markup.
pub(super) fn slack(n: &Notification) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Message {
        text: String,
    }
    serde_json::to_vec(&Message { text: slack_text(n) })
}

fn slack_text(n: &Notification) -> String {
    let sign = match n.event {
        Event::OnFailure => ":x:",
        Event::OnRetry => ":repeat:",
        Event::OnSuccess => ":white_check_mark:",
        Event::OnSkipped => ":fast_forward:",
        Event::OnSlaMiss => ":alarm_clock:",
    };
    let mut text = format!("{sign} *{}*", escaped(&words::headline(n)));
    // Writing to a text cannot fail.
    for (name, value) in words::details(n) {
        let value = escaped(&words::cut(&value, MAX_VALUE)).replace('`', "'");
        let _ = write!(text, "\n{}: `{value}`", escaped(name));
    }
    if let Some(error) = &n.error {
        let _ = write!(text, "\n```{}```", escaped(&words::cut(error, MAX_ERROR)).replace("```", "'''"));
    }
    text
}

/// The three characters that Slack's markup reads as its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
