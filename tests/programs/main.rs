//! Programs that bodies run: their outcomes, and that none outlives its attempt.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

mod ends;
mod outcomes;
mod output_lines;

use pipeline_runtime::Command;

/// A shell script.
fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}
