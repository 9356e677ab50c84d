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

/// The same each time the same thing is told, and no other time. Two pipelines of one schedule have runs of one id, at one time.
fn key(n: &Notification) -> String {
    // Nanoseconds since 1970, which are more than 64 bits far from it.
    let at = i128::from(n.at.timestamp()) * 1_000_000_000 + i128::from(n.at.timestamp_subsec_nanos());
    format!("{}/{}/{}/{}/{at}", n.pipeline, n.run_id, n.node.as_deref().unwrap_or_default(), n.event.name())
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
        Event::OnFailure | Event::OnCancel if words::is_cancelled(n) => ":no_entry_sign:",
        Event::OnFailure | Event::OnUpstreamFailed | Event::OnCancel => ":x:",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(node: Option<&str>, state: &str) -> Notification {
        Notification {
            pipeline: "sales".into(),
            run_id: "run".into(),
            at: DateTime::UNIX_EPOCH,
            node: node.map(str::to_owned),
            state: Some(state.to_owned()),
            ..Notification::for_test(Event::OnFailure)
        }
    }

    #[test]
    fn keys_tell_pipelines_and_times_apart_whatever_the_year() {
        let (sales, mut stock) = (notification(None, "failed"), notification(None, "failed"));
        assert_eq!(key(&sales), "sales/run//on_failure/0");
        stock.pipeline = "stock".into();
        assert_ne!(key(&sales), key(&stock));
        let at = |date: &str| key(&Notification { at: date.parse().unwrap(), ..notification(Some("load"), "failed") });
        assert_eq!(at("2024-03-26T00:10:00Z"), "sales/run/load/on_failure/1711411800000000000");
        assert_eq!(at("9999-12-31T23:59:59.000000001Z"), "sales/run/load/on_failure/253402300799000000001");
        assert_eq!(at("1600-01-01T00:00:00Z"), "sales/run/load/on_failure/-11676096000000000000");
    }

    #[test]
    fn a_run_that_somebody_cancelled_is_not_called_failed() {
        assert!(slack_text(&notification(None, "cancelled")).starts_with(":no_entry_sign: *sales was cancelled*\n"));
        assert!(slack_text(&notification(None, "failed")).starts_with(":x: *sales failed*\n"));
        assert!(slack_text(&notification(Some("load"), "failed")).starts_with(":x: *load of sales failed*\n"));
    }
}
