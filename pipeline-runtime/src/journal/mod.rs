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
    Act, AwaitedRun, Begun, DecodeError, Filter, IntervalRun, LogLine, Mailbox, NewUpdate, Newest, News, Pass, Passed, Posted,
    Pruned, Reader, Repaired, STALE, SqliteJournal, StoredEntry, StoredLine, StoredSetting, StoredUpdate, Ticket, Updated,
    absolute,
};
#[cfg(feature = "dashboard")]
pub(crate) use sqlite::{Asked, Past, Tally, unwritable};
#[cfg(feature = "sqlite")]
pub use sqlite::{Holder, JournalError, stage};
