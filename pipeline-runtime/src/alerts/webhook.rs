use super::variable::Variable;
use super::{payload, post};
use crate::author::error::{Result, RetryLater, TaskError};
use crate::author::log_once::LogOnce;
use crate::author::notify::{BoxFuture, Notification, Notify};
use crate::author::secret::Secret;
use crate::author::template::alert::AlertText;
use crate::storage::World;

/// Notifies a URL, by an HTTP POST of JSON.
///
/// The URL is read from an environment variable for each notification. It is a secret: logs, errors and `Debug` contain at most
/// the variable's name and the URL's host.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const AUDIT: Webhook = Webhook::env("AUDIT_URL");
/// const CHAT: Webhook = Webhook::env("SLACK_URL").slack();
///
/// #[task(retries = 1, on_failure = [AUDIT, CHAT])]
/// async fn load() -> Result<u64> { Ok(1) }
///
/// #[pipeline(sla = "45m", on_sla_miss = CHAT)]
/// fn nightly() { load(); }
/// # nightly().check().unwrap();
/// ```
///
/// # What is sent
///
/// [`slack`](Self::slack) sends `{"text": ".."}`, with its own text or that of [`text`](Self::text). Without it, an object with
/// these fields is sent, `null` if they do not apply:
///
/// | field | |
/// |---|---|
/// | `event` | `on_failure`, `on_upstream_failed`, `on_cancel`, `on_retry`, `on_success`, `on_skipped` or `on_sla_miss` |
/// | `summary` | what happened, in one sentence |
/// | `text` | the text of [`text`](Self::text); missing without one |
/// | `key` | begins with the pipeline and the run; the same if the same notification is sent twice, which can happen, and otherwise unique |
/// | `pipeline`, `run_id`, `logical_date` | the run |
/// | `at` | when it happened |
/// | `node`, `state` | the node, `null` if it is about the run; the state of the node, or the run |
/// | `attempt`, `attempts` | the attempt, from 1, and the maximum number of attempts |
/// | `pokes` | how often a sensor was poked |
/// | `error` | the error, with its causes; for a run, the nodes that failed and their errors |
/// | `elapsed_seconds` | how long the node, or the run, has taken so far, waiting included |
/// | `budget_left_seconds` | how much of a sensor's timeout is left |
/// | `inputs` | the node's inputs that are rendered templates or texts of the params, by parameter, such as the key a sensor waits for |
///
/// # When it fails
///
/// Any answer but a 2xx is a failure, also a redirect, which is not followed. Connecting, sending and the answer's head take at
/// most 10 s together. The engine tries again, from 1 s to 5 min apart, for 24 h; the run does not change and does not wait.
/// After a 429 or 503 with `Retry-After` (seconds, or a date), the next try waits for that time, but for an hour at most.
///
/// A variable that is not set, is empty or is not a URL is not retried, because it does not change while the process lives. The
/// process warns of that once.
///
/// Over `http://` anyone on the way can read the URL, which is a secret, and the notification. The process warns of that once for
/// a variable, unless the host is this machine (`localhost`, `127.0.0.1`, `[::1]`).
///
/// The proxy is that of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Certificates are checked against the system's store, or that
/// of `SSL_CERT_FILE`.
///
/// # In a simulation
///
/// Nothing is sent, and the variable need not be set: the simulation assumes that the notification was delivered. With
/// [`Simulation::send_alerts`](crate::Simulation::send_alerts) it is really sent; virtual time stands still meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Webhook {
    variable: &'static str,
    format: Format,
    text: Option<AlertText>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Slack,
}

impl Webhook {
    /// A notifier of the URL that is in the environment variable at the time of a notification. If it is not set then, that is an
    /// error that names the variable.
    pub const fn env(variable: &'static str) -> Self {
        Self { variable, format: Format::Json, text: None }
    }

    /// Sends `{"text": ".."}` with a text in Slack's markup, which Mattermost, Rocket.Chat and others understand too.
    pub const fn slack(self) -> Self {
        Self { format: Format::Slack, ..self }
    }

    /// Sends this text instead of the default one: as Slack's text, which may contain its markup, or as an additional field of
    /// the JSON object, `text`.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// const CHAT: Webhook = Webhook::env("CHAT_URL").slack().text(alert!("*{{ summary }}*: {{ error | default('no error') }}"));
    /// ```
    ///
    /// In Slack's markup the values are escaped; use the filter `safe` for a value with its own markup. If the text cannot be
    /// rendered for a notification, the default text is sent, and a warning says why.
    pub const fn text(self, text: AlertText) -> Self {
        Self { text: Some(text), ..self }
    }

    fn warn_of_clear_text(self, url: &str) {
        static WARNED: LogOnce = LogOnce::new();
        let Some(host) = post::sent_in_clear(url) else { return };
        if WARNED.is_first(self.variable.to_owned()) {
            let variable = self.variable;
            tracing::warn!(
                "the webhook of {variable} is sent to {host} by `http://`: anyone on the way can read the URL and the notification; write `https://`"
            );
        }
    }

    const fn url(self) -> Variable {
        Variable { name: self.variable, owner: "the webhook", expected: "the URL to notify" }
    }
}

impl Notify for Webhook {
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>> {
        let webhook = *self;
        let world = World::current();
        Box::pin(async move {
            let body = match webhook.format {
                Format::Json => payload::json(&notification, webhook.text)?,
                Format::Slack => payload::slack(&notification, webhook.text)?,
            };
            if !world.sends_alerts() {
                return Ok(());
            }
            let url = webhook.url().read()?;
            webhook.warn_of_clear_text(&url);
            // On a separate thread, with its own runtime: the caller's may be paused, or have no I/O.
            let posted = world.aside(move || post::post(&url, body)).await?;
            posted.map_err(|error| {
                let text = format!("the webhook of {}: {error}", webhook.variable);
                match error.after() {
                    Some(after) => RetryLater { text, after }.into(),
                    None if error.is_final() => TaskError::fatal(text),
                    None => text.into(),
                }
            })
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![Secret::env(self.variable)]
    }

    fn label(&self) -> String {
        match self.format {
            Format::Json => format!("Webhook({})", self.variable),
            Format::Slack => format!("Webhook({}, slack)", self.variable),
        }
    }
}
