//! A host notices updates as they are recorded, and starts the runs that wait for them.

use crate::gate::Gate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{RunDetails, RunFilter};
use pipeline_runtime::{Host, RunKind, RunRef, RunState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static VISITS: Asset<u64> = Asset::new("visits");
static PROCESSES: Asset<u64> = Asset::external("processes");

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Rows {
    rows: u64,
}

#[task]
async fn count(rows: u64) -> Result<u64> {
    if rows == 0 { Err(TaskError::fatal("there are none")) } else { Ok(rows) }
}

#[pipeline]
fn export(rows: Rows) {
    count(rows.rows).updates(&VISITS);
}

#[task]
async fn add(visits: u64, processes: u64) -> Result<u64> {
    Ok(visits + processes)
}

#[pipeline(when = all(VISITS, PROCESSES))]
fn model() {
    add(VISITS.latest(), PROCESSES.latest());
}

#[pipeline(when = any(VISITS, PROCESSES))]
fn either() {
    add(VISITS.latest(), PROCESSES.latest()).allow_failure();
}

#[pipeline]
fn by_hand() {
    add(VISITS.latest(), 0);
}

#[task]
async fn nothing() -> Result<()> {
    Ok(())
}

#[pipeline]
fn other() {
    nothing();
}

async fn host(journal: &Path, pipelines: impl IntoIterator<Item = Pipeline>) -> Host {
    let pipelines = pipelines.into_iter().chain([export(), other()]);
    Host::builder(pipelines).journal(journal).follow_schedules(true).start().await.unwrap()
}

async fn run(host: &Host, pipeline: &'static str, params: impl serde::Serialize) -> RunDetails {
    let run = host.trigger(pipeline, params, None).await.unwrap();
    host.wait(&run).await.unwrap()
}

async fn exported(host: &Host, rows: u64) {
    assert_eq!(run(host, "export", Rows { rows }).await.state(), RunState::Success);
}

/// The runs of a pipeline, oldest first, once there are `wanted` ones and all have ended. No sleep: each round gives the host
/// something to do.
async fn runs(host: &Host, pipeline: &'static str, wanted: usize) -> Vec<RunDetails> {
    for _ in 0..10_000 {
        run(host, "other", ()).await;
        let found = host.read(move |journal| journal.runs(&RunFilter::new().pipeline(pipeline).limit(1_000))).await.unwrap();
        assert!(found.len() <= wanted, "{pipeline} has {} runs instead of {wanted}: {found:?}", found.len());
        if found.len() == wanted {
            let mut all = Vec::new();
            for run in found.iter().rev() {
                all.push(host.wait(&RunRef::new(run.pipeline(), run.run_id())).await.unwrap());
            }
            return all;
        }
    }
    panic!("{pipeline} has not come to {wanted} runs");
}

fn sums(runs: &[RunDetails]) -> Vec<Option<u64>> {
    runs.iter().map(|run| run.node("add").unwrap().output::<u64>().unwrap()).collect()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_run_begins_once_all_are_updated_and_reads_the_newest_of_each() {
    let folder = folder();
    let host = host(&folder.path().join("journal.db"), [model()]).await;
    exported(&host, 1).await;
    exported(&host, 2).await;
    assert!(runs(&host, "model", 0).await.is_empty());
    host.update(&PROCESSES, &40).await.unwrap();
    let first = runs(&host, "model", 1).await;
    assert_eq!(sums(&first), [Some(42)]);
    assert_eq!(first[0].summary().kind(), RunKind::AssetTriggered);
    assert!(first[0].run_id().starts_with("asset_triggered__"), "{}", first[0].run_id());
    // Its interval spans those of all three updates, also of the one that was not the newest.
    let exports = runs(&host, "export", 2).await;
    let (interval, of_first) = (first[0].summary().interval(), exports[0].summary().interval());
    assert_eq!(interval.start, of_first.start);
    assert!(interval.end > exports[1].summary().interval().end, "the update from outside is the latest");
    // Both are consumed.
    exported(&host, 3).await;
    assert_eq!(runs(&host, "model", 1).await.len(), 1);
    host.update(&PROCESSES, &50).await.unwrap();
    assert_eq!(sums(&runs(&host, "model", 2).await), [Some(42), Some(53)]);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn of_any_one_is_enough_and_the_others_are_read_as_they_are() {
    let folder = folder();
    let host = host(&folder.path().join("journal.db"), [either()]).await;
    host.update(&PROCESSES, &1).await.unwrap();
    let first = runs(&host, "either", 1).await;
    let error = first[0].node("visits").unwrap().error().map(str::to_owned);
    assert_eq!(error.as_deref(), Some("the asset `visits` had no update when this run began"));
    exported(&host, 10).await;
    assert_eq!(sums(&runs(&host, "either", 2).await)[1], Some(11));
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_fails_updates_nothing_and_what_is_retried_updates_again() {
    static MENDED: AtomicBool = AtomicBool::new(false);
    #[task]
    async fn mended() -> Result<u64> {
        if MENDED.load(Ordering::SeqCst) { Ok(7) } else { Err(TaskError::fatal("broken")) }
    }
    #[pipeline]
    fn delicate() {
        mended().updates(&VISITS);
    }
    #[pipeline(when = all(VISITS))]
    fn follows() {
        add(VISITS.latest(), 0);
    }
    let folder = folder();
    let host = host(&folder.path().join("journal.db"), [delicate(), follows()]).await;
    let failed = host.trigger("delicate", (), None).await.unwrap();
    assert_eq!(host.wait(&failed).await.unwrap().state(), RunState::Failed);
    assert!(runs(&host, "follows", 0).await.is_empty());
    MENDED.store(true, Ordering::SeqCst);
    host.retry(&failed, &[], false).await.unwrap();
    assert_eq!(host.wait(&failed).await.unwrap().state(), RunState::Success);
    assert_eq!(sums(&runs(&host, "follows", 1).await), [Some(7)]);
    host.retry(&failed, &["mended"], false).await.unwrap();
    host.wait(&failed).await.unwrap();
    assert_eq!(sums(&runs(&host, "follows", 2).await), [Some(7), Some(7)]);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_paused_pipeline_collects_also_over_a_restart_and_begins_one_run() {
    let folder = folder();
    let journal = folder.path().join("journal.db");
    let first = host(&journal, [model()]).await;
    first.pause("model").await.unwrap();
    for rows in 1..4 {
        exported(&first, rows).await;
    }
    first.update(&PROCESSES, &10).await.unwrap();
    assert!(runs(&first, "model", 0).await.is_empty());
    first.shutdown().await.unwrap();
    let second = host(&journal, [model()]).await;
    exported(&second, 4).await;
    assert!(runs(&second, "model", 0).await.is_empty());
    second.unpause("model").await.unwrap();
    assert_eq!(sums(&runs(&second, "model", 1).await), [Some(14)]);
    second.shutdown().await.unwrap();
    // No update is left for a third run.
    let third = host(&journal, [model()]).await;
    assert_eq!(runs(&third, "model", 1).await.len(), 1);
    third.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_run_that_was_begun_by_hand_reads_the_newest_and_uses_up_nothing() {
    #[pipeline(when = all(VISITS))]
    fn also_by_hand() {
        add(VISITS.latest(), 0);
    }
    let folder = folder();
    let journal = folder.path().join("journal.db");
    let host = host(&journal, [by_hand(), also_by_hand()]).await;
    let none = run(&host, "by_hand", ()).await;
    assert_eq!(none.state(), RunState::Failed);
    assert_eq!(none.node("visits").unwrap().error(), Some("the asset `visits` had no update when this run began"));
    assert_eq!(none.node("visits").unwrap().attempts().len(), 1);
    host.pause("also_by_hand").await.unwrap();
    exported(&host, 5).await;
    assert_eq!(sums(&[run(&host, "by_hand", ()).await, run(&host, "also_by_hand", ()).await]), [Some(5), Some(5)]);
    host.unpause("also_by_hand").await.unwrap();
    assert_eq!(sums(&runs(&host, "also_by_hand", 2).await), [Some(5), Some(5)]);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_value_that_is_none_of_the_asset_is_refused() {
    static WRONG: Asset<String> = Asset::new("processes");
    static UNKNOWN: Asset<u64> = Asset::new("proceses");
    let host = Host::builder([model(), export()]).temporary_journal().start().await.unwrap();
    let refused = host.update(&WRONG, &"many".to_owned()).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("the value is not of type `u64`, as the asset `processes` requires: invalid type: string"),
        "{refused}"
    );
    let refused = host.update(&UNKNOWN, &1).await.unwrap_err().to_string();
    assert_eq!(refused, "the pipelines have no asset `proceses`; did you mean `processes`?");
    host.shutdown().await.unwrap();
}

static OPENED: AtomicBool = AtomicBool::new(false);

#[sensor(poke = "10ms", poke_timeout = "1m", timeout = "1h")]
async fn opened() -> Result<Poke<u64>> {
    Ok(if OPENED.load(Ordering::SeqCst) { Poke::Ready(0) } else { Poke::NotYet })
}

/// A pipeline before and after a deployment that makes it read an asset.
fn deployed(reads: bool) -> Pipeline {
    fn before() -> Pipeline {
        #[pipeline]
        fn grows() {
            opened();
        }
        grows()
    }
    #[pipeline]
    fn grows() {
        opened();
        add(VISITS.latest(), 0);
    }
    if reads { grows() } else { before() }
}

#[tokio::test]
async fn what_a_run_reads_stays_as_it_was_when_it_began_also_where_that_was_nothing() {
    let folder = folder();
    let journal = folder.path().join("journal.db");
    let first = host(&journal, [by_hand(), deployed(false)]).await;
    let none = first.trigger("by_hand", (), None).await.unwrap();
    let had_none = Some("the asset `visits` had no update when this run began");
    assert_eq!(first.wait(&none).await.unwrap().node("visits").unwrap().error(), had_none);
    let grows = first.trigger("grows", (), None).await.unwrap();
    exported(&first, 5).await;
    first.shutdown().await.unwrap();

    // An asset that the code has come to read has the value at the time of the resume.
    OPENED.store(true, Ordering::SeqCst);
    let second = host(&journal, [by_hand(), deployed(true)]).await;
    assert_eq!(sums(&[second.wait(&grows).await.unwrap()]), [Some(5)]);
    second.retry(&none, &[], false).await.unwrap();
    assert_eq!(second.wait(&none).await.unwrap().node("visits").unwrap().error(), had_none);
    exported(&second, 6).await;
    second.shutdown().await.unwrap();

    let third = host(&journal, [by_hand(), deployed(true)]).await;
    third.retry(&grows, &["visits"], true).await.unwrap();
    assert_eq!(sums(&[third.wait(&grows).await.unwrap()]), [Some(5)]);
    third.shutdown().await.unwrap();
}

static RESTARTED: Gate = Gate::new();

#[task]
async fn wait_long() -> Result<()> {
    RESTARTED.pass().await;
    Ok(())
}

#[pipeline(id = "changed")]
fn reads_visits() {
    add(VISITS.latest().named("read").after(wait_long()), 0);
}

/// The same nodes; only the asset differs.
#[pipeline(id = "changed")]
fn reads_processes() {
    add(PROCESSES.latest().named("read").after(wait_long()), 0);
}

/// A host that does not wait when it shuts down.
async fn host_at_once(journal: &Path, pipelines: [Pipeline; 2]) -> Host {
    let host = Host::builder(pipelines.into_iter().chain([export()])).journal(journal).drain(Duration::ZERO);
    host.start().await.unwrap()
}

#[tokio::test]
async fn an_asset_that_the_code_has_come_to_read_is_as_it_was_when_the_run_first_went_on() {
    let folder = folder();
    let journal = folder.path().join("journal.db");
    let first = host_at_once(&journal, [reads_visits(), model()]).await;
    let changed = first.trigger("changed", (), None).await.unwrap();
    RESTARTED.reached().await;
    first.update(&PROCESSES, &1).await.unwrap();
    first.shutdown().await.unwrap();
    let second = host_at_once(&journal, [reads_processes(), model()]).await;
    RESTARTED.reached().await;
    second.update(&PROCESSES, &2).await.unwrap();
    second.shutdown().await.unwrap();
    let third = host_at_once(&journal, [reads_processes(), model()]).await;
    RESTARTED.reached().await;
    RESTARTED.open();
    assert_eq!(sums(&[third.wait(&changed).await.unwrap()]), [Some(1)]);
    third.shutdown().await.unwrap();
}
