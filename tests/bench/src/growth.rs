//! Compares a node's cost in small and large plans, from a thousand to a million nodes: its share of building the plan and of
//! running it.

use pipeline_bench::memory::WORKERS;
use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_bench::memory::shape::{Kind, Shape};
use pipeline_bench::stats::Spread;
use pipeline_bench::stopwatch::{Stopwatch, Took};
use pipeline_bench::table::Table;
use pipeline_runtime::__measure::Live;
use pipeline_runtime::{Plan, RunState};
use std::sync::Arc;
use std::time::Duration;

/// A plan may have at most a million nodes.
const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// A round has as many smaller plans as make about this many nodes.
const NODES: u32 = 100_000;
const ROUNDS: u32 = 5;

pub(crate) fn run() -> Vec<Table> {
    let mut table = Table::new(
        "Growth: ns a node, no-op bodies, by two workers",
        ["shape", "building, CPU", "× of the smallest", "running, CPU", "× of the smallest", "building", "running"],
    );
    // Shapes with at most that many nodes, the last one included.
    let shapes: [fn(u32) -> Kind; 3] = [Kind::Chain, |nodes| Kind::Fan(nodes - 2), |nodes| Kind::Layered(nodes / 100 - 1, 100)];
    for of in shapes {
        let mut smallest = None;
        for kind in SIZES.map(of) {
            let [build, run] = measure(kind);
            let (first_build, first_run) = *smallest.get_or_insert((build.cpu.median, run.cpu.median));
            table.row([
                kind.to_string(),
                build.cpu.text(0),
                format!("{:.2}", build.cpu.median / first_build),
                run.cpu.text(0),
                format!("{:.2}", run.cpu.median / first_run),
                build.wall.text(0),
                run.wall.text(0),
            ]);
        }
    }
    vec![table]
}

/// Nanoseconds per node.
struct Figures {
    cpu: Spread,
    wall: Spread,
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn measure(kind: Kind) -> [Figures; 2] {
    let shape = Arc::new(Shape::from(kind));
    let plans = (NODES as usize / shape.nodes()).max(1);
    // One more round, which does not count.
    let took: Vec<[Took; 2]> = (0..=ROUNDS).map(|_| round(&shape, plans)).skip(1).collect();
    let a_node = |took: Duration| took.as_nanos() as f64 / (plans * shape.nodes()) as f64;
    [0, 1].map(|side| Figures {
        cpu: Spread::of(took.iter().map(|took| a_node(took[side].cpu))),
        wall: Spread::of(took.iter().map(|took| a_node(took[side].wall))),
    })
}

/// Builds the plans, then runs them one after another.
fn round(shape: &Arc<Shape>, plans: usize) -> [Took; 2] {
    let watch = Stopwatch::start();
    let plans: Vec<Arc<Plan>> = (0..plans).map(|_| Arc::new(ours::plan(shape, Body::Noop))).collect();
    let built = watch.took();
    let Ok(live) = Live::in_memory(WORKERS) else { panic!("cannot start threads") };
    let watch = Stopwatch::start();
    let runs: Vec<_> = plans.iter().map(|plan| live.start(plan)).map(|run| (run.ended(), run)).collect();
    let ran = watch.took();
    for (state, run) in runs {
        assert_eq!((state, run.output::<u64>("last")), (RunState::Success, Some(shape.expected())));
    }
    [built, ran]
}
