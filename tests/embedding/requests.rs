//! Requests to a host, and those that it refuses.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Host, HostError, NodeState, RunRef, RunState, StartError};
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Region {
    name: String,
    rows: u64,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Report {
    region: String,
    rows: u64,
}

#[task]
async fn count(region: String, rows: u64) -> Result<Report> {
    Ok(Report { region, rows })
}

#[pipeline]
fn regional(region: Region) {
    count(region.name, region.rows);
}

async fn is_triggered_and_awaited() {
    let host = Host::builder([regional()]).temporary_journal().start().await.unwrap();
    let run = host.trigger("regional", serde_json::json!({ "name": "eu", "rows": 7 }), Some("2024-03-25")).await.unwrap();
    assert_eq!(run.to_string(), "regional/manual__2024-03-25T00:00:00Z");
    let outcome = host.wait(&run).await.unwrap();
    assert_eq!(outcome.state(), RunState::Success, "{}", outcome.timeline());
    let report = Report { region: "eu".into(), rows: 7 };
    assert_eq!(outcome.node("count").unwrap().output::<Report>().unwrap(), Some(report));
    // Also for a run that has ended.
    assert_eq!(host.wait(&run).await.unwrap().state(), RunState::Success);
    host.shutdown().await.unwrap();
    assert!(!host.journal().exists(), "a temporary journal is deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_triggered_and_awaited_on_a_runtime_of_many_threads() {
    is_triggered_and_awaited().await;
}

#[tokio::test]
async fn a_run_is_triggered_and_awaited_on_a_runtime_of_one_thread() {
    is_triggered_and_awaited().await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    assert!(matches!(Host::builder([regional()]).start().await, Err(HostError::NoJournal)));
    let twice = Host::builder([regional(), regional()]).temporary_journal().start().await.unwrap_err();
    assert!(twice.to_string().starts_with("two pipelines have the id `regional`"), "{twice}");
    let host = Host::builder([regional()]).temporary_journal().start().await.unwrap();
    let unknown = host.trigger("regionl", (), None).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the process that holds the journal has no pipeline `regionl`");
    let params = host.trigger("regional", serde_json::json!({ "nme": "eu" }), None).await.unwrap_err();
    assert!(matches!(params, HostError::Start(StartError::Plan(_))), "{params}");
    let date = host.trigger("regional", (), Some("yesterday")).await.unwrap_err();
    assert!(matches!(date, HostError::Start(StartError::Date(_))), "{date}");
    let none = host.wait(&RunRef::new("regional", "manual__1")).await.unwrap_err();
    assert_eq!(none.to_string(), "the journal has no run `regional/manual__1`; `JournalReader::runs` lists those it has");
    host.shutdown().await.unwrap();
    let ended = host.trigger("regional", (), None).await.unwrap_err();
    assert!(matches!(ended, HostError::Ended), "{ended}");
    assert!(matches!(host.read(pipeline_runtime::read::JournalReader::paused).await, Err(HostError::Ended)));
}

static REPAIRED: AtomicBool = AtomicBool::new(false);

#[task]
async fn fragile() -> Result<u64> {
    if REPAIRED.load(Ordering::SeqCst) { Ok(1) } else { Err(TaskError::fatal("broken")) }
}

#[pipeline]
fn repaired() {
    fragile();
}

#[tokio::test]
async fn a_run_that_failed_is_retried_and_awaited_again() {
    let host = Host::builder([repaired()]).temporary_journal().start().await.unwrap();
    let run = host.trigger("repaired", (), None).await.unwrap();
    let failed = host.wait(&run).await.unwrap();
    assert_eq!((failed.state(), failed.node("fragile").unwrap().error()), (RunState::Failed, Some("broken")));
    REPAIRED.store(true, Ordering::SeqCst);
    host.retry(&run, &[], false).await.unwrap();
    let outcome = host.wait(&run).await.unwrap();
    assert_eq!(outcome.state(), RunState::Success);
    let attempts = outcome.node("fragile").unwrap().attempts();
    // A manual retry starts over with all retries.
    let errors: Vec<_> = attempts.iter().map(|attempt| (attempt.number(), attempt.error())).collect();
    assert_eq!(errors, [(1, Some("broken")), (1, None)]);
    assert!(attempts.iter().all(|attempt| attempt.finished().is_some_and(|finished| finished >= attempt.started())));
    let again = host.retry(&run, &["fragle"], false).await.unwrap_err();
    assert!(again.to_string().contains("fragle"), "{again}");
    host.shutdown().await.unwrap();
}

static WAITS: Gate = Gate::new();

#[task]
async fn waits() -> Result<u64> {
    WAITS.pass().await;
    Ok(1)
}

#[task]
async fn after(rows: Option<u64>) -> Result<bool> {
    Ok(rows.is_some())
}

#[pipeline(schedule = "@daily")]
fn held_up() {
    after(waits());
}

#[tokio::test]
async fn nodes_are_skipped_runs_cancelled_and_schedules_paused() {
    let host = Host::builder([held_up()]).temporary_journal().start().await.unwrap();
    let skipped = host.trigger("held_up", (), Some("2024-03-25")).await.unwrap();
    WAITS.reached().await;
    let refused = host.trigger("held_up", (), Some("2024-03-25")).await.unwrap_err();
    assert!(matches!(refused, HostError::Start(StartError::Unfinished { .. })), "{refused}");
    host.skip(&skipped, "waits").await.unwrap();
    let outcome = host.wait(&skipped).await.unwrap();
    assert_eq!((outcome.state(), outcome.node("waits").unwrap().state()), (RunState::Success, NodeState::Skipped));
    assert_eq!(outcome.node("after").unwrap().output::<bool>().unwrap(), Some(false));

    let cancelled = host.trigger("held_up", (), Some("2024-03-26")).await.unwrap();
    WAITS.reached().await;
    let waiting = host.clone();
    let run = cancelled.clone();
    let waiting = tokio::spawn(async move { waiting.wait(&run).await });
    host.cancel(&cancelled).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().state(), RunState::Cancelled);

    host.pause("held_up").await.unwrap();
    assert!(host.read(pipeline_runtime::read::JournalReader::paused).await.unwrap().contains("held_up"));
    host.unpause("held_up").await.unwrap();
    assert!(host.read(pipeline_runtime::read::JournalReader::paused).await.unwrap().is_empty());
    host.shutdown().await.unwrap();
}
