//! The engine: a core without I/O, and the runtime that carries its actions out.
//!
//! ```text
//!   ids ◄─ log ◄─ state ◄─ execution ◄─ rules ◄─ core ◄─ runtime
//! ```
//!
//! | folder | its one subject |
//! |---|---|
//! | `log` | records: what happened, in order |
//! | `state` | a run's state: the fold of its records, written by nothing else |
//! | `execution` | what this process does about runs: attempts in flight, permits, timers, the worklist; volatile |
//! | `rules` | what follows from events, one file per rule |
//! | `core.rs` | combines them: takes an event and the time, returns records and actions |
//! | `runtime` | carries actions out on tokio |

mod core;
mod effects;
mod execution;
mod ids;
mod journal;
mod log;
mod rules;
mod runtime;
mod state;
mod states;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use core::Core;
#[cfg(test)]
pub(crate) use effects::{Action, Answer};
pub(crate) use effects::{Answered, Outbox, Todo};
#[cfg(test)]
pub(crate) use ids::Job;
pub(crate) use ids::{Keys, RunIx, RunKey, Slot};
pub(crate) use journal::{Journal, Submitted};
pub(crate) use log::{Entry, Output, Record, RunRecords, Skip, translate};
pub(crate) use rules::{Edit, EditError};
#[cfg(feature = "airflow")]
pub(crate) use rules::{MAX_INTERRUPTIONS, cut_off_too_often};
pub(crate) use runtime::{
    Attempt, Engine, EngineOptions, FoundOutput, FoundRun, Instead, Interceptor, LastSeen, MAX_OUTPUT, Observe, OtherRuns,
    StartRun, Waiter, Wake, Watching, WeakEngine, current,
};
#[cfg(feature = "airflow")]
pub(crate) use state::{Earlier, Verdict};
pub(crate) use state::{
    ExpansionIx, Illegal, Layout, Lookup, NodeAtCancel, Position, Run, RunSpec, ends_open_nodes, node_name, reconsider,
};
pub use states::{NodeState, RunState};
