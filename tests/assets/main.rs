//! Assets across processes: what is updated, what the command line prints, and what is left after a process died. For tests
//! within one process see `tests/embedding/assets.rs`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod command_line;
mod kills;
