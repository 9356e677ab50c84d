//! Pipelines that are started by commands, in a process that dies at a stage of a commit: `commands.rs` kills it.
//!
//! `DIE_AT=begun:2` names the stage and the number of the commit, counted from when the file `armed` exists in the folder. The
//! process aborts there, which runs no destructors and writes nothing.

use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The stage and the commit at which the process dies.
static DIE_AT: OnceLock<(String, u64)> = OnceLock::new();

fn reached(stage: Stage) {
    static COMMITS: AtomicU64 = AtomicU64::new(0);
    let Some((at, commit)) = DIE_AT.get() else { return };
    if COMMITS.load(Ordering::SeqCst) == 0 && (stage != Stage::Begun || !Path::new("armed").exists()) {
        return;
    }
    let (name, begun) = match stage {
        Stage::Begun => ("begun", 1),
        Stage::Written => ("written", 0),
        Stage::Kept => ("kept", 0),
    };
    let now = COMMITS.fetch_add(begun, Ordering::SeqCst) + begun;
    if at == name && now == *commit {
        std::process::abort();
    }
}

#[task]
async fn work(day: String) -> Result<String> {
    if Path::new("broken").exists() { Err(TaskError::fatal("it is broken")) } else { Ok(day) }
}

#[pipeline]
fn quick() {
    work(template!("{{ ds }}"));
}

#[sensor(poke = "1h", timeout = "1d")]
async fn never(day: String) -> Result<Poke<String>> {
    Ok(if day.is_empty() { Poke::Ready(day) } else { Poke::NotYet })
}

#[pipeline]
fn waiting() {
    never(template!("{{ ds }}"));
}

/// Its schedule has ended, so it only runs on command.
#[pipeline(schedule = "@daily", start = "2024-01-01", end = "2024-01-31")]
fn daily() {
    work(template!("{{ ds }}"));
}

fn main() -> ExitCode {
    if let Some((stage, commit)) = std::env::var("DIE_AT").ok().as_deref().and_then(|at| at.split_once(':'))
        && let Ok(commit) = commit.parse()
    {
        // It is set only once.
        let _ = DIE_AT.set((stage.to_owned(), commit));
        commits::watch(reached);
    }
    Cli::new([quick(), waiting(), daily()]).main()
}
