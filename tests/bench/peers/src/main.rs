//! How fast it is beside dagx, operese-dagx and dagrs, in memory; they alternate in one run with the plain program and with this
//! engine:
//!
//! `cargo run --release --manifest-path tests/bench/peers/Cargo.toml`
//!
//! It prints a table and writes it to `target/bench/peers.md`. BENCHMARKS.md says how to read it.

mod dagrs;
mod dagx;
mod operese;

use pipeline_bench::memory::bodies::Body;
use pipeline_bench::memory::shape::{Kind, Shape};
use pipeline_bench::memory::{RUNS, WORKERS, ours, plain};
use pipeline_bench::rounds::{Contender, Standing, alternate};
use pipeline_bench::stopwatch::Took;
use pipeline_bench::table::{self, Table};
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};

/// How a peer runs a graph once that was wired before.
type Once = fn(&Shape) -> Took;

const PEERS: [(&str, Once); 4] = [
    ("dagx 0.3.1", dagx::once),
    ("operese-dagx 0.4.1, spawning", operese::spawning),
    ("operese-dagx 0.4.1, on one thread", operese::on_one_thread),
    ("dagrs 0.9.0", dagrs::once),
];

fn main() -> ExitCode {
    let mut table = Table::new(
        "In memory, no-op bodies, beside peers",
        ["shape", "engine", "ns a node", "× this", "CPU ns a node", "× this, CPU"],
    );
    for kind in [Kind::Chain(10_000), Kind::Fan(10_000), Kind::Layered(100, 100)] {
        let shape = Shape::from(kind);
        // This engine comes first: each ratio is relative to the first contender.
        let mut contenders = vec![ours::contender(&shape, Body::Noop), plain::contender(&shape, Body::Noop)];
        let shape = &shape;
        contenders.extend(PEERS.map(|(name, once)| Contender::new(name, move || (0..RUNS).map(|_| once(shape)).sum::<Took>())));
        for Standing { name, nanos, ratio, cpu, cpu_ratio } in alternate(RUNS * shape.nodes(), contenders) {
            table.row([kind.to_string(), name.to_owned(), nanos.text(0), ratio.text(1), cpu.text(0), cpu_ratio.text(1)]);
        }
    }
    if table::publish("peers", &[table]) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The runtime of every peer, with the same number of threads.
fn runtime() -> Runtime {
    match Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("cannot start threads: {error}"),
    }
}
