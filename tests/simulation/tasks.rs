//! Tasks that many simulations share, and helpers for times and states.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunReport, TaskError};
use std::time::Duration;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Success,
    Failed,
    Skipped,
}

/// Ends like this, after that many seconds.
#[task]
pub(crate) async fn source(ends: Ends, secs: u64) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(secs)).await;
    match ends {
        Ends::Success => Ok(secs),
        Ends::Failed => Err(format!("failed after {secs} s").into()),
        Ends::Skipped => Err(TaskError::skip("nothing to do")),
    }
}

#[task]
pub(crate) async fn takes(n: u64) -> Result<u64> {
    Ok(n)
}

#[task]
pub(crate) async fn outcome(of: Outcome<u64>) -> Result<String> {
    Ok(match of {
        Outcome::Success(n) => format!("success {n}"),
        Outcome::Skipped => "skipped".into(),
        Outcome::Failed(failure) => format!("{} failed {} times: {}", failure.node(), failure.attempts(), failure.error()),
    })
}

#[task]
pub(crate) async fn sum(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}

#[task]
pub(crate) async fn numbers(count: u64) -> Result<Vec<u64>> {
    Ok((0..count).collect())
}

/// Ends by its number: 3, 13, … fail; 5, 15, … are skipped.
#[task]
pub(crate) async fn by_number(n: u64) -> Result<u64> {
    match n % 10 {
        3 => Err(format!("{n} is wrong").into()),
        5 => Err(TaskError::skip(format!("{n} is not needed"))),
        _ => Ok(n * 10),
    }
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn mins(mins: u64) -> Duration {
    Duration::from_secs(mins * 60)
}

/// Converts times to seconds, as a report's times are easiest to read that way.
pub(crate) fn in_secs(times: &[Duration]) -> Vec<u64> {
    times.iter().map(Duration::as_secs).collect()
}

/// The states of some nodes.
#[track_caller]
pub(crate) fn states<const N: usize>(report: &RunReport, ids: [&str; N]) -> [NodeState; N] {
    ids.map(|id| report.node(id).state())
}

/// When the callback of that name became due for the node, in seconds.
pub(crate) fn callback_times(report: &RunReport, name: &str, node: Option<&str>) -> Vec<u64> {
    let callbacks = report.callbacks();
    callbacks
        .iter()
        .filter(|callback| callback.name() == name && callback.node() == node)
        .map(|callback| callback.at().as_secs())
        .collect()
}
