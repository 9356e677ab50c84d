//! Events per node: records, commits and pokes.

use crate::{Count, SHAPES, kind, shaped};
use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_runtime::__measure::Live;
use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) fn counts() -> Vec<Count> {
    let records = SHAPES.map(|shape| per_node(shape, "records of a run", [1_000, 11_000], |nodes| records(shape, nodes)));
    let commits = per_node("chain", "commits of a durable run", [100, 500], commits);
    let pokes = per_node("sensor", "pokes of a tick", [10, 1_010], pokes);
    records.into_iter().chain([commits, pokes]).collect()
}

/// The difference of two sizes, which leaves out fixed costs.
fn per_node(shape: &str, of: &str, sizes: [u32; 2], count: impl Fn(u32) -> u32) -> Count {
    let [few, many] = sizes.map(count);
    let a_node = f64::from(many - few) / f64::from(sizes[1] - sizes[0]);
    Count { shape: shape.to_owned(), of: of.to_owned(), a_node }
}

fn records(shape: &str, nodes: u32) -> u32 {
    let plan = Arc::new(ours::plan(&shaped(kind(shape, nodes)), Body::Noop));
    let live = Live::recorded(1).expect("threads can be started");
    let run = live.start(&plan);
    assert_eq!(run.ended(), RunState::Success);
    u32::try_from(run.records()).unwrap_or(u32::MAX)
}

/// The commits of a chain. Its nodes cannot share commits, as each is recorded before the next may start.
fn commits(nodes: u32) -> u32 {
    static COMMITS: AtomicU32 = AtomicU32::new(0);
    commits::watch(|stage| {
        COMMITS.fetch_add(u32::from(stage == Stage::Kept), Ordering::Relaxed);
    });
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let plan = Arc::new(ours::plan(&shaped(kind("chain", nodes)), Body::Noop));
    let live = Live::durable(&folder.path().join("journal.db"), 1).expect("the journal opens");
    let before = COMMITS.load(Ordering::Relaxed);
    assert_eq!(live.run(&plan), RunState::Success);
    // Everything that was submitted is durable once the engine is closed.
    drop(live);
    COMMITS.load(Ordering::Relaxed) - before
}

#[sensor(poke = "1m", timeout = "7d")]
async fn never() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[pipeline]
fn waits() {
    never();
}

/// The pokes of a sensor that waits for this many ticks and is then cancelled.
fn pokes(ticks: u32) -> u32 {
    let report = Simulation::new(waits()).cancel(&format!("{ticks}m 30s")).run();
    u32::try_from(report.node("never").pokes()).unwrap_or(u32::MAX)
}
