//! The same binary as a native task of Airflow.
//!
//! - [`export`]: an Airflow DAG of a pipeline, and the bundle that Airflow starts.
//! - [`task`]: what the bundle does once Airflow has started it.
//! - [`wire`]: the conversation with Airflow's supervisor.
//! - [`bundle`]: the executable with its footer and manifest.
//! - [`names`]: what nodes are called in Airflow.
//! - [`rule`]: what a task waits for there.
//!
//! # Invariants
//!
//! - No rule of the engine is written a second time: what Airflow knows becomes records, and the engine decides ([`task`]).
//! - What cannot be said in Airflow is refused by the export, with its place in the code; nothing is left out in silence ([`export`]).
//!
//! # Why 3.3's `ExecutableCoordinator`
//!
//! It starts an executable as the task's own process, so that a waiting sensor costs less than a megabyte and no Python runs where bodies do. Where
//! it is not set up, and in older Airflows, the operators of the export start the same executable and speak for it.

mod bundle;
mod export;
mod names;
mod rule;
mod task;
mod wire;

pub(crate) use export::{Export, Fresh, Left};

use crate::Pipeline;
use std::ffi::OsString;
use std::process::ExitCode;

/// Does the work of a task, if Airflow has started the process as one.
pub(crate) fn as_task(pipelines: &[Pipeline], args: &[OsString]) -> Option<ExitCode> {
    let sockets = task::Sockets::of(args)?;
    Some(task::run(pipelines, &sockets))
}
