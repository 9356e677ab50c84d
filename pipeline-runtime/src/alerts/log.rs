use crate::author::error::Result;
use crate::author::notification_text;
use crate::author::notify::{BoxFuture, Event, Notification, Notify};

/// Notifies the log, through `tracing`, with all details: what happened to which node, with which key, in which attempt, after
/// how long, how much of a sensor's budget is left, and the error with its causes.
///
/// Failures are logged as errors, retries, cancellations and missed SLAs as warnings, everything else as information. The target
/// is `pipeline_runtime::alerts`.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Log;
///
/// #[task(retries = 2, on_failure = Log, on_retry = Log)]
/// async fn load() -> Result<u64> { Ok(1) }
///
/// #[pipeline(on_failure = Log)]
/// fn nightly() { load(); }
/// # nightly().check().unwrap();
/// ```
///
/// One line, as `tracing-subscriber` writes it:
///
/// ```text
/// ERROR pipeline_runtime::alerts: export of nightly failed event="on_failure" pipeline="nightly" run_id="manual__2024-03-25"
/// logical_date=2024-03-25T00:00:00Z node="export" state="failed" attempt=1 attempts=3 pokes=15 elapsed=10m budget_left=0s
/// inputs=key=raw/daily_export_20240325.json error=timed out: not ready within 10m (15 pokes); it last looked for data-bucket/raw/daily_export_20240325.json
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Log;

impl Notify for Log {
    fn notify(&self, notification: Notification) -> BoxFuture<Result<()>> {
        Box::pin(async move {
            log(&notification);
            Ok(())
        })
    }

    fn label(&self) -> String {
        "Log".to_owned()
    }
}

fn log(n: &Notification) {
    let inputs: Vec<String> = n.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let inputs = (!inputs.is_empty()).then(|| inputs.join(", "));
    // The level has to be a constant.
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                target: "pipeline_runtime::alerts",
                $level,
                event = n.name(),
                pipeline = n.pipeline,
                run_id = n.run_id,
                logical_date = %n.logical_date.format("%FT%TZ"),
                node = n.node,
                state = n.state,
                attempt = notification_text::attempt(n),
                attempts = n.attempts,
                pokes = n.pokes,
                elapsed = n.elapsed.map(notification_text::duration).map(tracing::field::display),
                budget_left = n.budget_left.map(notification_text::duration).map(tracing::field::display),
                inputs = inputs.as_ref().map(tracing::field::display),
                error = n.error.as_ref().map(tracing::field::display),
                "{}",
                notification_text::headline(n)
            )
        };
    }
    match n.event {
        Event::OnFailure | Event::OnUpstreamFailed => event!(tracing::Level::ERROR),
        Event::OnRetry | Event::OnCancel | Event::OnSlaMiss => event!(tracing::Level::WARN),
        Event::OnSuccess | Event::OnSkipped => event!(tracing::Level::INFO),
    }
}
