//! Tests that time limits are enforced while the disk stalls during a command.

use super::super::{Command, Request, RequestMode};
use super::tests::Process;
use super::*;
use crate::engine::{Entry, Observe, Record, Run};
use crate::journal::stage::{self, Stage};
use crate::prelude::*;
use crate::time::Calendar;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, LazyLock, Mutex};

/// Longer than any step of the test takes.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Works,
    /// The next commit will stall.
    IsToStall,
    Stalls,
}

static DISK: Mutex<Disk> = Mutex::new(Disk::Works);
static CHANGED: Condvar = Condvar::new();

fn set(disk: Disk) {
    *DISK.lock().unwrap() = disk;
    CHANGED.notify_all();
}

/// Returns whether the disk reached that state in time.
fn comes_to(wanted: Disk) -> bool {
    let (disk, _) = CHANGED.wait_timeout_while(DISK.lock().unwrap(), DEADLINE, |disk| *disk != wanted).unwrap();
    *disk == wanted
}

fn reached(stage: Stage) {
    let mut disk = DISK.lock().unwrap();
    if stage == Stage::Written && *disk == Disk::IsToStall {
        *disk = Disk::Stalls;
        CHANGED.notify_all();
        drop(CHANGED.wait_while(disk, |disk| *disk == Disk::Stalls).unwrap());
    }
}

static BEGUN: LazyLock<tokio::sync::Semaphore> = LazyLock::new(|| tokio::sync::Semaphore::new(0));

// One second is longer than the inbox's poll interval, so that the disk stalls first.
#[task(timeout = "1s")]
async fn hangs() -> Result<()> {
    BEGUN.add_permits(1);
    std::future::pending().await
}

#[pipeline]
fn limited() {
    hangs();
}

#[task]
async fn one() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn requested() {
    one();
}

/// Reports failed attempts: only the one with a time limit fails.
#[derive(Debug)]
struct Limits(Mutex<Sender<()>>);

impl Observe for Limits {
    fn record(&self, _: RunIx, _: &Run, entry: &Entry) {
        if matches!(entry.record, Record::Failed { .. }) {
            // The receiver may be gone.
            let _ = self.0.lock().unwrap().send(());
        }
    }

    fn resumed(&self, _: RunIx, _: &Run, _: &[Entry]) {}
}

#[test]
fn an_attempt_ends_at_its_time_limit_while_dispatch_waits_for_the_disk() {
    stage::watch(reached);
    let (tell, limits) = channel();
    let process = Process::observed(Calendar::wall(), Arc::new(Limits(Mutex::new(tell))));
    let pipelines = [limited(), requested()];
    let mut dispatch = process.dispatch_for(&pipelines, ServiceOptions::default());
    let request = Request { pipeline: limited(), params: serde_json::Value::Null, logical_date: None, mode: RequestMode::Resume };
    let prepared = process.host().prepare(request).unwrap();
    let inbox = process.host().journal.as_ref().unwrap().inbox().unwrap();
    let trigger = Command::Trigger { pipeline: "requested".into(), logical_date: None, params: serde_json::Value::Null };
    let (stalled, ended_in_time, tally) = std::thread::scope(|threads| {
        dispatch.start(prepared).unwrap();
        let runs = threads.spawn(|| dispatch.run().unwrap());
        let begun = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(BEGUN.acquire()).is_ok();
        set(Disk::IsToStall);
        inbox.post(&serde_json::to_string(&trigger).unwrap(), None, Clock::system().now()).unwrap();
        let stalled = begun && comes_to(Disk::Stalls);
        let in_time = limits.recv_timeout(DEADLINE).is_ok();
        // Before the assertions: the process ends only then.
        set(Disk::Works);
        let (_, tally) = runs.join().unwrap();
        (stalled, in_time, tally)
    });
    assert!(stalled, "the disk stalls");
    assert!(ended_in_time, "the attempt ends while the disk stalls");
    assert_eq!(tally, Tally { success: 1, failed: 1, ..Tally::default() });
}
