//! Requests about all active runs: 1,000 of them, each with a sensor that waits.

use super::client::Client;
use super::server::Server;
use super::{REQUESTS, asked};
use crate::history::command;
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use std::path::Path;
use std::time::{Duration, Instant};

/// The logical date of the last of 1,000 runs.
const TO: &str = "2024-01-01T16:39";
const RUNS: &str = "\"count\":1000,";
const SOON: Duration = Duration::from_mins(3);

pub(super) fn table() -> Table {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(place).expect("the target folder can be written");
    let args = ["backfill", "waiting", "--from", "2024-01-01", "--to", TO, "--max-active-runs", "1000", "--log", "warn"];
    let runs = Server::begin(command(folder.path()).args(args));
    wait_for(folder.path());
    let server = Server::start(folder.path(), &["dashboard", "--listen", ":0"]);
    let mut table = Table::new("What is asked of 1,000 runs that go on", ["what", "ms"]);
    let first = Client::to(&server.address).millis("/api/v1/sensors");
    table.row(["sensors, when nobody has looked".to_owned(), Spread::of([first]).text(1)]);
    let node = "/api/v1/runs/waiting/backfill__2024-01-01T00:05:00Z";
    for (name, path) in [
        ("sensors", "/api/v1/sensors"),
        ("pools", "/api/v1/pools"),
        ("metrics", "/metrics"),
        ("overview", "/api/v1/overview"),
        ("a run that waits", node),
        ("its nodes", &format!("{node}/nodes")),
    ] {
        table.row([format!("{name}, median of {REQUESTS}"), asked(&server, path).text(1)]);
    }
    drop(runs);
    table
}

/// Waits until all runs have started and their sensors wait.
fn wait_for(folder: &Path) {
    let begun = Instant::now();
    while !folder.join(".pipeline/journal.db").exists() {
        assert!(begun.elapsed() < SOON, "there is no journal");
        std::thread::sleep(Duration::from_millis(100));
    }
    let server = Server::start(folder, &["dashboard", "--listen", ":0"]);
    while !Client::to(&server.address).get("/api/v1/sensors").contains(RUNS) {
        assert!(begun.elapsed() < SOON, "they do not begin");
        std::thread::sleep(Duration::from_millis(500));
    }
}
