//! Tests that set the wall clock while a sensor waits: its timeout is neither shortened nor lengthened. They run on virtual time,
//! in real runs five hundred times as fast, and across two processes.

use super::{Progress, Runner};
use crate::journal::SqliteJournal;
use crate::prelude::*;
use crate::time::set;
use crate::{NodeState, RunReport, Simulation};
use chrono::TimeDelta;
use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const SPEED: u32 = 500;
const TIMEOUT: Duration = Duration::from_mins(20);
/// At 0, 4, 8, 12, 16 and 20 minutes; fewer if the machine is slow.
const MOST_POKES: usize = 6;
const HOUR: TimeDelta = TimeDelta::hours(1);

static POKES: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

// On the wall clock the poke timeout is half a second, which is longer than a busy machine delays a thread.
#[sensor(poke = "4m", poke_timeout = "4m", timeout = "20m")]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    let found = bucket.head("export.json").await?;
    POKES.send_modify(|pokes| *pokes += 1);
    Ok(found.into())
}

#[pipeline]
fn waiting() -> Result<()> {
    export(Bucket::open("memory://clock-changes")?);
    Ok(())
}

fn pokes(report: &RunReport) -> &[Duration] {
    report.node("export").poke_times()
}

#[track_caller]
fn assert_timed_out(report: &RunReport) {
    let node = report.node("export");
    assert_eq!(node.state(), NodeState::Failed, "{}", report.timeline());
    assert!(node.error().is_some_and(|error| error.starts_with("timed out")), "{:?}", node.error());
}

#[test]
fn in_a_simulation() {
    let _guard = set::exclusive();
    let report = Simulation::new(waiting())
        .at("7m", || set::forward(HOUR))
        .at("9m", || set::forward(-HOUR * 2))
        .at("17m", || set::forward(HOUR))
        .run();
    assert_timed_out(&report);
    assert_eq!(pokes(&report), [0, 4, 8, 12, 16, 20].map(Duration::from_mins));
    assert_eq!(report.node("export").finished(), Some(TIMEOUT));
}

/// Runs it while the wall clock is set by that much, soon after the first poke.
fn run_while_set(by: TimeDelta) -> (RunReport, Duration) {
    POKES.send_replace(0);
    let began = Instant::now();
    let runner = Runner::new().pipeline(waiting(), ()).speed(SPEED).progress(Progress::Silent).beside(move |_| async move {
        first_poke().await;
        set::forward(by);
    });
    let report = runner.run().unwrap().into_reports().remove(0);
    (report, began.elapsed())
}

async fn first_poke() {
    // The sender is never dropped.
    let _ = POKES.subscribe().wait_for(|pokes| *pokes > 0).await;
}

#[test]
fn in_a_real_run() {
    let _guard = set::exclusive();
    for by in [HOUR, -HOUR] {
        let (report, took) = run_while_set(by);
        assert_timed_out(&report);
        // Not shortened by a clock that is not the run's, and not lengthened beyond the pokes that fit into it.
        assert!(took >= TIMEOUT / SPEED, "{took:?}");
        assert!((2..=MOST_POKES).contains(&pokes(&report).len()), "set by {by}: {}", report.timeline());
        assert!(pokes(&report).is_sorted());
    }
}

/// Starts a run, and leaves in `folder` the journal as a process killed after the first poke would have.
fn start_and_kill(folder: &Path) {
    POKES.send_replace(0);
    let (alive, dead) = (folder.join("alive.db"), folder.join("dead.db"));
    let late = Bucket::open("memory://clock-changes").unwrap();
    let began =
        Runner::new().pipeline(waiting(), ()).speed(SPEED).progress(Progress::Silent).journal(&alive).beside(|_| async move {
            first_poke().await;
            // The second poke starts once the first is recorded.
            let _ = POKES.subscribe().wait_for(|pokes| *pokes > 1).await;
            for end in ["", "-wal"] {
                let file = |of: &Path| format!("{}{end}", of.display());
                std::fs::copy(file(&alive), file(&dead)).unwrap();
            }
            late.put("export.json", "{}").await.unwrap();
        });
    assert!(began.run().unwrap().reports()[0].state().is_end());
    let removed = async { Bucket::open("memory://clock-changes").unwrap().delete("export.json").await };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(removed).unwrap();
}

/// Resumes it under a wall clock that was set meanwhile.
fn resume(folder: &Path) -> RunReport {
    let runner = Runner::new().pipeline(waiting(), ()).speed(SPEED).progress(Progress::Silent).journal(folder.join("dead.db"));
    runner.run().unwrap().into_reports().remove(0)
}

#[test]
fn set_back_while_the_process_is_down_it_counts_as_no_time() {
    let _guard = set::exclusive();
    let folder = tempfile::tempdir().unwrap();
    start_and_kill(folder.path());
    set::forward(-HOUR);
    let report = resume(folder.path());
    assert_timed_out(&report);
    // The poke that was cut off by the death of the process is made again.
    assert!((3..=MOST_POKES + 1).contains(&pokes(&report).len()), "{}", report.timeline());
    assert!(pokes(&report).is_sorted());
}

#[test]
fn set_forward_while_the_process_is_down_it_counts_as_time_and_one_poke_is_left() {
    let _guard = set::exclusive();
    let folder = tempfile::tempdir().unwrap();
    start_and_kill(folder.path());
    set::forward(HOUR);
    let report = resume(folder.path());
    assert_timed_out(&report);
    let so_far = pokes(&report).iter().filter(|at| **at < TIMEOUT).count();
    assert_eq!(pokes(&report).len(), so_far + 1, "{}", report.timeline());
    // The hour, less the first process's startup time: its clock is that much faster than the wall clock.
    assert!(report.node("export").finished() >= Some(Duration::from_mins(50)), "{}", report.timeline());
}

#[task]
async fn at_once() -> Result<u64> {
    Ok(1)
}

#[pipeline]
fn quick() {
    at_once();
}

#[test]
fn a_journal_of_400_days_ahead_is_gone_on_with_once_it_is_repaired() {
    let _guard = set::exclusive();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.db");
    let run = || Runner::new().pipeline(quick(), ()).progress(Progress::Silent).journal(&journal).run();
    assert_eq!(run().unwrap().exit_code(), ExitCode::SUCCESS);
    // As if the clock had been ahead then.
    SqliteJournal::move_times(&journal, Duration::from_hours(400 * 24));
    let error = run().unwrap_err();
    assert!(error.to_string().contains("of `quick` has times up to "), "{error}");
    assert_eq!(error.exit_code(), ExitCode::from(2));
    assert_eq!(super::repair::run(&journal), Ok(ExitCode::SUCCESS));
    let report = run().unwrap().into_reports().remove(0);
    assert_eq!(report.state(), crate::RunState::Success);
}
