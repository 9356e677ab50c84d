//! Runs in memory, of tasks that pass a `u64`, beside a plain program that spawns one tokio task per node.

pub mod bodies;
pub mod ours;
pub mod plain;
pub mod shape;

use crate::rounds::{Standing, alternate};
use crate::table::Table;
use bodies::Body;
use shape::{Kind, Shape};

/// Threads for bodies, in every contender that has threads.
pub const WORKERS: usize = 2;
/// Runs per round: the system accounts for threads in steps of milliseconds.
pub const RUNS: usize = 5;

/// The group's tables.
pub fn run() -> Vec<Table> {
    let bodies = [(Body::Noop, "no-op bodies"), (Body::Work, "1 µs of work"), (Body::Yields, "one `yield_now`")];
    bodies.into_iter().map(|(body, title)| speed(body, title)).collect()
}

fn speed(body: Body, title: &str) -> Table {
    let mut table = Table::new(
        format!("In memory, {title}: a node beside a plain program that spawns a tokio task for it"),
        ["shape", "engine", "ns a node", "× plain", "CPU ns a node", "× plain, CPU"],
    );
    for kind in [Kind::Chain(10_000), Kind::Fan(10_000), Kind::Layered(100, 100)] {
        let shape = Shape::from(kind);
        let standings = alternate(RUNS * shape.nodes(), vec![plain::contender(&shape, body), ours::contender(&shape, body)]);
        for Standing { name, nanos, ratio, cpu, cpu_ratio } in standings {
            table.row([kind.to_string(), name.to_owned(), nanos.text(0), ratio.text(2), cpu.text(0), cpu_ratio.text(2)]);
        }
    }
    table
}
