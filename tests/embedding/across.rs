//! Pipelines that wait for one another's runs, in a host.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::RunFilter;
use pipeline_runtime::{Host, NodeState, OnFailed, RunRef, RunState, StartedRun, UpstreamRun, start};
use std::sync::atomic::{AtomicBool, Ordering};

static EXTRACTING: Gate = Gate::new();
static BROKEN: AtomicBool = AtomicBool::new(false);

#[task]
async fn extract() -> Result<u64> {
    EXTRACTING.pass().await;
    if BROKEN.load(Ordering::SeqCst) { Err(TaskError::fatal("no such table")) } else { Ok(7) }
}

#[pipeline(schedule = "@daily")]
fn base() {
    extract();
}

#[task]
async fn publish(rows: u64) -> Result<u64> {
    Ok(2 * rows)
}

#[pipeline(schedule = "@daily")]
fn report() {
    publish(run_of(base).output::<extract>());
}

#[pipeline(schedule = "@daily")]
fn patient_report() {
    publish(run_of(base).on_failed(OnFailed::Wait).output::<extract>());
}

const DAY: Option<&str> = Some("2024-03-25");

async fn host() -> Host {
    Host::builder([base(), report(), patient_report(), vendor_file(), starter()]).temporary_journal().start().await.unwrap()
}

/// Returns once the run's wait is recorded.
async fn waits(host: &Host, run: &RunRef, node: &'static str) {
    loop {
        let name = run.to_string();
        let state = host.read(move |journal| {
            let run = journal.run(&name)?.expect("it is recorded");
            Ok(journal.details(&run)?.node(node).expect("it is in the plan").state())
        });
        if state.await.unwrap() == NodeState::UpForReschedule {
            return;
        }
    }
}

/// The tests share a gate, so they run one at a time.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_run_goes_on_as_the_other_ends_and_is_poked_twice() {
    let _one = ONE_AT_A_TIME.lock().await;
    let host = host().await;
    let waiting = host.trigger("report", (), DAY).await.unwrap();
    waits(&host, &waiting, "run_of").await;
    // A run of another day, which it does not wait for.
    let other = host.trigger("base", (), Some("2024-03-24")).await.unwrap();
    EXTRACTING.open();
    host.wait(&other).await.unwrap();
    EXTRACTING.reached().await;
    let awaited = host.trigger("base", (), DAY).await.unwrap();
    EXTRACTING.reached().await;
    waits(&host, &waiting, "run_of").await;
    EXTRACTING.open();
    let (awaited, waiting) = (host.wait(&awaited).await.unwrap(), host.wait(&waiting).await.unwrap());
    assert_eq!((awaited.state(), waiting.state()), (RunState::Success, RunState::Success), "{}", waiting.timeline());
    let run_of = waiting.node("run_of").unwrap();
    assert_eq!((run_of.pokes(), run_of.output::<UpstreamRun>().unwrap().unwrap().run_id()), (2, awaited.run_id()));
    assert_eq!(waiting.node("publish").unwrap().output::<u64>().unwrap(), Some(14));
    host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_fails_who_waits_and_its_retry_to_success_wakes_who_waits_on() {
    let _one = ONE_AT_A_TIME.lock().await;
    let host = host().await;
    let (fails, waits_on) =
        (host.trigger("report", (), DAY).await.unwrap(), host.trigger("patient_report", (), DAY).await.unwrap());
    waits(&host, &fails, "run_of").await;
    waits(&host, &waits_on, "run_of").await;
    BROKEN.store(true, Ordering::SeqCst);
    EXTRACTING.open();
    let awaited = host.trigger("base", (), DAY).await.unwrap();
    let failed = host.wait(&fails).await.unwrap();
    assert_eq!(
        failed.node("run_of").unwrap().error(),
        Some("it waits for run manual__2024-03-25T00:00:00Z of `base`, which has failed: `extract`: no such table")
    );
    BROKEN.store(false, Ordering::SeqCst);
    EXTRACTING.open();
    host.retry(&awaited, &[], false).await.unwrap();
    let went_on = host.wait(&waits_on).await.unwrap();
    assert_eq!((went_on.state(), went_on.node("run_of").unwrap().pokes()), (RunState::Success, 3), "{}", went_on.timeline());
    EXTRACTING.reached().await;
    EXTRACTING.reached().await;
    host.shutdown().await.unwrap();
}

#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Options {
    vendor: String,
}

#[task]
async fn load(vendor: String) -> Result<usize> {
    match vendor.as_str() {
        "" => Err(TaskError::fatal("no vendor")),
        vendor => Ok(vendor.len()),
    }
}

#[pipeline]
fn vendor_file(options: Options) {
    load(options.vendor);
}

#[task]
async fn vendors() -> Result<Vec<Options>> {
    Ok(["acme", "bolt"].map(|vendor| Options { vendor: vendor.into() }).into())
}

#[pipeline(schedule = "@daily")]
fn starter() {
    vendors().each(|options| start(vendor_file, options).finished().output::<load>());
    start(vendor_file, Options::default()).named("of_nobody").finished().named("fails").allow_failure();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_started_for_each_element_and_awaited() {
    let host = host().await;
    let run = host.trigger("starter", (), DAY).await.unwrap();
    let outcome = host.wait(&run).await.unwrap();
    assert_eq!(outcome.state(), RunState::Success, "{}", outcome.timeline());
    assert_eq!(outcome.node("load[1]").unwrap().output::<usize>().unwrap(), Some(4));
    let started = outcome.node("start[1]").unwrap().output::<StartedRun>().unwrap().unwrap();
    assert_eq!(started.run_id(), "by__starter__manual__2024-03-25T00:00:00Z__start[1]");
    assert_eq!(started.interval().to_string(), "2024-03-25T00:00:00Z/2024-03-26T00:00:00Z");
    let runs = host.read(|journal| journal.runs(&RunFilter::new().pipeline("vendor_file"))).await.unwrap();
    let mut params: Vec<String> = runs.iter().map(|run| run.params()["vendor"].to_string()).collect();
    params.sort();
    assert_eq!(params, ["\"\"", "\"acme\"", "\"bolt\""]);
    assert_eq!(
        outcome.node("fails").unwrap().error(),
        Some(
            "it waits for run by__starter__manual__2024-03-25T00:00:00Z__of_nobody of `vendor_file`, which has failed: `load`: no vendor"
        )
    );
    host.shutdown().await.unwrap();
}

#[task]
async fn nothing_new() -> Result<u64> {
    Err(TaskError::skip("nothing new"))
}

#[pipeline(schedule = "@daily")]
fn quiet() {
    nothing_new();
}

#[pipeline(schedule = "@daily")]
fn of_quiet() {
    publish(run_of(quiet).output::<nothing_new>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_an_output_that_was_skipped_is_skipped() {
    let host = Host::builder([quiet(), of_quiet()]).temporary_journal().start().await.unwrap();
    let other = host.trigger("quiet", (), DAY).await.unwrap();
    assert_eq!(host.wait(&other).await.unwrap().state(), RunState::Success);
    let run = host.trigger("of_quiet", (), DAY).await.unwrap();
    let outcome = host.wait(&run).await.unwrap();
    let state = |node: &str| outcome.node(node).unwrap().state();
    assert_eq!(
        (outcome.state(), state("nothing_new"), state("publish")),
        (RunState::Success, NodeState::Skipped, NodeState::Skipped),
        "{}",
        outcome.timeline()
    );
    host.shutdown().await.unwrap();
}
