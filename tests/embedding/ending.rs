//! How a host ends, and what the next host of its journal finds.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::JournalReader;
use pipeline_runtime::{Host, HostBuilder, HostError, RunState, Shutdown};
use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

fn builder(journal: &Path, pipeline: Pipeline) -> HostBuilder {
    Host::builder([pipeline]).journal(journal)
}

static DRAINED: Gate = Gate::new();

#[task]
async fn slow() -> Result<u64> {
    DRAINED.pass().await;
    Ok(7)
}

#[pipeline]
fn draining() {
    slow();
}

#[tokio::test]
async fn a_shutdown_lets_attempts_end_and_whoever_waits_for_their_runs_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let host = builder(&file, draining()).start().await.unwrap();
    let run = host.trigger("draining", (), None).await.unwrap();
    DRAINED.reached().await;
    let (ended, outcome, ()) = tokio::join!(host.shutdown(), host.wait(&run), async { DRAINED.open() });
    assert_eq!(ended.unwrap(), Shutdown::Drained);
    // `wait` may have been called before or after the shutdown began.
    match outcome {
        Ok(outcome) => assert_eq!(outcome.state(), RunState::Success),
        Err(error) => assert!(matches!(error, HostError::Ended), "{error}"),
    }
    assert_eq!(host.shutdown().await.unwrap(), Shutdown::Drained, "a second call gets the same answer");
    let journal = JournalReader::open(&file).unwrap();
    assert_eq!(journal.run(&run.to_string()).unwrap().unwrap().state(), RunState::Success);
    // The journal is free.
    builder(&file, draining()).start().await.unwrap().shutdown().await.unwrap();
}

static HEARD: Gate = Gate::new();

#[task]
async fn heard_of() -> Result<u64> {
    HEARD.pass().await;
    Ok(7)
}

#[pipeline]
fn awaited() {
    heard_of();
}

#[tokio::test]
async fn who_waited_before_the_shutdown_hears_of_the_end_that_the_drain_brought() {
    let host = Host::builder([awaited()]).temporary_journal().start().await.unwrap();
    let run = host.trigger("awaited", (), None).await.unwrap();
    HEARD.reached().await;
    let mut outcome = std::pin::pin!(host.wait(&run));
    let is_pending = poll_fn(|cx| Poll::Ready(outcome.as_mut().poll(cx).is_pending())).await;
    assert!(is_pending);
    // Calls are answered in order: once this one is answered, the other waits.
    host.pause("awaited").await.unwrap_err();
    let (ended, outcome, ()) = tokio::join!(host.shutdown(), outcome, async { HEARD.open() });
    assert_eq!(ended.unwrap(), Shutdown::Drained);
    assert_eq!(outcome.unwrap().state(), RunState::Success);
}

static CUT_OFF: Gate = Gate::new();

#[task]
async fn cut() -> Result<u64> {
    CUT_OFF.pass().await;
    Ok(7)
}

#[pipeline]
fn cut_off() {
    cut();
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off_and_the_next_host_goes_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let host = builder(&file, cut_off()).drain(Duration::ZERO).start().await.unwrap();
    let run = host.trigger("cut_off", (), None).await.unwrap();
    CUT_OFF.reached().await;
    assert_eq!(host.shutdown().await.unwrap(), Shutdown::CutOff);
    assert!(matches!(host.wait(&run).await, Err(HostError::Ended)));

    let next = builder(&file, cut_off()).start().await.unwrap();
    CUT_OFF.reached().await;
    CUT_OFF.open();
    let outcome = next.wait(&run).await.unwrap();
    assert_eq!(outcome.state(), RunState::Success);
    let attempts = outcome.node("cut").unwrap().attempts();
    assert_eq!(attempts.iter().map(pipeline_runtime::read::Attempt::is_interrupted).collect::<Vec<_>>(), [true, false]);
    next.shutdown().await.unwrap();
}

static DROPPED: Gate = Gate::new();
static GONE: Gate = Gate::new();

/// Reports that its body is dropped.
struct Leaves;

impl Drop for Leaves {
    fn drop(&mut self) {
        GONE.open();
    }
}

#[task]
async fn dropped() -> Result<u64> {
    let _leaves = Leaves;
    DROPPED.pass().await;
    Ok(7)
}

#[pipeline]
fn abandoned() {
    dropped();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_that_is_dropped_cuts_its_attempts_off_and_leaves_its_journal_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let host = builder(&file, abandoned()).start().await.unwrap();
    let run = host.trigger("abandoned", (), None).await.unwrap();
    DROPPED.reached().await;
    let other_handle = host.clone();
    drop(host);
    assert_eq!(
        other_handle.read(pipeline_runtime::read::JournalReader::paused).await.unwrap().len(),
        0,
        "another handle keeps it"
    );
    drop(other_handle);
    GONE.pass().await;
    let next = loop {
        match builder(&file, abandoned()).start().await {
            Err(HostError::Held { .. }) => std::thread::yield_now(),
            started => break started.unwrap(),
        }
    };
    DROPPED.reached().await;
    DROPPED.open();
    assert_eq!(next.wait(&run).await.unwrap().state(), RunState::Success);
    next.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_second_host_of_a_journal_is_refused_and_told_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let host = builder(&file, draining()).start().await.unwrap();
    let refused = builder(&file, draining()).start().await.unwrap_err();
    let HostError::Held { holder: Some(holder), .. } = &refused else { panic!("{refused}") };
    assert_eq!(holder.process, std::process::id());
    let said = refused.to_string();
    assert!(said.contains("is in use by this process; a journal has one holder"), "{said}");
    host.shutdown().await.unwrap();
}

#[pipeline]
fn removed() {
    slow();
}

#[tokio::test]
async fn a_run_whose_pipeline_is_gone_is_blocked_and_can_be_read_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let before = builder(&file, regional_waits()).drain(Duration::ZERO).start().await.unwrap();
    let run = before.trigger("regional_waits", (), None).await.unwrap();
    BLOCKED.reached().await;
    before.shutdown().await.unwrap();

    let host = builder(&file, removed()).start().await.unwrap();
    let blocked = host.wait(&run).await.unwrap_err();
    assert!(matches!(&blocked, HostError::Blocked { .. }), "{blocked}");
    let name = run.to_string();
    let details = host.read(move |journal| journal.details(&journal.run(&name)?.expect("it is recorded"))).await.unwrap();
    assert_eq!((details.state(), details.summary().shown_state()), (RunState::Running, "blocked"));
    assert_eq!(details.nodes().map(|node| node.id()).collect::<Vec<_>>(), ["blocks"]);
    assert!(details.plan_mismatch().unwrap().contains("no pipeline `regional_waits`"));
    host.cancel(&run).await.unwrap();
    assert_eq!(host.wait(&run).await.unwrap().state(), RunState::Cancelled);
    host.shutdown().await.unwrap();
}

static BLOCKED: Gate = Gate::new();

#[task]
async fn blocks() -> Result<u64> {
    BLOCKED.pass().await;
    Ok(7)
}

#[pipeline]
fn regional_waits() {
    blocks();
}

/// The command line handles SIGINT, SIGTERM and SIGXFSZ; in an embedded engine these belong to the program.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_signal_handler_is_installed() {
    let host = Host::builder([draining()]).temporary_journal().follow_schedules(true).start().await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
    for signal in [2, 15, 25] {
        assert_eq!(caught & (1 << (signal - 1)), 0, "a handler for signal {signal} is installed");
    }
    host.shutdown().await.unwrap();
}
