//! What runs lose to those who look at them: a backfill of short runs, with a process beside it that shows the page.

use super::client::Client;
use super::server::Server;
use crate::history::command;
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use std::path::Path;
use std::time::{Duration, Instant};

/// The last of 2,880 runs.
const TO: &str = "2024-01-02T23:59";
const RUNS: f64 = 2_880.0;
const ROUNDS: usize = 7;
/// What pages listen to; each of a browser's tabs has one stream.
/// A process may often have no more than 1,024 files open, of which the page's connections are a quarter.
const FILES: u64 = 8_192;
const STREAMS: [(&str, usize); 4] = [("no page", 0), ("1 page", 1), ("100 pages", 100), ("1,000 pages", 1_000)];

pub(super) fn table() -> Table {
    more_files();
    let mut table = Table::new(
        "A backfill of 2,880 two-node runs while pages of another process look at it",
        ["", "runs a second", "× no page", "CPU of the page's process, % of a core"],
    );
    let mut measured: Vec<Vec<(f64, f64)>> = vec![Vec::new(); STREAMS.len()];
    for round in 0..=ROUNDS {
        for ((_, streams), measured) in STREAMS.iter().zip(&mut measured) {
            let took = once(*streams);
            if round > 0 {
                measured.push(took);
            }
        }
    }
    let none: Vec<f64> = measured[0].iter().map(|(seconds, _)| *seconds).collect();
    for ((name, _), of) in STREAMS.iter().zip(&measured) {
        let rate = Spread::of(of.iter().map(|(seconds, _)| RUNS / seconds));
        let ratio = Spread::of(of.iter().zip(&none).map(|((seconds, _), none)| none / seconds));
        let cpu = Spread::of(of.iter().map(|(seconds, cpu)| 100.0 * cpu / seconds));
        table.row([(*name).to_owned(), rate.text(0), ratio.text(2), cpu.text(1)]);
    }
    table
}

/// Lets this process, and those that it starts, have enough files open.
fn more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(FILES, |most| most.min(FILES)).max(limit.current.unwrap_or(FILES));
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit }).expect("it is within its bounds");
}

/// How long the backfill takes in seconds, and how long the page's process was on a processor meanwhile.
fn once(streams: usize) -> (f64, f64) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(place).expect("the target folder can be written");
    // The journal has to be there before the page.
    backfill(folder.path(), "2024-01-01T00:00");
    let server = Server::start(folder.path(), &["dashboard", "--listen", ":0"]);
    // Nobody reads what comes: it is less than a socket holds, and whoever reads takes time from the runs.
    let _pages: Vec<_> = (0..streams).map(|_| Client::listen(&server.address, "/api/v1/events?topic=overview")).collect();
    let (before, begun) = (server.cpu(), Instant::now());
    backfill(folder.path(), TO);
    let (took, cpu): (Duration, Duration) = (begun.elapsed(), server.cpu().saturating_sub(before));
    (took.as_secs_f64(), cpu.as_secs_f64())
}

fn backfill(folder: &Path, to: &str) {
    let args = ["backfill", "minutely", "--from", "2024-01-01", "--to", to, "--max-active-runs", "1000", "--log", "warn"];
    // One run in a hundred fails, which the exit code tells.
    let status = command(folder).args(args).status().expect("it was built");
    assert!(status.code().is_some_and(|code| code < 2), "the backfill: {status}");
}
