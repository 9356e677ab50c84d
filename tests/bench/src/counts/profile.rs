//! Where the instructions of a run go: callgrind's count of each function, summed by the functions' subjects.
//!
//! An inlined function counts as part of its caller.

use crate::{SHAPES, instructions};
use pipeline_bench::table::Table;
use std::process::{Command, ExitCode};

/// The parts, by words in a function's name or its file's. The first match counts.
const PARTS: [(&str, &[&str]); 9] = [
    (
        "the core: records applied, edges followed, pools, timers",
        &["engine::core", "engine::state", "engine::rules", "engine::execution"],
    ),
    ("records, and the journal in memory", &["engine::log", "runtime::journal"]),
    ("workers: nodes taken up, bodies polled, answers, the lock", &["engine::runtime", "runtime::engine"]),
    ("inputs and outputs of bodies", &["runtime::author", "pipeline_bench", "FnOnce::call_once"]),
    ("the plan: built, and dropped", &["runtime::plan", "core::slice::sort", "fmt::", "core::hash", "hashbrown", "core::str"]),
    ("allocations", &["malloc.c", "__rust_alloc", "__rust_dealloc"]),
    ("values dropped", &["drop_slow", "drop_in_place", "drop_glue"]),
    ("bytes copied", &["memmove", "memcpy", "memset"]),
    ("tokio, the clock, the system", &[""]),
];

/// Prints how many instructions of a node's run are in each part.
pub(crate) fn print() -> ExitCode {
    let mut table = Table::new("Instructions of a node's run, by what they are for", ["part", "chain", "fan", "layered"]);
    let Some(shapes) = SHAPES.iter().map(|shape| a_node(shape)).collect::<Option<Vec<_>>>() else {
        eprintln!("valgrind is not installed: there is no profile");
        return ExitCode::FAILURE;
    };
    let row = |name: &str, of: &dyn Fn(&[f64; PARTS.len()]) -> f64| {
        let cells = shapes.iter().map(|shape| format!("{:.0}", of(shape)));
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    for (part, (name, _)) in PARTS.iter().enumerate() {
        table.row(row(name, &|shape| shape[part]));
    }
    table.row(row("together", &|shape| shape.iter().sum()));
    print!("{table}");
    ExitCode::SUCCESS
}

/// A node's instructions in each part. The costs of building the plan and of a process are left out.
fn a_node(shape: &str) -> Option<[f64; PARTS.len()]> {
    let [few, many] = instructions::SIZES;
    let of = |nodes| Some((by_part("run", shape, nodes)?, by_part("plan", shape, nodes)?));
    let ((few_run, few_plan), (many_run, many_plan)) = (of(few)?, of(many)?);
    let of_part = |part: usize| (many_run[part] - many_plan[part]) - (few_run[part] - few_plan[part]);
    Some(std::array::from_fn(|part| of_part(part) / f64::from(many - few)))
}

fn by_part(what: &str, shape: &str, nodes: u32) -> Option<[f64; PARTS.len()]> {
    let out = tempfile::NamedTempFile::new().ok()?;
    instructions::callgrind(out.path(), what, shape, nodes)?;
    let annotated = Command::new("callgrind_annotate").arg("--threshold=100").arg(out.path()).output().ok()?;
    let mut parts = [0.0; PARTS.len()];
    for line in String::from_utf8_lossy(&annotated.stdout).lines() {
        // `12,345 ( 1.23%)  file:function [object]`
        let Some((count, function)) =
            line.trim_start().split_once(" (").and_then(|(count, rest)| Some((count, rest.split_once("%)")?.1)))
        else {
            continue;
        };
        let Ok(count) = count.replace(',', "").parse::<f64>() else { continue };
        if function.contains("PROGRAM TOTALS") {
            continue;
        }
        let part = PARTS.iter().position(|(_, names)| names.iter().any(|name| function.contains(name)))?;
        parts[part] += count;
    }
    Some(parts)
}
