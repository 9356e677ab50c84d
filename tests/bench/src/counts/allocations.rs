//! Allocations, and the bytes that are held when a run has ended.

use crate::{COUNTED, Count, kind, live, shaped};
use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::ours;
use stats_alloc::{Region, Stats};
use std::sync::Arc;

/// Two sizes, whose difference leaves out what a run costs as such.
const SIZES: [u32; 2] = [10_000, 110_000];

struct Measured {
    nodes: usize,
    /// Of the run alone.
    allocations: usize,
    plan_bytes: usize,
    run_bytes: usize,
}

pub(crate) fn counts(shape: &str) -> Vec<Count> {
    let [few, many] = SIZES.map(|nodes| measure(shape, nodes));
    #[expect(clippy::cast_precision_loss, reason = "figures of a table")]
    let count = |of: &str, side: fn(&Measured) -> usize| {
        let a_node = (side(&many) as f64 - side(&few) as f64) / (many.nodes - few.nodes) as f64;
        Count { shape: shape.to_owned(), of: of.to_owned(), a_node }
    };
    vec![
        count("allocations of a run", |of| of.allocations),
        count("bytes of a plan", |of| of.plan_bytes),
        count("bytes of a run", |of| of.run_bytes),
    ]
}

fn measure(shape: &str, nodes: u32) -> Measured {
    let kind = kind(shape, nodes);
    let (live, shape) = (live(), shaped(kind));
    let region = Region::new(COUNTED);
    let plan = Arc::new(ours::plan(&shape, Body::Noop));
    let built = region.change();
    live.start(&plan).ended();
    let ran = region.change();
    let held = |stats: &Stats| stats.bytes_allocated.saturating_sub(stats.bytes_deallocated);
    Measured {
        nodes: shape.nodes(),
        allocations: (ran.allocations + ran.reallocations) - (built.allocations + built.reallocations),
        plan_bytes: held(&built),
        run_bytes: held(&ran).saturating_sub(held(&built)),
    }
}
