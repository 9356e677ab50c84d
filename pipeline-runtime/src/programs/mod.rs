//! Programs that a body runs.
//!
//! - `command.rs`: what to run, and its result.
//! - `variable.rs`: the types of arguments and environment variables.
//! - `group.rs`: the process group, which does not outlive its attempt.
//! - `output_lines.rs`: the output, line by line.
//!
//! # Invariants
//!
//! - No program outlives its attempt by more than ten seconds, whatever ends the attempt, even the death of this process.
//!   (`tests/programs`)
//! - A program's output takes no more memory than a few of its lines.
//! - Each child of this process is waited for, so that no zombie remains.

mod command;
mod group;
mod output_lines;
mod variable;

pub use command::{Command, Ran};
pub use variable::{IntoArgument, IntoVariable, Variable};
