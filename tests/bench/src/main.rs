//! How fast it is: `cargo run --release -p pipeline-bench -- [GROUP]…`, all groups without an argument.
//!
//! Each group measures one aspect of the engine and returns tables, which are printed and written to `target/bench/GROUP.md`.
//! BENCHMARKS.md explains how to read them. A new group is a folder with a `run`, and a line in [`GROUPS`].

mod dashboard;
mod durable;
mod growth;
mod history;
mod process;
mod runs;
mod sensors;

use pipeline_bench::{memory, rounds, stats, stopwatch, table};
use std::process::ExitCode;
use table::Table;

type Group = fn() -> Vec<Table>;

const GROUPS: &[(&str, Group)] = &[
    ("memory", memory::run),
    ("growth", growth::run),
    ("durable", durable::run),
    ("replay", durable::replay),
    ("sensors", sensors::run),
    ("runs", runs::run),
    ("process", process::run),
    ("history", history::run),
    ("dashboard", dashboard::run),
    ("dashboard-engine", dashboard::engine),
];

fn main() -> ExitCode {
    if sensors::is_child() {
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| GROUPS.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        eprintln!("no group `{unknown}`; there are {}", known.join(", "));
        return ExitCode::from(2);
    }
    for (name, run) in GROUPS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)) {
        if !table::publish(name, &run()) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
