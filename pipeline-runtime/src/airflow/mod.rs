//! The same binary as a native task of Airflow.
//!
//! - [`export`]: an Airflow DAG for a pipeline, and the bundle that Airflow starts.
//! - [`task`]: what the bundle does once Airflow has started it.
//! - [`wire`]: the conversation with Airflow's supervisor.
//! - [`bundle`]: the executable with its footer and manifest.
//! - [`names`]: the names of nodes in Airflow.
//! - [`rule`]: the trigger rule of a task in Airflow.
//!
//! # Invariants
//!
//! - No rule of the engine is implemented twice: what Airflow knows becomes records, and the engine decides ([`task`]).
//! - The export refuses what Airflow cannot express, and names the place in the code. It drops nothing silently ([`export`]).
//!
//! # Why 3.3's `ExecutableCoordinator`
//!
//! It starts an executable as the task's own process, so that a waiting sensor costs less than a megabyte and bodies run without
//! Python. Where it is not set up, and in older Airflows, the operators of the export start the same executable and talk to
//! Airflow on its behalf.

mod bundle;
mod export;
mod names;
mod rule;
mod task;
mod wire;

pub(crate) use export::{Export, ExportStatus, Omission};

use crate::Pipeline;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the task, if Airflow has started this process as one.
pub(crate) fn as_task(pipelines: &[Pipeline], args: &[OsString]) -> Option<ExitCode> {
    let sockets = task::Sockets::of(args)?;
    Some(task::run(pipelines, &sockets))
}
