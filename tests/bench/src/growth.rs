//! Whether a node costs the same among a thousand as among a million: its share of building the plan, and of running it.

use pipeline_bench::memory::WORKERS;
use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_bench::memory::shape::{Kind, Shape};
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use pipeline_runtime::__measure::Live;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A plan has at most a million.
const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Rounds of the largest; smaller ones have more.
const ROUNDS: u32 = 3;
const MOST_ROUNDS: u32 = 31;

pub(crate) fn run() -> Vec<Table> {
    let mut table = Table::new(
        "Growth: ns a node, no-op bodies, by two workers",
        ["shape", "nodes", "building the plan", "× of the smallest", "running it", "× of the smallest"],
    );
    // Of so many nodes at most, their last included.
    let shapes: [fn(u32) -> Kind; 3] = [Kind::Chain, |nodes| Kind::Fan(nodes - 2), |nodes| Kind::Layered(nodes / 100 - 1, 100)];
    for kind in shapes {
        let mut smallest = None;
        for nodes in SIZES {
            let rounds = (ROUNDS * SIZES[SIZES.len() - 1] / nodes).min(MOST_ROUNDS);
            let (build, run) = measure(kind(nodes), rounds);
            let (first_build, first_run) = *smallest.get_or_insert((build.median, run.median));
            let beside = |now: Spread, first: f64| format!("{:.2}", now.median / first);
            table.row([
                kind(nodes).to_string(),
                nodes.to_string(),
                build.text(0),
                beside(build, first_build),
                run.text(0),
                beside(run, first_run),
            ]);
        }
    }
    vec![table]
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn measure(kind: Kind, rounds: u32) -> (Spread, Spread) {
    let nodes = Shape::from(kind).nodes() as f64;
    // One more, which does not count.
    let took: Vec<(Duration, Duration)> = (0..=rounds).map(|_| once(kind)).skip(1).collect();
    let a_node = |took: Duration| took.as_nanos() as f64 / nodes;
    (Spread::of(took.iter().map(|(build, _)| a_node(*build))), Spread::of(took.iter().map(|(_, run)| a_node(*run))))
}

fn once(kind: Kind) -> (Duration, Duration) {
    let shape = Arc::new(Shape::from(kind));
    let begun = Instant::now();
    let plan = Arc::new(ours::plan(&shape, Body::Noop));
    let build = begun.elapsed();
    let Ok(live) = Live::in_memory(WORKERS) else { panic!("no threads to be had") };
    let begun = Instant::now();
    let run = live.start(&plan);
    let state = run.ended();
    let took = begun.elapsed();
    assert_eq!((state, run.output::<u64>("last")), (pipeline_runtime::RunState::Success, Some(shape.expected())));
    (build, took)
}
