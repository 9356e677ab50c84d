//! The body that a webhook sends.

use super::author_text;
use crate::author::notification_text;
use crate::author::notify::{Event, Notification};
use crate::author::template::alert::AlertText;
use crate::author::template::{Escaping, for_slack};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::fmt::Write;
use std::time::Duration;

/// Slack truncates texts at 40,000 characters and folds them long before; an error is rarely read beyond its first lines.
const MAX_ERROR: usize = 3000;
const MAX_VALUE: usize = 500;

/// Slack truncates longer texts, at 40,000 characters.
const MAX_TEXT: usize = 39_000;

/// A notification as JSON, with the author's text if there is one.
pub(super) fn json(n: &Notification, text: Option<AlertText>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Json {
        event: n.event,
        summary: notification_text::headline(n),
        text: author_text::render(text, n, Escaping::None),
        key: notification_text::key(n),
        pipeline: &n.pipeline,
        run_id: &n.run_id,
        logical_date: n.logical_date,
        at: n.at,
        node: n.node.as_deref(),
        state: n.state.as_deref(),
        attempt: notification_text::attempt(n),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
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

/// Serialized as an object, in the order of the parameters.
struct Inputs<'a>(&'a [(String, String)]);

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A notification in the format of Slack and compatible services: one text in its markup, the author's if there is one.
pub(super) fn slack(n: &Notification, text: Option<AlertText>) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Message {
        text: String,
    }
    let own = author_text::render(text, n, Escaping::Slack).map(|text| notification_text::cut(&text, MAX_TEXT));
    serde_json::to_vec(&Message { text: own.unwrap_or_else(|| slack_text(n)) })
}

fn slack_text(n: &Notification) -> String {
    let sign = match n.event {
        Event::OnFailure | Event::OnCancel if notification_text::is_cancelled(n) => ":no_entry_sign:",
        Event::OnFailure | Event::OnUpstreamFailed | Event::OnCancel => ":x:",
        Event::OnRetry => ":repeat:",
        Event::OnSuccess => ":white_check_mark:",
        Event::OnSkipped => ":fast_forward:",
        Event::OnSlaMiss => ":alarm_clock:",
    };
    let mut text = format!("{sign} *{}*", for_slack(&notification_text::headline(n)));
    // Writing to a `String` cannot fail.
    for (name, value) in notification_text::details(n) {
        let value = for_slack(&notification_text::cut(&value, MAX_VALUE)).replace('`', "'");
        let _ = write!(text, "\n{}: `{value}`", for_slack(name));
    }
    if let Some(error) = &n.error {
        let _ = write!(text, "\n```{}```", for_slack(&notification_text::cut(error, MAX_ERROR)).replace("```", "'''"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::notification_text::failure_of;

    #[test]
    fn a_text_for_slack_is_its_authors_markup_and_nobody_elses() {
        let text =
            AlertText::new("*{{ task.id | upper }}*: <https://wiki/runbook|runbook>\n{{ error }}{{ '&' | safe }}{{ '<' | e }}");
        let failure = failure_of(Some("load"), "failed").with_error("a<b & c");
        let body: serde_json::Value = serde_json::from_slice(&slack(&failure, Some(text)).unwrap()).unwrap();
        assert_eq!(body["text"], "*LOAD*: <https://wiki/runbook|runbook>\na&lt;b &amp; c&&lt;");
        let body: serde_json::Value = serde_json::from_slice(&json(&failure, Some(text)).unwrap()).unwrap();
        assert!(body["text"].as_str().unwrap().contains("\na<b & c"), "{body}");
    }

    #[test]
    fn a_text_that_cannot_be_made_loses_no_alert() {
        let of_success = Notification { event: Event::OnSuccess, ..failure_of(Some("load"), "success") };
        for source in ["{{ error }}", "{% if error %}x{% endif %} ", "{{ 'x' * 3000000 }}"] {
            let text = |body: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&body).unwrap()["text"].clone();
            let sent = text(slack(&of_success, Some(AlertText::new(source))).unwrap());
            assert!(sent.as_str().unwrap().starts_with(":white_check_mark: *load of sales succeeded*\n"), "{sent}");
            assert_eq!(text(json(&of_success, Some(AlertText::new(source))).unwrap()), serde_json::Value::Null);
        }
    }

    #[test]
    fn what_is_too_long_for_slack_is_cut() {
        let body = slack(&failure_of(None, "failed"), Some(AlertText::new("{{ 'x' * 50000 }}"))).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()["text"].as_str().unwrap().chars().count(),
            MAX_TEXT + 1
        );
    }

    #[test]
    fn a_run_that_somebody_cancelled_is_not_called_failed() {
        assert!(slack_text(&failure_of(None, "cancelled")).starts_with(":no_entry_sign: *sales was cancelled*\n"));
        assert!(slack_text(&failure_of(None, "failed")).starts_with(":x: *sales failed*\n"));
        assert!(slack_text(&failure_of(Some("load"), "failed")).starts_with(":x: *load of sales failed*\n"));
    }
}
