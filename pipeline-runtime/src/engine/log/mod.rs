//! The log: what happened to runs, in the order in which it happened.

mod columns;
mod record;
mod remap;

pub(crate) use columns::{Records, RunRecords};
pub(crate) use record::{Entry, Output, Record, Skip};
pub(crate) use remap::{follows_from, last_cleared, translate};
