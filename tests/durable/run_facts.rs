//! A resumed run has the same facts about itself as before.

use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Its kind, its start, and the start of the last successful run.
type Facts = (String, String, Option<String>);

/// Aborts the process if the file does not exist yet.
#[task]
async fn facts(ctx: Context, died: PathBuf) -> Result<Facts> {
    if !died.exists() {
        std::fs::write(&died, ctx.run_started().to_rfc3339())?;
        std::process::abort();
    }
    let previous = ctx.prev_run_started_success().map(|date| date.to_rfc3339());
    Ok((ctx.kind().to_string(), ctx.run_started().to_rfc3339(), previous))
}

#[pipeline(schedule = "@daily", start = "2024-03-01")]
fn with_facts(died: PathBuf) {
    facts(died);
}

fn run(folder: &Path, day: &str, died: &Path) -> RunReport {
    let runner = Runner::new().pipeline(with_facts(), died).logical_date(day).progress(Progress::Silent);
    let mut reports = runner.journal(folder.join("j.db")).run().unwrap().into_reports();
    assert_eq!(reports[0].state(), RunState::Success);
    reports.remove(0)
}

#[test]
#[ignore = "a half of a test"]
fn dies_in_its_body() {
    let Some(folder) = std::env::var_os("RUN_FACTS_FOLDER").map(PathBuf::from) else { return };
    run(&folder, "2024-03-26", &folder.join("died"));
}

#[test]
fn a_resumed_run_knows_when_it_began_and_when_the_one_before_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let is_there = folder.path().to_owned();
    let first: Facts = run(folder.path(), "2024-03-25", &is_there).output("facts").unwrap();
    assert_eq!((first.0.as_str(), &first.2), ("manual", &None));
    let mut half = Command::new(std::env::current_exe().unwrap());
    half.args(["--exact", "run_facts::dies_in_its_body", "--ignored", "--test-threads=1"]).env("RUN_FACTS_FOLDER", folder.path());
    assert!(!half.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    let died = folder.path().join("died");
    let second: Facts = run(folder.path(), "2024-03-26", &died).output("facts").unwrap();
    assert_eq!(second, ("manual".to_owned(), std::fs::read_to_string(&died).unwrap(), Some(first.1)));
}
