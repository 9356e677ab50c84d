//! Overlapping runs of one schedule, whose tasks depend on the past: each waits for itself in the run before.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::RunFilter;
use pipeline_runtime::{Host, NodeState, RunRef, RunState, Shutdown};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static THERE: Gate = Gate::new();
static BROKEN: AtomicBool = AtomicBool::new(false);
static LOADED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[task]
async fn extract() -> Result<u64> {
    Ok(7)
}

#[task(depends_on_past = true)]
async fn load(day: String, rows: u64) -> Result<u64> {
    LOADED.lock().unwrap().push(day);
    THERE.pass().await;
    if BROKEN.load(Ordering::SeqCst) { Err(TaskError::fatal("no such table")) } else { Ok(rows) }
}

#[pipeline(schedule = "@daily", start = "2024-01-01", end = "2024-01-03", catchup = true)]
fn days() {
    load(template!("{{ ds }}"), extract());
}

async fn host(journal: &Path) -> Host {
    Host::builder([days()]).journal(journal).follow_schedules(true).drain(Duration::ZERO).start().await.unwrap()
}

fn loaded() -> Vec<String> {
    LOADED.lock().unwrap().clone()
}

/// Returns once that node of that day's run is in that state.
async fn is(host: &Host, day: &str, node: &'static str, wanted: NodeState) {
    loop {
        let id = format!("days/scheduled__{day}T00:00:00Z");
        let state = host.read(move |journal| {
            let Some(run) = journal.run(&id)? else { return Ok(None) };
            Ok(journal.details(&run)?.node(node).map(|node| node.state()))
        });
        if state.await.unwrap() == Some(wanted) {
            return;
        }
    }
}

#[tokio::test]
async fn each_day_waits_for_the_one_before_over_a_restart_a_failure_and_a_retry() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let first_host = host(&journal).await;
    THERE.reached().await;
    // All three are running, and only the first may load.
    for day in ["2024-01-02", "2024-01-03"] {
        is(&first_host, day, "extract", NodeState::Success).await;
        is(&first_host, day, "load.past", NodeState::UpForReschedule).await;
    }
    assert_eq!(loaded(), ["2024-01-01"]);
    assert_eq!(first_host.shutdown().await.unwrap(), Shutdown::CutOff);

    let next_host = host(&journal).await;
    THERE.reached().await;
    THERE.open();
    // The first was cut off and starts again; then the second runs, and fails.
    THERE.reached().await;
    assert_eq!(loaded(), ["2024-01-01", "2024-01-01", "2024-01-02"]);
    BROKEN.store(true, Ordering::SeqCst);
    THERE.open();
    is(&next_host, "2024-01-02", "load", NodeState::Failed).await;
    is(&next_host, "2024-01-03", "load.past", NodeState::UpForReschedule).await;
    BROKEN.store(false, Ordering::SeqCst);
    let second = run(&next_host, "2024-01-02").await;
    next_host.retry(&second, &["load"], false).await.unwrap();
    THERE.reached().await;
    assert_eq!(loaded()[3..], ["2024-01-02"]);
    THERE.open();
    THERE.reached().await;
    assert_eq!(loaded()[4..], ["2024-01-03"]);
    THERE.open();
    let third = run(&next_host, "2024-01-03").await;
    assert_eq!(next_host.wait(&third).await.unwrap().state(), RunState::Success);

    // A manual run has no place in the order.
    let by_hand = next_host.trigger("days", (), Some("2024-01-02")).await.unwrap();
    THERE.reached().await;
    THERE.open();
    assert_eq!(next_host.wait(&by_hand).await.unwrap().state(), RunState::Success);
    next_host.shutdown().await.unwrap();
}

static CUT: Gate = Gate::new();
static CUT_OFF: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[task(depends_on_past = true)]
async fn store(day: String) -> Result<u64> {
    CUT_OFF.lock().unwrap().push(day);
    CUT.pass().await;
    Ok(1)
}

#[pipeline(id = "cut", schedule = "@daily", start = "2024-01-01", end = "2024-01-02", catchup = true)]
fn cut_days() {
    store(template!("{{ ds }}"));
}

#[tokio::test]
async fn what_a_cancel_has_cut_off_holds_up_the_day_after_until_it_is_retried() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let host = Host::builder([cut_days()]).journal(&journal).follow_schedules(true).drain(Duration::ZERO).start().await.unwrap();
    CUT.reached().await;
    let [first, second] = ["01", "02"].map(|day| RunRef::new("cut", format!("scheduled__2024-01-{day}T00:00:00Z")));
    host.cancel(&first).await.unwrap();
    assert_eq!(host.wait(&first).await.unwrap().state(), RunState::Cancelled);
    host.retry(&first, &["store"], false).await.unwrap();
    CUT.reached().await;
    assert_eq!(*CUT_OFF.lock().unwrap(), ["2024-01-01", "2024-01-01"]);
    CUT.open();
    CUT.reached().await;
    CUT.open();
    assert_eq!(host.wait(&second).await.unwrap().state(), RunState::Success);
    assert_eq!(*CUT_OFF.lock().unwrap(), ["2024-01-01", "2024-01-01", "2024-01-02"]);
    host.shutdown().await.unwrap();
}

static BEGUN: Gate = Gate::new();

#[task]
async fn first() -> Result<()> {
    BEGUN.pass().await;
    Ok(())
}

#[task]
async fn second() -> Result<()> {
    BEGUN.pass().await;
    Ok(())
}

#[pipeline(id = "reordered")]
fn side_by_side() {
    first();
    second();
}

#[pipeline(id = "reordered")]
fn one_after_the_other() {
    second().after(first());
}

#[tokio::test]
async fn a_node_that_has_begun_before_what_it_waits_for_since_goes_on_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let host = |pipeline| Host::builder([pipeline]).journal(&journal).drain(Duration::ZERO).start();
    let before = host(side_by_side()).await.unwrap();
    let run = before.trigger("reordered", (), None).await.unwrap();
    BEGUN.reached().await;
    BEGUN.reached().await;
    before.shutdown().await.unwrap();

    // Twice: the second time the journal has only the new plan.
    for _ in 0..2 {
        let after = host(one_after_the_other()).await.unwrap();
        BEGUN.reached().await;
        BEGUN.reached().await;
        after.shutdown().await.unwrap();
    }
    let after = host(one_after_the_other()).await.unwrap();
    BEGUN.reached().await;
    BEGUN.reached().await;
    BEGUN.open();
    BEGUN.open();
    assert_eq!(after.wait(&run).await.unwrap().state(), RunState::Success);
    after.shutdown().await.unwrap();
}

async fn run(host: &Host, day: &'static str) -> RunRef {
    let runs = host.read(move |journal| journal.runs(&RunFilter::new().pipeline("days"))).await.unwrap();
    let run = runs.iter().find(|run| run.run_id().starts_with("scheduled__") && run.run_id().contains(day)).unwrap();
    RunRef::new("days", run.run_id())
}
