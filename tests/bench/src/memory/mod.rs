//! Runs in memory, of tasks that pass a `u64`, beside a plain program that spawns one tokio task a node.

pub mod bodies;
pub mod ours;
mod plain;
pub mod shape;

use crate::rounds::{Standing, alternate};
use crate::table::Table;
use bodies::Body;
use shape::Shape;

/// Threads for bodies, in every contender that has threads.
pub const WORKERS: usize = 2;

/// The group's tables.
pub fn run() -> Vec<Table> {
    let bodies = [(Body::Noop, "no-op bodies"), (Body::Work, "1 µs of work"), (Body::Yields, "one `yield_now`")];
    bodies.into_iter().map(|(body, title)| speed(body, title)).collect()
}

fn speed(body: Body, title: &str) -> Table {
    let mut table = Table::new(
        format!("In memory, {title}: a node beside a plain program that spawns a tokio task for it"),
        ["shape", "engine", "ns a node", "× plain"],
    );
    for shape in [Shape::chain(10_000), Shape::fan(10_000), Shape::layered(100, 100)] {
        let standings = alternate(shape.nodes(), vec![plain::contender(&shape, body), ours::contender(&shape, body)]);
        for Standing { name, nanos, ratio } in standings {
            table.row([shape.name(), name.to_owned(), nanos.text(0), ratio.text(2)]);
        }
    }
    table
}
