//! The rules: what follows from a run's state and from events. There is one file per rule, named as in the docs.
//!
//! A rule reads the state and records its decisions; the state then follows from the records. A rule runs no user code, never
//! waits and reads no clock.

mod callback;
mod change;
mod clear;
mod command;
mod context;
mod lock;
mod mapping;
mod propagate;
mod race;
mod recovery;
mod retry;
mod run_end;
mod sensor;
mod sla;
mod time_limit;

pub(super) use context::{RunContext, Shared};
pub(super) use mapping::Looks;

pub(crate) use command::{Edit, EditError};
#[cfg(feature = "airflow")]
pub(crate) use recovery::{MAX_INTERRUPTIONS, cut_off_too_often};
