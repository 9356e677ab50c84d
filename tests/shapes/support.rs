//! Words for the simulations of several shapes: states, times, and notifications.

pub(crate) use pipeline_runtime::NodeState::{self, Failed, Skipped, Success, UpstreamFailed};
pub(crate) use pipeline_runtime::{OtherRun, RunReport, RunState, Simulation};
use std::time::Duration;

/// A time in a report.
#[allow(clippy::unnecessary_wraps, reason = "a report has no time of what has not happened")]
pub(crate) const fn mins(mins: u64) -> Option<Duration> {
    Some(Duration::from_mins(mins))
}

#[track_caller]
pub(crate) fn succeeds(report: &RunReport) {
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.warnings(), [""; 0]);
}

#[track_caller]
pub(crate) fn states<const N: usize>(report: &RunReport, ids: [&str; N]) -> [NodeState; N] {
    ids.map(|id| report.node(id).state())
}

/// The callbacks that were notified, such as `on_failure of load`, or for the run just `on_failure`.
pub(crate) fn callbacks(report: &RunReport) -> Vec<String> {
    let line = |callback: &pipeline_runtime::CallbackReport<'_>| match callback.node() {
        Some(node) => format!("{} of {node}", callback.name()),
        None => callback.name().to_owned(),
    };
    report.callbacks().iter().map(line).collect()
}
