use super::RunRef;
use crate::host::StartError;
use crate::read::ReadError;
use crate::{Holder, JournalError};
use std::path::PathBuf;
use std::sync::Arc;

/// Why a [`Host`](crate::Host) could not start, or did not do what it was asked to. A run that fails is no error: its state says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// No journal was named.
    #[error(
        "a host needs a journal: name its file with `HostBuilder::journal`, or have one that is deleted in the end with \
         `HostBuilder::temporary_journal`"
    )]
    NoJournal,
    /// The journal has a holder already.
    #[error(
        "the journal {path:?} is in use by {who}; a journal has one holder: shut that one down first, or give this host a journal of its own \
         with `HostBuilder::journal`",
        who = who(holder.as_ref())
    )]
    Held {
        /// The journal's file.
        path: PathBuf,
        /// Who holds it, where that is known.
        holder: Option<Holder>,
    },
    /// The pipelines cannot be hosted together.
    #[error("{0}")]
    Pipelines(String),
    /// Something could not be started or changed.
    #[error(transparent)]
    Start(StartError),
    /// Params that cannot be written as JSON.
    #[error("the params of pipeline `{pipeline}` cannot be written as JSON: {error}")]
    Params {
        /// The pipeline's id.
        pipeline: String,
        /// What serde said.
        error: serde_json::Error,
    },
    /// The journal has no such run.
    #[error("the journal has no run `{run}`; `JournalReader::runs` lists those it has")]
    NoRun {
        /// What was asked for.
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
    /// The machine gave no thread or no descriptor, or no folder for a temporary journal.
    #[error(
        "the system gives this process too little to host runs: {0}; raise its limit on open files (`ulimit -n`, systemd's LimitNOFILE=) or on \
         threads (`ulimit -u`, TasksMax=, a container's limit on pids), and see that its folder for temporary files is writable"
    )]
    Process(#[source] std::io::Error),
    /// The host was shut down, or is being shut down.
    #[error("the host was shut down; what is unfinished is resumed by the next host of its journal")]
    Ended,
    /// A thread of the host has panicked.
    #[error(
        "a thread of the host panicked, which is a mistake of this library; what was committed is kept, and a new host resumes it"
    )]
    Panicked,
}

impl HostError {
    /// The journal could not be written any more.
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
