//! A disk that stalls while very many bodies end, and a writer that panics: neither leaves a run stuck for ever.

use crate::kills::{Kill, run};
use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::RunState;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// More bodies than the writer should ever accept submissions for meanwhile.
const BODIES: usize = 20_000;

/// Closed once all bodies are running, which lets all of them end.
static GATE: Semaphore = Semaphore::const_new(0);
static BEGUN: AtomicUsize = AtomicUsize::new(0);
static IS_OPEN: AtomicBool = AtomicBool::new(false);
/// The number of bodies that have ended.
static ENDED: Mutex<usize> = Mutex::new(0);
static ALL_HAVE: Condvar = Condvar::new();

/// Stalls the writer within its first commit after the gate is open, until all bodies have ended.
fn stall(stage: Stage) {
    if stage == Stage::Written && IS_OPEN.load(Ordering::SeqCst) {
        let ended = ENDED.lock().unwrap();
        drop(ALL_HAVE.wait_while(ended, |ended| *ended < BODIES).unwrap());
    }
}

#[task]
async fn released(n: usize) -> Result<usize> {
    if BEGUN.fetch_add(1, Ordering::SeqCst) + 1 == BODIES {
        IS_OPEN.store(true, Ordering::SeqCst);
        GATE.close();
    }
    // No permit is ever given: the gate is closed instead.
    let _ = GATE.acquire().await;
    *ENDED.lock().unwrap() += 1;
    ALL_HAVE.notify_one();
    Ok(n)
}

#[task]
async fn after(n: usize) -> Result<usize> {
    Ok(n)
}

#[pipeline]
fn wide() {
    for n in 0..BODIES {
        after(released(n).named(format!("released_{n}"))).named(format!("after_{n}"));
    }
}

#[test]
fn bodies_that_end_while_the_writer_stalls_do_not_stop_it_from_going_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    commits::watch(stall);
    let (tell, ended) = channel();
    std::thread::spawn(move || {
        let runner = Runner::new().pipeline(wide(), ()).journal(journal).progress(Progress::Silent);
        let finished = runner.parallelism(u32::try_from(BODIES).unwrap()).run().unwrap();
        // The receiver may have given up.
        let _ = tell.send(finished.reports()[0].state());
    });
    let state = ended.recv_timeout(Duration::from_mins(2)).expect("the run ends");
    assert_eq!(state, RunState::Success);
}

#[test]
fn a_writer_that_panics_stops_the_engine_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &Kill::Commit("panic", 3));
    assert_eq!(ended.status.code(), Some(1), "{}", ended.said);
    let said = "cannot be written: the thread that writes it panicked (it was told to), which is a bug in this library. The engine \
                stops; what was committed is kept";
    assert!(ended.said.contains(said), "{}", ended.said);
    let ended = run(folder.path(), &Kill::Never);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.said);
}
