//! The engine: a core without I/O, and the driver that carries its actions out.

mod core;
mod driver;
mod journal;
mod layout;
mod record;
mod records;
mod state;

#[cfg(test)]
pub(crate) use core::{Action, Answer, Core, Job};
pub(crate) use core::{Answered, Edit, EditError, Outbox, Run, RunIx, RunSpec, Todo, check_edit};
pub(crate) use driver::{Attempt, Engine, EngineOptions, Meddle, Observe, Wake, Watching, WeakEngine, current};
pub(crate) use journal::{Journal, Kept, RunKey};
pub(crate) use layout::{ExpansionIx, Layout};
pub(crate) use record::{Entry, Output, Record, Skip, Slot};
pub(crate) use records::RunRecords;
pub use state::{NodeState, RunState};
