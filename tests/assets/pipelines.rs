//! Pipelines that start one another's runs by assets. `drive JOURNAL [STAGE:N]` hosts some of them until everything is done, and
//! dies at that stage of its N-th commit. Without `drive` it is the command line.

use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{RunFilter, RunSummary};
use pipeline_runtime::{Host, RunRef};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Manifest {
    day: String,
}

/// What each day's export updates.
static VISITS: Asset<Manifest> = Asset::new("visits");
/// Updated from outside.
static PROCESSES: Asset<u64> = Asset::external("processes");

#[task]
async fn export(day: String) -> Result<Manifest> {
    Ok(Manifest { day })
}

/// Exports two days, one after the other.
#[pipeline(schedule = "@daily", start = "2024-01-01", end = "2024-01-02", catchup = true, max_active_runs = 1)]
fn visits_export() {
    export(template!("{{ ds }}")).updates(&VISITS);
}

#[task]
async fn build(visits: Manifest) -> Result<String> {
    Ok(visits.day)
}

/// Builds what was exported.
#[pipeline(when = all(VISITS))]
fn visits_model() {
    build(VISITS.latest());
}

#[task]
async fn join(visits: Manifest, processes: u64) -> Result<String> {
    Ok(format!("{} {processes}", visits.day))
}

/// Joins both.
#[pipeline(when = all(VISITS, PROCESSES))]
fn both() {
    join(VISITS.latest(), PROCESSES.latest());
}

/// Reads the current value.
#[pipeline]
fn report() {
    build(VISITS.latest());
}

#[task]
async fn nothing() -> Result<()> {
    Ok(())
}

#[pipeline]
fn other() {
    nothing();
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["drive", journal] => drive(journal),
        ["drive", journal, kill] => {
            let (stage, commit) = kill.split_once(':').expect("a stage and a number");
            die_at(stage, commit.parse().expect("a number"));
            drive(journal)
        }
        _ => pipeline_runtime::cli::main([visits_export(), visits_model(), both(), report(), other()]),
    }
}

/// Ends the process at that stage of that commit, as if it were killed.
fn die_at(stage: &str, commit: u64) {
    static AT: OnceLock<(Stage, u64)> = OnceLock::new();
    static COMMITS: AtomicU64 = AtomicU64::new(0);
    let stage = match stage {
        "begun" => Stage::Begun,
        "written" => Stage::Written,
        _ => Stage::Kept,
    };
    let _ = AT.set((stage, commit));
    commits::watch(|stage| {
        let commit = COMMITS.fetch_add(u64::from(stage == Stage::Begun), Ordering::SeqCst) + u64::from(stage == Stage::Begun);
        if AT.get() == Some(&(stage, commit)) {
            std::process::abort();
        }
    });
}

/// Hosts the export and the model until both days are exported and the model has consumed both updates.
#[tokio::main(flavor = "current_thread")]
async fn drive(journal: &str) -> ExitCode {
    let host = Host::builder([visits_export(), visits_model(), other()]).journal(journal).follow_schedules(true).start().await;
    let host = host.expect("no other process holds the journal");
    // No sleep: each round gives the host something to do, and thereby a chance to start what is due.
    for _ in 0..10_000 {
        let run = host.trigger("other", (), None).await.expect("it can be triggered");
        host.wait(&run).await.expect("it ends");
        let (exports, models) = (runs(&host, "visits_export").await, runs(&host, "visits_model").await);
        for run in exports.iter().chain(&models) {
            host.wait(&RunRef::new(run.pipeline(), run.run_id())).await.expect("it ends");
        }
        let is_used_up = models.first().is_some_and(|newest| newest.interval().start.to_rfc3339().starts_with("2024-01-02"))
            || models.first().is_some_and(|newest| newest.interval().end.to_rfc3339().starts_with("2024-01-03"));
        if exports.len() == 2 && is_used_up {
            host.shutdown().await.expect("everything is durable");
            return ExitCode::SUCCESS;
        }
    }
    ExitCode::FAILURE
}

async fn runs(host: &Host, pipeline: &'static str) -> Vec<RunSummary> {
    host.read(move |journal| journal.runs(&RunFilter::new().pipeline(pipeline).limit(1_000))).await.expect("it can be read")
}
