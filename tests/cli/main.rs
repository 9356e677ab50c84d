//! The command line of a binary like any user's: what it prints, to the letter, and how it exits.
//!
//! Times that a run took are replaced by `_`, and all else is as users see it. `UPDATE_EXPECT=1` writes the goldens anew.

#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

mod backup;
mod command;
mod dates;
#[cfg(unix)]
mod disks;
mod durations;
mod gc;
mod graph;
mod help;
mod interrupt;
mod kept;
mod logs;
mod metrics;
mod params;
mod plans;
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
