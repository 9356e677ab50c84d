//! Reads a journal from a program: runs, their nodes, attempts, log lines and outputs.
//!
//! A [`JournalReader`] reads a journal's file, also while a [`Host`](crate::Host) or `serve` writes it, in this process or in
//! another one. It does not need the code that created the runs: a run whose pipeline was changed or removed is read with the
//! plan that was stored with it.
//!
//! ```
//! use pipeline_runtime::prelude::*;
//! use pipeline_runtime::read::{JournalReader, LogFilter, RunFilter};
//! use pipeline_runtime::{Host, RunState};
//!
//! #[task]
//! async fn rows() -> Result<u64> {
//!     Ok(3)
//! }
//!
//! #[pipeline]
//! fn nightly() {
//!     rows();
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("journal.db");
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let host = Host::builder([nightly()]).journal(&file).start().await?;
//! host.wait(&host.trigger("nightly", (), None).await?).await?;
//! # host.shutdown().await?;
//! # Ok::<(), pipeline_runtime::HostError>(())
//! # })?;
//! // In this process or in another one, while the host is there and later.
//! let journal = JournalReader::open(&file)?;
//! let runs = journal.runs(&RunFilter::new().pipeline("nightly").state(RunState::Success))?;
//! let details = journal.details(&runs[0])?;
//! let node = details.node("rows").expect("the pipeline has it");
//! assert_eq!(node.attempts().len(), 1);
//! assert_eq!(node.output::<u64>()?, Some(3));
//! assert!(journal.logs(&runs[0], &LogFilter::new().node("rows"))?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to know
//!
//! - **All of it blocks** while the file is read. In async code call it within `tokio::task::spawn_blocking`, or through
//!   [`Host::read`](crate::Host::read).
//! - **A call sees one snapshot.** Everything that it returns was true at the same moment, whatever is committed meanwhile; two
//!   calls may see two moments.
//! - **Polling is cheap.** [`JournalReader::version`] detects whether anything was committed, without reading any of it, and
//!   [`RunDetails::update`] reads only the records that were added since. Both belong to one reader, which a polling program must
//!   keep; [`Host::read`](crate::Host::read) creates a new one for each call.
//! - A run has as many nodes as its mappings have elements, and [`RunDetails`] holds all of them, with their outputs.

mod attempts;
mod details;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod document;
mod error;
mod log_lines;
mod runs;
#[cfg(any(feature = "cli", feature = "dashboard"))]
mod since;

pub use attempts::Attempt;
pub use details::{NodeDetails, RunDetails};
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use document::DocumentBuilder;
pub use error::ReadError;
pub use log_lines::{LogFilter, LogLine};
pub use runs::{RunFilter, RunSummary};
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use since::parse_since;

use crate::Pipeline;
use crate::journal::Reader;
use crate::time::Timestamp;
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads a journal. See the [module](self) for what applies to all methods.
#[derive(Debug)]
pub struct JournalReader {
    reader: Reader,
    pipelines: Vec<Pipeline>,
}

impl JournalReader {
    /// Opens a journal to read it. It does not create one.
    ///
    /// # Errors
    ///
    /// If there is no journal, if the file is not a journal, or if another version wrote it.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, ReadError> {
        Ok(Self::of(Reader::open(file.as_ref())?, Vec::new()))
    }

    pub(crate) fn of(reader: Reader, pipelines: Vec<Pipeline>) -> Self {
        Self { reader, pipelines }
    }

    /// Reads runs of these pipelines with their current plans, where those match. A current plan has more information about a
    /// node that has not started: whether it is a sensor, and how many attempts it may have.
    pub fn pipelines(self, pipelines: impl IntoIterator<Item = Pipeline>) -> Self {
        Self { pipelines: pipelines.into_iter().collect(), ..self }
    }

    /// The runs that match a filter, the newest first.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, ReadError> {
        let runs = self.reader.snapshot(|reader| reader.runs(&filter.0))?;
        Ok(runs.into_iter().map(RunSummary).collect())
    }

    /// The run with that id. If several pipelines have a run with the same id, it is named `PIPELINE/ID`.
    pub fn run(&self, name: &str) -> Result<Option<RunSummary>, ReadError> {
        Ok(self.reader.snapshot(|reader| reader.run(name))?.map(RunSummary))
    }

    /// Everything that is known about a run, as it is now.
    ///
    /// # Errors
    ///
    /// If the run was deleted since, or its records cannot be read.
    pub fn details(&self, run: &RunSummary) -> Result<RunDetails, ReadError> {
        RunDetails::read(&self.reader, &self.pipelines, &run.0, None)
    }

    /// The run as it was after its record with that number, counted from 1. The summary is the current one.
    ///
    /// # Errors
    ///
    /// Like [`JournalReader::details`].
    pub fn details_as_of(&self, run: &RunSummary, record: i64) -> Result<RunDetails, ReadError> {
        RunDetails::read(&self.reader, &self.pipelines, &run.0, Some(record))
    }

    /// Details of a run before any of its records are read.
    #[cfg(feature = "dashboard")]
    pub(crate) fn begin(&self, run: &RunSummary) -> Result<RunDetails, ReadError> {
        RunDetails::begin(&self.pipelines, run.0.clone())
    }

    /// Like `begin`, for the run with that key, if there is one, and for a caller who reads several runs.
    #[cfg(feature = "dashboard")]
    pub(crate) fn begin_of_key(
        &self,
        run: crate::journal::RunKey,
        plans: &mut crate::observe::PlanCache,
    ) -> Result<Option<RunDetails>, ReadError> {
        let run = self.reader.run_of_key(run)?;
        run.map(|run| RunDetails::begin_one_of(&self.pipelines, run, plans)).transpose()
    }

    /// Log lines of a run's attempts, in the order in which they were logged.
    pub fn logs(&self, run: &RunSummary, filter: &LogFilter) -> Result<Vec<LogLine>, ReadError> {
        let LogFilter { node, attempt, after, limit } = filter;
        let lines = self.reader.snapshot(|reader| reader.logs(run.0.key, node.as_deref(), *attempt, *after, *limit))?;
        Ok(lines.into_iter().map(LogLine).collect())
    }

    /// The ids of the pipelines whose schedules are paused.
    pub fn paused(&self) -> Result<BTreeSet<String>, ReadError> {
        Ok(self.reader.paused()?.into_iter().collect())
    }

    /// A number that changes, between two calls on this reader, if anything was committed: a poll that costs almost nothing. The
    /// numbers of two readers cannot be compared.
    pub fn version(&self) -> Result<i64, ReadError> {
        Ok(self.reader.version()?)
    }

    pub(crate) fn journal(&self) -> &Reader {
        &self.reader
    }
}

/// A time in the format of all JSON in this module.
pub(crate) fn date(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn utc(time: Timestamp) -> DateTime<Utc> {
    time.to_utc()
}
