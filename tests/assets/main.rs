//! Assets, by processes: what is updated, what the command line says of it, and what is left of it by a process that dies. Within one process: `tests/embedding/assets.rs`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod asked;
mod kills;
