//! A dataset that starts as a snapshot and is then updated by changes. Each release has a volume of its own, which is deleted in
//! the end.

use pipeline_runtime::Command;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static KEY: Secret = Secret::env("DATASET_KEY");
static CLUSTER: Pool = Pool::new("cluster", 4);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Release {
    id: String,
    is_first: bool,
    changes: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum Start {
    Snapshot,
    ChangesAlone,
}

#[task]
async fn connected(key: Secret) -> Result<()> {
    if key.expose().len() < 8 { Err(TaskError::fatal("the key has been cut off")) } else { Ok(()) }
}

/// The release that has not been loaded yet. If there is none, the node is skipped.
#[task]
async fn fetch_release(ctx: Context) -> Result<Release> {
    let release: Release = Command::new("releases").run(&ctx).await?.output_json()?;
    if release.is_first || !release.changes.is_empty() { Ok(release) } else { Err(TaskError::skip("no changes")) }
}

#[task]
async fn create_dataset(ctx: Context) -> Result<()> {
    Command::new("bq").args(["mk", "--force", "dataset"]).run(&ctx).await?;
    Ok(())
}

#[task]
async fn keep_a_copy(ctx: Context, release: Release) -> Result<()> {
    if release.is_first {
        return Err(TaskError::skip("there is no table yet"));
    }
    Command::new("bq").args(["cp", "--snapshot", "main", &release.id]).run(&ctx).await?;
    Ok(())
}

#[branch]
async fn start_with(release: Release) -> Result<Start> {
    Ok(if release.is_first { Start::Snapshot } else { Start::ChangesAlone })
}

#[task]
async fn create_volume(ctx: Context, release: Release) -> Result<String> {
    Ok(Command::new("kubectl").args(["create", "volume", &release.id]).run(&ctx).await?.last_line().to_owned())
}

#[task(retries = 5)]
async fn delete_volume(ctx: Context, volume: String) -> Result<()> {
    Command::new("kubectl").args(["delete", "volume", &volume]).run(&ctx).await?;
    Ok(())
}

#[task(pool = CLUSTER, timeout = "1d")]
async fn pod(ctx: Context, step: String, volume: String, memory: u32) -> Result<()> {
    let kubectl = Command::new("kubectl").args(["run", "--rm", "--attach", &step, "--volume", &volume]);
    kubectl.arg(format!("--memory={memory}G")).run(&ctx).await?;
    Ok(())
}

/// The only step that needs the network.
#[task(pool = CLUSTER, timeout = "1d")]
async fn download(ctx: Context, what: String, volume: String, key: Secret) -> Result<()> {
    Command::new("kubectl").args(["run", "--rm", "--attach", "download", &what, &volume]).env("KEY", &key).run(&ctx).await?;
    Ok(())
}

#[task]
async fn add_release(release: Release) -> Result<usize> {
    Ok(release.changes.len())
}

#[pipeline(schedule = "@daily", start = "2021-07-02", max_active_runs = 1, depends_on_past = true, defaults(retries = 3, on_failure = CHAT))]
fn reference_data() {
    let release = fetch_release().after(connected(&KEY));
    let dataset = create_dataset().after(release);
    let copied = keep_a_copy(release).after(dataset);
    let StartArms { snapshot, changes_alone: _ } = start_with(release).after(copied.or_skipped());
    let loaded = create_volume(release).after(copied.or_skipped()).teardown(delete_volume, |volume| {
        let step = |name: &str, memory: u32| pod(name, volume, memory).named(name);
        let whole = group("snapshot", || {
            chain((
                download("snapshot", volume, &KEY),
                [step("keep", 4), step("extract", 16)],
                step("transform", 16),
                step("split", 4),
                step("load", 4),
            ));
        })
        .after(snapshot);
        group("changes", || {
            chain((download("changes", volume, &KEY), step("extract", 8), step("transform", 8), step("merge", 4)));
        })
        .after(whole.or_skipped())
    });
    add_release(release).after(loaded);
}

// ---- simulations

use super::support::*;

fn day(is_first: bool, changes: &[&str]) -> Simulation<'static> {
    let changes = changes.iter().copied().map(str::to_owned).collect();
    let simulation = Simulation::new(reference_data()).logical_date("2024-03-25").secret(&KEY, "a-key-of-theirs");
    let simulation = simulation.stub("fetch_release", Release { id: "r-7".into(), is_first, changes });
    let simulation = simulation.stub("create_volume", "v-7".to_owned());
    let programs =
        ["create_dataset", "delete_volume", "snapshot.download", "snapshot.keep", "snapshot.extract", "snapshot.transform"];
    let programs = programs.into_iter().chain(["snapshot.split", "snapshot.load", "changes.download", "changes.extract"]);
    programs.chain(["changes.transform", "changes.merge"]).fold(simulation, |simulation, id| simulation.stub(id, ()))
}

#[test]
fn the_first_release_loads_the_snapshot_and_then_its_changes() {
    let report = day(true, &["c-1"]).run();
    succeeds(&report);
    assert_eq!(
        states(&report, ["keep_a_copy", "snapshot.load", "changes.merge", "delete_volume"]),
        [Skipped, Success, Success, Success]
    );
}

#[test]
fn later_ones_load_changes_alone() {
    let report = day(false, &["c-2", "c-3"]).stub("keep_a_copy", ()).run();
    succeeds(&report);
    assert_eq!(states(&report, ["snapshot.download", "snapshot.load", "changes.merge"]), [Skipped, Skipped, Success]);
    assert_eq!(report.output("add_release"), Some(2usize));
}

#[test]
fn without_a_release_nothing_is_made_and_nothing_failed() {
    let report = Simulation::new(reference_data()).logical_date("2024-03-25").secret(&KEY, "a-key-of-theirs");
    let report = report.skip("0s", "fetch_release").run();
    succeeds(&report);
    assert_eq!(states(&report, ["create_volume", "delete_volume", "add_release"]), [Skipped; 3]);
}

#[test]
fn a_step_that_fails_deletes_the_volume_all_the_same_with_one_alert() {
    let fails = |simulation: Simulation<'static>, id: &str| {
        (1..=4).fold(simulation, |all, attempt| all.fail(id, attempt, "out of memory"))
    };
    let report = fails(day(false, &["c-2"]).stub("keep_a_copy", ()), "changes.transform").run();
    assert_eq!(
        (report.state(), states(&report, ["changes.merge", "delete_volume", "add_release"])),
        (RunState::Failed, [UpstreamFailed, Success, UpstreamFailed])
    );
    assert_eq!(callbacks(&report), ["on_failure of changes.transform"]);
}

#[test]
fn a_step_is_tried_again_before_the_volume_is_deleted() {
    let report = day(false, &["c-2"]).stub("keep_a_copy", ()).fail("changes.merge", 1, "quota").run();
    succeeds(&report);
    assert_eq!(report.node("delete_volume").started(), mins(5));
}
