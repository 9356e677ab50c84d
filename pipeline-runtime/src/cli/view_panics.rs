//! Tests that a panic in a view changes neither runs nor reports nor exit codes.

use super::progress::{ShownRun, View};
use super::{Finished, Progress, Runner};
use crate::RunState;
use crate::observe::{Loss, RunEvent};
use crate::prelude::*;
use std::process::ExitCode;

/// Panics at the first event, while it reads the run's history.
struct Panics;

impl View for Panics {
    fn opened(&mut self, _: &ShownRun) {}

    fn event(&mut self, run: &ShownRun, _: &RunEvent) {
        let _history = run.run.history();
        panic!("a fault of the view");
    }

    fn log(&mut self, _: &str) {}
    fn lost(&mut self, _: Loss) {}
}

#[task]
async fn load(fails: bool) -> Result<u32> {
    if fails { Err(TaskError::fatal("there are no rows")) } else { Ok(7) }
}

#[pipeline]
fn nightly(fails: bool) {
    load(fails);
}

fn run(fails: bool, progress: Progress) -> Finished {
    Runner::new().pipeline(nightly(), fails).progress(progress).view(Box::new(Panics)).run().unwrap()
}

#[test]
fn a_run_that_fails_is_a_failure_and_is_reported() {
    for progress in [Progress::Auto, Progress::Json] {
        let finished = run(true, progress);
        assert_eq!(finished.exit_code(), ExitCode::FAILURE);
        assert_eq!(finished.reports()[0].node("load").error(), Some("there are no rows"));
    }
}

#[test]
fn a_run_that_succeeds_is_a_success() {
    let finished = run(false, Progress::Auto);
    assert_eq!((finished.exit_code(), finished.reports()[0].state()), (ExitCode::SUCCESS, RunState::Success));
    assert_eq!(finished.reports()[0].output("load"), Some(7_u32));
}
