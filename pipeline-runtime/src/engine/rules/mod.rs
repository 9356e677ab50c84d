//! The rules: what follows from a run's state and from what happens. One file a rule, by the name that the docs give it.
//!
//! A rule looks at the state and records what it decides; the state then follows from the record. It runs no user code, waits for
//! nothing and reads no clock.

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
