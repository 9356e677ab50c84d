//! The engine: a core without I/O, and the driver that carries its actions out.

mod core;
mod driver;
mod journal;
mod layout;
mod record;
mod state;

pub(crate) use core::{Action, Answered, Edit, EditError, Outbox, Run, RunIx, RunSpec, check_edit};
#[cfg(test)]
pub(crate) use core::{Answer, Core};
pub(crate) use driver::{Attempt, Engine, EngineOptions, Meddle, Observe, Wake, Watching, WeakEngine, current};
pub(crate) use journal::{Journal, Kept, RunKey};
pub(crate) use layout::{ExpansionIx, Layout};
pub(crate) use record::{Entry, Output, Record, Skip, Slot};
pub use state::{NodeState, RunState};
