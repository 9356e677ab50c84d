//! Counts that do not depend on the machine.
//!
//! `counts` prints allocations and bytes a node; `counts run SHAPE NODES` runs one shape once, for callgrind, and `counts plan ..`
//! only builds its plan.

use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_bench::memory::shape::{Kind, Shape};
use pipeline_runtime::__measure::Live;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One worker, so that the same happens each time.
const WORKERS: usize = 1;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {
            ["chain", "fan", "layered"].into_iter().for_each(allocations);
            ExitCode::SUCCESS
        }
        ["run", shape, nodes] => {
            run(shape_of(shape, nodes.parse().unwrap_or(1_000)));
            ExitCode::SUCCESS
        }
        ["plan", shape, nodes] => {
            drop(ours::plan(shape_of(shape, nodes.parse().unwrap_or(1_000)), Body::Noop));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: counts [run|plan chain|fan|layered NODES]");
            ExitCode::from(2)
        }
    }
}

fn shape_of(name: &str, nodes: u32) -> Kind {
    match name {
        "fan" => Kind::Fan(nodes),
        "layered" => Kind::Layered(nodes / 100, 100),
        _ => Kind::Chain(nodes),
    }
}

fn run(shape: Kind) {
    let plan = Arc::new(ours::plan(shape, Body::Noop));
    let Ok(live) = Live::in_memory(WORKERS) else { panic!("no threads to be had") };
    live.start(&plan).ended();
}

/// What a node costs between two sizes of a shape: so what a run costs as such does not count.
#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn allocations(name: &str) {
    let measure = |nodes: u32| {
        let shape = shape_of(name, nodes);
        let Ok(live) = Live::in_memory(WORKERS) else { panic!("no threads to be had") };
        let region = Region::new(COUNTED);
        let plan = Arc::new(ours::plan(shape, Body::Noop));
        let built = region.change();
        live.start(&plan).ended();
        let ran = region.change();
        let live_bytes = ran.bytes_allocated as f64 - ran.bytes_deallocated as f64;
        let plan_bytes = built.bytes_allocated as f64 - built.bytes_deallocated as f64;
        [
            Shape::from(shape).nodes() as f64,
            (ran.allocations - built.allocations) as f64,
            (ran.reallocations - built.reallocations) as f64,
            plan_bytes,
            live_bytes - plan_bytes,
            live_bytes,
        ]
    };
    let (few, many) = (measure(10_000), measure(110_000));
    let nodes = many[0] - few[0];
    let per_node: Vec<f64> = many.iter().zip(&few).skip(1).map(|(many, few)| (many - few) / nodes).collect();
    println!(
        "{name}: allocations {:.3}, reallocations {:.4}, bytes of the plan {:.0}, bytes of the run {:.0}, bytes {:.0}",
        per_node[0], per_node[1], per_node[2], per_node[3], per_node[4]
    );
}
