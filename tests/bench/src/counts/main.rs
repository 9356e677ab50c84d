//! Counts that do not depend on the machine and its load: a node's allocations, bytes, instructions, records and commits, and a
//! sensor's bytes and pokes.
//!
//! `counts` prints them; `counts check` compares them with `recorded.txt`, and fails if one is more than a tenth above;
//! `counts record` writes them to that file; `counts profile` shows where the instructions of a run are. Instructions are counted by
//! valgrind, of `counts run|plan|shape SHAPE NODES`; without valgrind they are neither printed nor checked, and nothing is
//! recorded.

mod allocations;
mod events;
mod instructions;
mod profile;
mod recorded;
mod sensors;

use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_bench::memory::shape::{Kind, Shape};
use pipeline_runtime::__measure::Live;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SHAPES: [&str; 3] = ["chain", "fan", "layered"];

/// One count: its shape, its subject, and its value per node.
#[derive(Debug, Clone, PartialEq)]
struct Count {
    shape: String,
    of: String,
    a_node: f64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {
            for count in counts() {
                println!("{}", recorded::line(&count));
            }
            ExitCode::SUCCESS
        }
        ["check"] => recorded::check(&counts()),
        ["record"] => recorded::record(&counts()),
        ["profile"] => profile::print(),
        ["memory", shape, nodes] => allocations::print(shape, nodes.parse().unwrap_or(1_000)),
        ["run", shape, nodes] => {
            run(kind(shape, nodes.parse().unwrap_or(1_000)));
            ExitCode::SUCCESS
        }
        ["shape", shape, nodes] => {
            drop(shaped(kind(shape, nodes.parse().unwrap_or(1_000))));
            ExitCode::SUCCESS
        }
        ["plan", shape, nodes] => {
            drop(ours::plan(&shaped(kind(shape, nodes.parse().unwrap_or(1_000))), Body::Noop));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: counts [check | record | profile | memory|run|plan|shape chain|fan|layered NODES]");
            ExitCode::from(2)
        }
    }
}

fn counts() -> Vec<Count> {
    let of = |shape: &&str| allocations::counts(shape).into_iter().chain(instructions::counts(shape));
    let sensors = [sensors::SHAPE, sensors::WITH_HISTORY].into_iter().flat_map(allocations::counts);
    SHAPES.iter().flat_map(of).chain(events::counts()).chain(sensors).collect()
}

fn kind(shape: &str, nodes: u32) -> Kind {
    match shape {
        "fan" => Kind::Fan(nodes),
        "layered" => Kind::Layered(nodes / 100, 100),
        _ => Kind::Chain(nodes),
    }
}

/// With one worker, so that every call counts the same.
fn live() -> Live {
    match Live::in_memory(1) {
        Ok(live) => live,
        Err(error) => panic!("cannot start threads: {error}"),
    }
}

fn shaped(kind: Kind) -> Arc<Shape> {
    Arc::new(kind.into())
}

fn run(kind: Kind) {
    let plan = Arc::new(ours::plan(&shaped(kind), Body::Noop));
    live().start(&plan).ended();
}
