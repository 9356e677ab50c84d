//! Runs with a journal, fully synced, beside one-row and large commits of the same `SQLite` in the same folder.

mod floor;
mod replay;

pub(crate) use replay::run as replay;

use crate::rounds::{Contender, Standing, alternate};
use crate::stats::Spread;
use crate::table::Table;
use pipeline_runtime::__measure::Live;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Plan, RunState};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WORKERS: usize = 2;
const CHAIN: usize = 100;
const RUNS: usize = 1_000;
/// One-row commits in a turn.
const COMMITS: usize = 100;
const WIDE: usize = 10_000;

#[task]
async fn first() -> Result<u64> {
    Ok(1)
}

#[task]
async fn step(n: u64) -> Result<u64> {
    Ok(n + 1)
}

#[pipeline]
fn chain() {
    let mut last = first();
    for _ in 1..CHAIN {
        last = step(last);
    }
}

#[pipeline]
fn single() {
    first();
}

#[pipeline]
fn wide() {
    let from = first();
    for _ in 1..WIDE {
        step(from);
    }
}

#[task]
async fn all(numbers: Vec<u64>) -> Result<u64> {
    Ok(numbers.iter().sum())
}

/// The same number of nodes; the last takes the outputs of all but the first.
#[pipeline]
fn fan_in() {
    let from = first();
    let steps: Vec<_> = (2..WIDE).map(|_| step(from)).collect();
    all(steps);
}

pub(crate) fn run() -> Vec<Table> {
    vec![rates(), file()]
}

/// A folder on the target folder's disk: a temporary one may be in memory, where nothing is synced.
fn folder() -> TempDir {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    tempfile::tempdir_in(place).expect("the target folder can be written")
}

fn plan(pipeline: &Pipeline) -> Arc<Plan> {
    Arc::new(pipeline.plan(&serde_json::Value::Null).expect("it is sound"))
}

fn rates() -> Table {
    let mut table = Table::new(
        "Durable, fully synced: rows, nodes or runs, beside one-row commits of the same SQLite",
        ["what", "a second", "× one-row commits"],
    );
    let (rows, ours, many, fan) = (folder(), folder(), folder(), folder());
    let commits = Contender::new("one-row commits", floor::alone(&rows.path().join("alone.db"), COMMITS));
    let batches = Contender::new("rows, 1,000 to a commit", {
        let mut once = floor::together(&rows.path().join("together.db"), WIDE, 1_000);
        move || share(once(), WIDE)
    });
    let chain = kept(&ours, &chain(), CHAIN);
    let wide = kept(&fan, &fan_in(), WIDE);
    let single = plan(&single());
    let live = Live::durable(&many.path().join("journal.db"), WORKERS).expect("it opens");
    let at_once = move || {
        let begun = Instant::now();
        let runs: Vec<_> = (0..RUNS).map(|_| live.start(&single)).collect();
        assert!(runs.iter().all(|run| run.ended() == RunState::Success));
        share(begun.elapsed(), RUNS)
    };
    let contenders = vec![
        commits,
        batches,
        Contender::new("a chain of 100 no-op steps: nodes", chain),
        Contender::new("1,000 concurrent one-step runs: runs", at_once),
        Contender::new("fan 1 → 10,000 → 1: nodes", wide),
    ];
    for Standing { name, nanos, ratio, .. } in alternate(COMMITS, contenders) {
        table.row([name.to_owned(), inverse(nanos, 1e9).text(0), inverse(ratio, 1.0).text(2)]);
    }
    table
}

/// Runs a pipeline with that many nodes, with a journal of its own.
fn kept(folder: &TempDir, pipeline: &Pipeline, nodes: usize) -> impl FnMut() -> Duration + use<> {
    let plan = plan(pipeline);
    let live = Live::durable(&folder.path().join("journal.db"), WORKERS).expect("it opens");
    move || {
        let begun = Instant::now();
        assert_eq!(live.run(&plan), RunState::Success);
        share(begun.elapsed(), nodes)
    }
}

/// The time for as many units as a turn has one-row commits.
fn share(took: Duration, of: usize) -> Duration {
    took * u32::try_from(COMMITS).expect("few") / u32::try_from(of).expect("few")
}

/// Converts times to rates.
fn inverse(of: Spread, units: f64) -> Spread {
    Spread { median: units / of.median, least: units / of.greatest, greatest: units / of.least }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn file() -> Table {
    let mut table = Table::new("The file, after it was closed", ["what", "nodes", "bytes", "bytes a node"]);
    for (name, pipeline, runs, nodes) in
        [("one run of 10,000 nodes that pass a u64", wide(), 1, WIDE), ("1,000 runs of one node", single(), RUNS, RUNS)]
    {
        let (folder, plan) = (folder(), plan(&pipeline));
        let path = folder.path().join("journal.db");
        let live = Live::durable(&path, WORKERS).expect("it opens");
        let begun: Vec<_> = (0..runs).map(|_| live.start(&plan)).collect();
        assert!(begun.iter().all(|run| run.ended() == RunState::Success));
        drop(begun);
        drop(live);
        let bytes = std::fs::metadata(&path).expect("it is there").len();
        table.row([name.to_owned(), nodes.to_string(), bytes.to_string(), format!("{:.0}", bytes as f64 / nodes as f64)]);
    }
    table
}
