//! Programs that a body runs.
//!
//! - `command.rs`: what is to be run, and what came of it.
//! - `variable.rs`: what an argument and a variable of the environment may be.
//! - `group.rs`: the process group, and that nothing of it outlives its attempt.
//! - `lines.rs`: what is printed, line by line.
//!
//! # Invariants
//!
//! - No program outlives its attempt by more than ten seconds, whatever ends the attempt: also the death of this process. (`tests/programs`)
//! - What a program prints takes no more memory than a few lines of it.
//! - Each child of this process is waited for, so that none stays as a zombie.

mod command;
mod group;
mod lines;
mod variable;

pub use command::{Command, Ran};
pub use variable::{IntoArgument, IntoVariable, Variable};
