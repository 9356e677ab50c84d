//! Journals: where a run's records are stored.

mod memory;
mod none;
mod run;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use crate::engine::RunKey;
pub(crate) use crate::schedule::RunKind;
pub(crate) use memory::MemoryJournal;
pub(crate) use none::NoJournal;
pub(crate) use run::{BLOCKED, StoredRun};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{
    Act, AssetUpdated, AwaitedRun, CommitEvent, DecodeError, Filter, Inbox, IntervalRun, LogLine, NewUpdate, NewestTime,
    NodePassed, Pass, PostedCommand, Pruned, Reader, Repaired, RunStart, STALE, SqliteJournal, StoredEntry, StoredLine,
    StoredSetting, StoredUpdate, Ticket, absolute,
};
#[cfg(feature = "dashboard")]
pub(crate) use sqlite::{DurationCache, DurationQuery, Tally, unwritable};
#[cfg(feature = "sqlite")]
pub use sqlite::{Holder, JournalError, stage};
