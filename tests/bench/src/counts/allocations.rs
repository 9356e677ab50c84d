//! Allocations, and the bytes held when a run has ended or while a million sensors wait.
//!
//! Each is counted in a process of its own, `counts memory SHAPE NODES`: what an earlier engine frees while it shuts down must
//! not count.

use crate::{COUNTED, Count, kind, live, sensors, shaped};
use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use pipeline_runtime::__measure::Live;
use serde::{Deserialize, Serialize};
use stats_alloc::{Region, Stats};
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// Two sizes; their difference leaves out a run's fixed cost.
const SIZES: [u32; 2] = [10_000, 110_000];

#[derive(Serialize, Deserialize)]
struct Measured {
    nodes: usize,
    /// Allocations of the run alone, without the plan's.
    allocations: usize,
    plan_bytes: usize,
    run_bytes: usize,
}

pub(crate) fn counts(shape: &str) -> Vec<Count> {
    let [few, many] = SIZES.map(|nodes| in_a_process(shape, nodes));
    #[expect(clippy::cast_precision_loss, reason = "figures of a table")]
    let count = |of: &str, side: fn(&Measured) -> usize| {
        let a_node = (side(&many) as f64 - side(&few) as f64) / (many.nodes - few.nodes) as f64;
        Count { shape: shape.to_owned(), of: of.to_owned(), a_node }
    };
    if shape == sensors::SHAPE {
        return vec![count("bytes of one that waits", |of| of.plan_bytes + of.run_bytes)];
    }
    if shape == sensors::WITH_HISTORY {
        let count = count("bytes of one that waits, with its history", |of| of.plan_bytes + of.run_bytes);
        return vec![Count { shape: sensors::SHAPE.to_owned(), ..count }];
    }
    vec![
        count("allocations of a run", |of| of.allocations),
        count("bytes of a plan", |of| of.plan_bytes),
        count("bytes of a run", |of| of.run_bytes),
    ]
}

fn in_a_process(shape: &str, nodes: u32) -> Measured {
    let this = std::env::current_exe().expect("this process has a binary");
    let output = Command::new(this).args(["memory", shape, &nodes.to_string()]).output().expect("it can be started");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("`counts memory {shape} {nodes}` came to nothing: {error}"))
}

/// The child process's part: it prints its measurements.
pub(crate) fn print(shape: &str, nodes: u32) -> ExitCode {
    let measured = match shape {
        sensors::SHAPE => waiting(&live(), nodes),
        sensors::WITH_HISTORY => waiting(&Live::with_history(1).expect("threads can be started"), nodes),
        _ => ended(shape, nodes),
    };
    println!("{}", serde_json::to_string(&measured).unwrap_or_default());
    ExitCode::SUCCESS
}

fn ended(shape: &str, nodes: u32) -> Measured {
    let (live, shape) = (live(), shaped(kind(shape, nodes)));
    let region = Region::new(COUNTED);
    let plan = Arc::new(ours::plan(&shape, Body::Noop));
    let built = region.change();
    live.start(&plan).ended();
    of(shape.nodes(), &built, &region.change())
}

fn waiting(live: &Live, sensors: u32) -> Measured {
    let region = Region::new(COUNTED);
    let plan = Arc::new(sensors::plan(sensors));
    let built = region.change();
    live.start(&plan).all_wait();
    of(sensors as usize, &built, &region.change())
}

fn of(nodes: usize, built: &Stats, ran: &Stats) -> Measured {
    let held = |stats: &Stats| stats.bytes_allocated.saturating_sub(stats.bytes_deallocated);
    Measured {
        nodes,
        allocations: (ran.allocations + ran.reallocations) - (built.allocations + built.reallocations),
        plan_bytes: held(built),
        run_bytes: held(ran).saturating_sub(held(built)),
    }
}
