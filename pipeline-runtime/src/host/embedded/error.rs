use super::RunRef;
use crate::host::StartError;
use crate::read::ReadError;
use crate::{Holder, JournalError};
use std::path::PathBuf;
use std::sync::Arc;

/// Why a [`Host`](crate::Host) could not start, or did not carry out a request. A failed run is not an error: its state says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// No journal was named.
    #[error(
        "a host needs a journal: name its file with `HostBuilder::journal`, or have one that is deleted in the end with \
         `HostBuilder::temporary_journal`"
    )]
    NoJournal,
    /// The journal already has a holder.
    #[error(
        "the journal {path:?} is in use by {who}; a journal has one holder: shut that one down first, or give this host a journal of its own \
         with `HostBuilder::journal`",
        who = who(holder.as_ref())
    )]
    Held {
        /// The journal's file.
        path: PathBuf,
        /// The holder, if known.
        holder: Option<Holder>,
    },
    /// The pipelines cannot be hosted together.
    #[error("{0}")]
    Pipelines(String),
    /// Something could not be started or changed.
    #[error(transparent)]
    Start(StartError),
    /// Params that cannot be serialized as JSON.
    #[error("the params of pipeline `{pipeline}` cannot be written as JSON: {error}")]
    Params {
        /// The pipeline's id.
        pipeline: String,
        /// The error of serde.
        error: serde_json::Error,
    },
    /// The journal has no such run.
    #[error("the journal has no run `{run}`; `JournalReader::runs` lists those it has")]
    NoRun {
        /// The requested run.
        run: RunRef,
    },
    /// This program cannot resume the run.
    #[error("run `{run}` is blocked: {reason}; it waits for a program that can resume it, and `Host::cancel` ends it")]
    Blocked {
        /// The run.
        run: RunRef,
        /// Why.
        reason: String,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Read(ReadError),
    /// The system provided no thread or file descriptor, or no folder for a temporary journal.
    #[error(
        "the system gives this process too few resources to host runs: {0}; raise the limit on open files (`ulimit -n`, systemd's LimitNOFILE=) or on \
         threads (`ulimit -u`, TasksMax=, a container's limit on pids), and see that its folder for temporary files is writable"
    )]
    Process(#[source] std::io::Error),
    /// The host was shut down, or is shutting down.
    #[error("the host was shut down; the next host of its journal resumes unfinished runs")]
    Ended,
    /// A thread of the host panicked.
    #[error(
        "a thread of the host panicked, which is a bug in this library; what was committed is stored, and a new host resumes it"
    )]
    Panicked,
}

impl HostError {
    /// Creates the error for a journal that can no longer be written.
    pub(in crate::host) fn stopped(failure: Arc<JournalError>) -> Self {
        Self::Start(StartError::Stopped(failure))
    }
}

impl From<StartError> for HostError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Journal(JournalError::Held { path, holder }) => Self::Held { path, holder },
            error => Self::Start(error),
        }
    }
}

impl From<ReadError> for HostError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<JournalError> for HostError {
    fn from(error: JournalError) -> Self {
        StartError::Journal(error).into()
    }
}

fn who(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) if holder.process == std::process::id() => "this process".to_owned(),
        Some(Holder { process, command, .. }) if !command.is_empty() => format!("process {process} (`{command}`)"),
        Some(Holder { process, .. }) => format!("process {process}"),
        None => "another process".to_owned(),
    }
}
