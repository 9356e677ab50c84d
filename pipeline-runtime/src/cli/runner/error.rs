//! Why a runner ran nothing, and the exit code for it.

use crate::cli::{WRONG_USE, output};
use crate::host::StartError;
use std::process::ExitCode;

/// Why a [`Runner`](super::Runner) ran nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// A run could not be started: its plan, its params or its date is wrong.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Params that cannot be serialized as JSON.
    #[error("the params of pipeline `{pipeline}` cannot be written as JSON: {error}")]
    Params {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The error of serde.
        error: serde_json::Error,
    },
    /// `PIPELINE_LOG` is not a valid level, or `PIPELINE_LOG_FORMAT` not a valid format.
    #[error("{0}")]
    Level(String),
    /// There is nothing to run.
    #[error("there is nothing to run: add a pipeline with `Runner::pipeline`")]
    NoPipeline,
    /// The requested dashboard cannot be started.
    #[error("{0}")]
    Dashboard(String),
    /// It was called within a tokio runtime.
    #[error(
        "a runner has a runtime of its own and cannot be run within another: call it from a plain `main`, or embed a `Host`, which can"
    )]
    InRuntime,
    /// The system provided no thread, file descriptor or signal handler.
    #[error(
        "the system gives this process too few resources to run anything: {0}; raise the limit on open files (`ulimit -n`, systemd's LimitNOFILE=) or \
         on threads (`ulimit -u`, TasksMax=, a container's limit on pids)"
    )]
    Process(#[source] std::io::Error),
}

#[cfg(feature = "dashboard")]
impl From<crate::dashboard::DashboardError> for RunnerError {
    fn from(error: crate::dashboard::DashboardError) -> Self {
        Self::Dashboard(error.to_string())
    }
}

impl RunnerError {
    /// Returns the exit code for the process: 1 if the journal could no longer be written, else 2, as for all wrong use.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Start(StartError::Stopped(_)) => ExitCode::FAILURE,
            _ => ExitCode::from(WRONG_USE),
        }
    }

    /// Prints the error if it is not wrong use, and returns the exit code. The caller prints wrong use.
    pub(in crate::cli) fn refuse(self) -> Result<ExitCode, String> {
        match &self {
            Self::Start(StartError::Stopped(error)) => {
                output::to_stderr(&output::indent_quoted(&format!("error: {error}")));
                Ok(self.exit_code())
            }
            _ => Err(self.to_string()),
        }
    }
}
