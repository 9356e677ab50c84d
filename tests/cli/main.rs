//! The command line of a binary like any user's: its exact output, and its exit codes.
//!
//! Durations of runs are replaced by `_`; all else is as users see it. `UPDATE_EXPECT=1` rewrites the goldens.

#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

mod backup;
mod command;
mod dates;
#[cfg(unix)]
mod disks;
mod durations;
mod forecast;
mod gc;
mod graph;
mod help;
mod interrupt;
mod logs;
mod metrics;
mod params;
mod plans;
mod recorded_runs;
mod run;
mod secrets;
mod settings;
mod simulate;
#[cfg(unix)]
mod terminal;
mod unread;
#[cfg(unix)]
mod wandering;
mod what_if;
mod zones;
