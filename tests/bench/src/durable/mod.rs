//! Runs that are kept, fully synced, beside one-row commits of the same `SQLite` in the same folder.

use crate::rounds::{Contender, Standing, alternate};
use crate::stats::Spread;
use crate::table::Table;
use pipeline_runtime::__measure::Live;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Plan, RunState};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WORKERS: usize = 2;
const CHAIN: usize = 100;
const RUNS: usize = 1_000;
/// One-row commits in a turn.
const COMMITS: usize = 100;
const WIDE: usize = 10_000;

#[task]
async fn first() -> Result<u64> {
    Ok(1)
}

#[task]
async fn step(n: u64) -> Result<u64> {
    Ok(n + 1)
}

#[pipeline]
fn chain() {
    let mut last = first();
    for _ in 1..CHAIN {
        last = step(last);
    }
}

#[pipeline]
fn single() {
    first();
}

#[pipeline]
fn wide() {
    let from = first();
    for _ in 1..WIDE {
        step(from);
    }
}

pub(crate) fn run() -> Vec<Table> {
    vec![rates(), file(), startup()]
}

/// A folder on the disk that the target folder is on: a temporary one may be in memory, where nothing is synced.
fn folder() -> TempDir {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    tempfile::tempdir_in(place).expect("the target folder can be written")
}

fn plan(pipeline: &Pipeline) -> Arc<Plan> {
    Arc::new(pipeline.plan(&serde_json::Value::Null).expect("it is sound"))
}

fn rates() -> Table {
    let mut table = Table::new(
        "Durable, fully synced: nodes or runs beside one-row commits of the same SQLite",
        ["what", "a second", "× one-row commits"],
    );
    let (rows, ours, many) = (folder(), folder(), folder());
    let commits = Contender::new("one-row commits", one_row_commits(&rows.path().join("rows.db")));
    let (chain, single) = (plan(&chain()), plan(&single()));
    let live = Live::durable(&ours.path().join("journal.db"), WORKERS).expect("it opens");
    let in_chain = Contender::new("a chain of 100 no-op steps: nodes", || {
        let begun = Instant::now();
        assert_eq!(live.run(&chain), RunState::Success);
        begun.elapsed() * u32::try_from(COMMITS).expect("few") / u32::try_from(CHAIN).expect("few")
    });
    let others = Live::durable(&many.path().join("journal.db"), WORKERS).expect("it opens");
    let at_once = Contender::new("1,000 concurrent one-step runs: runs", || {
        let begun = Instant::now();
        let runs: Vec<_> = (0..RUNS).map(|_| others.start(&single)).collect();
        assert!(runs.iter().all(|run| run.ended() == RunState::Success));
        begun.elapsed() * u32::try_from(COMMITS).expect("few") / u32::try_from(RUNS).expect("few")
    });
    for Standing { name, nanos, ratio, .. } in alternate(COMMITS, vec![commits, in_chain, at_once]) {
        table.row([name.to_owned(), inverse(nanos, 1e9).text(0), inverse(ratio, 1.0).text(2)]);
    }
    table
}

/// Rates from times.
fn inverse(of: Spread, units: f64) -> Spread {
    Spread { median: units / of.median, least: units / of.greatest, greatest: units / of.least }
}

fn one_row_commits(path: &Path) -> impl FnMut() -> Duration + use<> {
    let connection = Connection::open(path).expect("it opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("it has one");
    connection.pragma_update(None, "synchronous", "FULL").expect("it has one");
    connection.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)").expect("it is new");
    move || {
        let begun = Instant::now();
        let mut insert = connection.prepare_cached("INSERT INTO rows (n) VALUES (?1)").expect("it is SQL");
        for n in 0..COMMITS {
            insert.execute([i64::try_from(n).expect("few")]).expect("it fits");
        }
        begun.elapsed()
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn file() -> Table {
    let mut table = Table::new("The file, after it was closed", ["what", "nodes", "bytes", "bytes a node"]);
    for (name, pipeline, runs, nodes) in
        [("one run of 10,000 nodes that pass a u64", wide(), 1, WIDE), ("1,000 runs of one node", single(), RUNS, RUNS)]
    {
        let (folder, plan) = (folder(), plan(&pipeline));
        let path = folder.path().join("journal.db");
        let live = Live::durable(&path, WORKERS).expect("it opens");
        let begun: Vec<_> = (0..runs).map(|_| live.start(&plan)).collect();
        assert!(begun.iter().all(|run| run.ended() == RunState::Success));
        drop(begun);
        drop(live);
        let bytes = std::fs::metadata(&path).expect("it is there").len();
        table.row([name.to_owned(), nodes.to_string(), bytes.to_string(), format!("{:.0}", bytes as f64 / nodes as f64)]);
    }
    table
}

fn startup() -> Table {
    let mut table = Table::new("A process that makes one durable run of one no-op task, from exec to exit", ["what", "ms"]);
    let (empty, folder) = (beside("bench-empty"), folder());
    let (path, mut n) = (folder.path().to_owned(), 0);
    let new = Contender::new("a new journal", || {
        n += 1;
        spawned(Command::new(&empty).arg(path.join(format!("{n}.db"))))
    });
    let old = Contender::new("the same journal again", || spawned(Command::new(&empty).arg(path.join("same.db"))));
    let none = Contender::new("no run: it is called without a journal", || spawned(&mut Command::new(&empty)));
    for Standing { name, nanos, .. } in alternate(1, vec![none, new, old]) {
        let millis = Spread { median: nanos.median / 1e6, least: nanos.least / 1e6, greatest: nanos.greatest / 1e6 };
        table.row([name.to_owned(), millis.text(1)]);
    }
    table
}

fn spawned(command: &mut Command) -> Duration {
    let begun = Instant::now();
    command
        .stdin(Stdio::null())
        .env("PIPELINE_LOG", "off")
        .status()
        .expect("it was built: `cargo build --release -p pipeline-bench`");
    begun.elapsed()
}

/// Another binary of this package.
fn beside(name: &str) -> PathBuf {
    std::env::current_exe().expect("it has a place").with_file_name(name)
}
