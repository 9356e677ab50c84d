//! The program as Airflow's task process, under a supervisor of the tests' own. `.ci/airflow` repeats this under a real one.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod ends;
mod export;
mod inputs;
mod marks;
mod one_task;
mod supervisor;
mod upsets;
