//! How fast the dashboard answers, what it costs while nobody and while many watch, and how much it slows runs down.
//!
//! To measure a debug build, which most users have: `cargo build -p pipeline-bench && cargo run -p pipeline-bench -- dashboard`.

mod beside;
mod client;
mod going_on;
mod idle;
mod server;

use client::Client;
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use server::Server;
use std::path::Path;

use crate::history::{FEW, MANY, command, filled};

/// Requests per figure, after one that does not count.
const REQUESTS: usize = 21;
const RUN: &str = "/api/v1/runs/minutely/backfill__2024-01-01T00:05:00Z";
const WIDE: &str = "/api/v1/runs/wide/manual__2024-05-31T00:00:00Z";

pub(crate) fn run() -> Vec<Table> {
    let (few, many) = (filled(FEW), filled(MANY));
    // Each is printed as soon as it is measured: the last takes minutes.
    let tables: [&dyn Fn() -> Table; 5] = [
        &|| history(few.path(), many.path()),
        &|| wide(many.path()),
        &going_on::table,
        &|| idle::table(many.path()),
        &beside::table,
    ];
    tables.iter().map(|table| table()).inspect(|table| eprintln!("{table}")).collect()
}

/// The engine's additional cost while pages watch. A group of its own, as it takes minutes.
pub(crate) fn engine() -> Vec<Table> {
    vec![beside::engine()]
}

/// A page's requests, over few runs and over many.
fn history(few: &Path, many: &Path) -> Table {
    let mut table = Table::new(
        "What a page asks for, from the request to its answer's last byte",
        ["what", "10 runs, ms", "100,000 runs, ms", "goal, ms"],
    );
    let (few, many) =
        (Server::start(few, &["dashboard", "--listen", ":0"]), Server::start(many, &["dashboard", "--listen", ":0"]));
    for (name, path, goal) in [
        ("overview", "/api/v1/overview", "20"),
        ("scatter", "/api/v1/scatter", "50"),
        ("runs", "/api/v1/runs", ""),
        ("runs that failed", "/api/v1/runs?state=failed", ""),
        ("run", RUN, ""),
        ("its nodes", &format!("{RUN}/nodes"), ""),
        ("a month of the calendar", "/api/v1/calendar/minutely?from=2024-02-01&to=2024-03-01", ""),
        ("sensors", "/api/v1/sensors", ""),
        ("pools", "/api/v1/pools", ""),
        ("system", "/api/v1/system", ""),
        ("metrics", "/metrics", ""),
    ] {
        table.row([name.to_owned(), asked(&few, path).text(1), asked(&many, path).text(1), goal.to_owned()]);
    }
    table
}

/// The requests of the page of a run with 100,000 elements.
fn wide(folder: &Path) -> Table {
    let args = ["run", "wide", "--logical-date", "2024-05-31"];
    let status = command(folder).args(args).status().expect("it was built");
    assert!(status.success(), "the wide run");
    let server = Server::start(folder, &["dashboard", "--listen", ":0"]);
    let mut client = Client::to(&server.address);
    let mut table = Table::new("What the page of a run of 100,002 nodes asks for", ["what", "ms", "goal, ms"]);
    // As the page requests it: it repeats the request until the answer is complete.
    let first = Spread::of([client.millis(&format!("{WIDE}?within=50"))]);
    table.row(["the run, when nobody has looked at it".to_owned(), first.text(1), "200".to_owned()]);
    let whole = Spread::of([client.millis(WIDE)]);
    table.row(["the rest of it".to_owned(), whole.text(1), String::new()]);
    for (name, path, goal) in [
        ("the run again", WIDE.to_owned(), ""),
        ("its first rows", format!("{WIDE}/nodes?count=100"), ""),
        ("100 rows in the middle of its elements", format!("{WIDE}/nodes?open=*&from=50000&count=100"), "16"),
        ("its graph", format!("{WIDE}/graph"), ""),
    ] {
        table.row([name.to_owned(), asked(&server, &path).text(1), goal.to_owned()]);
    }
    // Another record each time, like a user who drags back and forth. The server closes an idle connection, so this is a new one.
    let mut client = Client::to(&server.address);
    let records: Vec<usize> = (0..REQUESTS).map(|n| 1_000 + (n * 79_193) % 298_000).collect();
    let mut scrub = |name: &str, query: &str| {
        let took = records.iter().map(|record| client.millis(&format!("{WIDE}{query}record={record}")));
        table.row([name.to_owned(), Spread::of(took).text(1), "100".to_owned()]);
    };
    scrub("its first rows as of some other record", "/nodes?count=100&");
    scrub("the run as of some other record", "?");
    table
}

fn asked(server: &Server, path: &str) -> Spread {
    let mut client = Client::to(&server.address);
    client.millis(path);
    Spread::of((0..REQUESTS).map(|_| client.millis(path)))
}
