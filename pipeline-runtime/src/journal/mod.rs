//! Journals: where a run's records are kept.

mod memory;
mod run;
mod sqlite;

pub(crate) use crate::engine::RunKey;
pub(crate) use memory::MemoryJournal;
pub use run::RunKind;
pub(crate) use run::StoredRun;
pub(crate) use sqlite::{DecodeError, Filter, LogLine, Old, Pruned, Reader, SqliteJournal, StoredEntry, StoredLine};
pub use sqlite::{Holder, JournalError, stage};
