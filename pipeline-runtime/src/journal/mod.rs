//! Journals: where a run's records are kept.

mod memory;

pub(crate) use memory::MemoryJournal;
