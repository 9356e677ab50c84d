//! The engine's rules, each as a simulation: whole runs in virtual time, by the engine that runs in production.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows only functions with `#[test]`")]

mod across;
mod assets;
mod branches;
mod callbacks;
mod context;
mod dates;
mod determinism;
mod ends;
mod failures;
mod fields;
mod first_of;
mod groups;
mod keyed;
mod limits;
mod mapping;
mod outputs;
mod outside;
mod params;
mod past;
mod pools;
mod propagation;
mod retries;
mod run_state;
mod schedules;
mod secrets;
mod sensors;
mod size;
mod sla;
mod tasks;
mod teardown;
mod templates;
mod values;
mod within_tokio;
