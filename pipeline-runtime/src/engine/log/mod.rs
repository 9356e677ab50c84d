//! The log: everything that happened to runs, in order.

mod columns;
mod record;
mod remap;

pub(crate) use columns::{Records, RunRecords};
pub(crate) use record::{Entry, Output, Record, Skip};
pub(crate) use remap::{follows_from, last_cleared, translate};
