//! How much slower runs are while somebody watches: a backfill of short runs, beside a process that serves the page.

use super::client::Client;
use super::server::Server;
use crate::history::command;
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use std::path::Path;
use std::time::{Duration, Instant};

/// The logical date of the last of 2,880 runs.
const TO: &str = "2024-01-02T23:59";
const RUNS: f64 = 2_880.0;
const ROUNDS: usize = 7;
/// For the table that has only two rows.
const ROUNDS_OF_ENGINE: usize = 11;
/// Often a process may have only 1,024 open files, and the page may use a quarter of these for connections.
const FILES: u64 = 8_192;
/// The open pages: a name, and the number of event streams; each browser tab has one.
type Pages = (&'static str, usize);
const NONE: Pages = ("no page", 0);
const HUNDRED: Pages = ("100 pages", 100);

/// The cost of one backfill.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    /// Processor time of the backfill's own process.
    engine: f64,
    /// Processor time of the page's process meanwhile.
    page: f64,
}

type Side = fn(&Took) -> f64;

pub(super) fn table() -> Table {
    let mut table = Table::new(
        "A backfill of 2,880 two-node runs while pages of another process look at it",
        ["", "runs a second", "× no page", "its CPU, × no page", "CPU of the page's process, % of a core"],
    );
    let pages = [NONE, ("1 page", 1), HUNDRED, ("1,000 pages", 1_000)];
    for ((name, _), of) in pages.iter().zip(rounds(&pages, ROUNDS)) {
        let rate = Spread::of(of.iter().map(|(took, _)| RUNS / took.wall));
        let ratio = Spread::of(of.iter().map(|(took, none)| none.wall / took.wall));
        let engine = Spread::of(of.iter().map(|(took, none)| took.engine / none.engine));
        let page = Spread::of(of.iter().map(|(took, _)| 100.0 * took.page / took.wall));
        table.row([(*name).to_owned(), rate.text(0), ratio.text(2), engine.text(3), page.text(1)]);
    }
    table
}

/// The engine's cost per run without a page and with a hundred, in processor time, which other load changes little.
pub(super) fn engine() -> Table {
    let mut table = Table::new(
        "What a run takes of the process that runs it, while 100 pages of another process look at it",
        ["", "CPU, µs a run", "× no page", "on the wall, µs a run", "× no page"],
    );
    let pages = [NONE, HUNDRED];
    for ((name, _), of) in pages.iter().zip(rounds(&pages, ROUNDS_OF_ENGINE)) {
        let micros = |side: Side| Spread::of(of.iter().map(|(took, _)| side(took) * 1e6 / RUNS)).text(0);
        let ratio = |side: Side| Spread::of(of.iter().map(|(took, none)| side(took) / side(none))).text(3);
        let (cpu, wall): (Side, Side) = (|took| took.engine, |took| took.wall);
        table.row([(*name).to_owned(), micros(cpu), ratio(cpu), micros(wall), ratio(wall)]);
    }
    table
}

/// The kinds alternate, after one round that does not count. Each is returned with the first kind's cost in the same round.
fn rounds<const N: usize>(pages: &[Pages; N], rounds: usize) -> [Vec<(Took, Took)>; N] {
    more_files();
    let mut measured = [(); N].map(|()| Vec::new());
    for round in 0..=rounds {
        let took = pages.map(|(_, streams)| once(streams));
        if round > 0 {
            for (measured, of) in measured.iter_mut().zip(took) {
                measured.push((of, took[0]));
            }
        }
    }
    measured
}

/// Raises the limit of open files for this process and its children.
fn more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(FILES, |most| most.min(FILES)).max(limit.current.unwrap_or(FILES));
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit }).expect("it is within its bounds");
}

fn once(streams: usize) -> Took {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(place).expect("the target folder can be written");
    // The journal must exist before the page starts.
    backfill(folder.path(), "2024-01-01T00:00");
    let server = Server::start(folder.path(), &["dashboard", "--listen", ":0"]);
    // The clients do not read: the events fit into a socket's buffer, and reading would take time from the runs.
    let _pages: Vec<_> = (0..streams).map(|_| Client::listen(&server.address, "/api/v1/events?topic=overview")).collect();
    let (page, engine, begun) = (server.cpu(), of_ended(), Instant::now());
    backfill(folder.path(), TO);
    let wall = begun.elapsed().as_secs_f64();
    let since = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64();
    Took { wall, engine: since(of_ended(), engine), page: since(server.cpu(), page) }
}

/// The processor time of this process's children that have ended, as `getrusage` reports it.
fn of_ended() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    // After the name, which may contain anything: numbers 14 and 15, in hundredths of a second on every current Linux.
    let numbers = stat.rsplit_once(')').map_or("", |(_, numbers)| numbers).split_whitespace().skip(13).take(2);
    Duration::from_millis(numbers.filter_map(|number| number.parse::<u64>().ok()).sum::<u64>() * 10)
}

fn backfill(folder: &Path, to: &str) {
    let args = ["backfill", "minutely", "--from", "2024-01-01", "--to", to, "--max-active-runs", "1000", "--log", "warn"];
    // One run in a hundred fails, so the exit code is 1.
    let status = command(folder).args(args).status().expect("it was built");
    assert!(status.code().is_some_and(|code| code < 2), "the backfill: {status}");
}
