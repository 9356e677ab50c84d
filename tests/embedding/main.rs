//! The engine embedded in another program, here a test: requests to it, its end, and reading beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

mod across;
mod assets;
mod ending;
mod gate;
mod page;
mod past;
mod reading;
mod requests;
mod schedule;
#[cfg(unix)]
mod secrets;
mod service;
mod settings;
