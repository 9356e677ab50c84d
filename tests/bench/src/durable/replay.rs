//! Rebuilding a run from a million records, beside reading the same rows with `SQLite` alone.

use super::{WORKERS, first, folder, plan, step};
use crate::rounds::{Contender, alternate};
use crate::table::Table;
use pipeline_runtime::__measure::{Live, Replayed};
use pipeline_runtime::prelude::*;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};

/// Two records each.
const NODES: usize = 500_000;

/// Ends with its process only.
#[task]
async fn never(n: u64) -> Result<u64> {
    std::future::pending::<()>().await;
    Ok(n)
}

/// A run of it stays unfinished, and another process resumes it.
#[pipeline]
fn unfinished() {
    let from = first();
    for _ in 1..NODES {
        step(from);
    }
    never(from);
}

pub(crate) fn run() -> Vec<Table> {
    let (folder, plan) = (folder(), plan(&unfinished()));
    let journal = folder.path().join("journal.db");
    let live = Live::durable(&journal, WORKERS).expect("it opens");
    live.start(&plan).all_end_but(1);
    drop(live);
    let records = Replayed::read(&journal, &plan).expect("it is unfinished").records();
    assert!(records >= 2 * NODES, "{records} records");

    let rebuild = || {
        let begun = Instant::now();
        let replayed = Replayed::read(&journal, &plan).expect("it is unfinished");
        let took = begun.elapsed();
        // Not counted: a process that resumes a run does not drop it.
        drop(replayed);
        took
    };
    let contenders = vec![
        Contender::new("reading the rows with SQLite alone", || rows(&journal, records)),
        Contender::new("rebuilding the run", rebuild),
    ];
    let mut table = Table::new(
        "A run with a million records, read as by a process that resumes it",
        ["what", "ms", "ns a record", "× SQLite alone"],
    );
    for standing in alternate(records, contenders) {
        #[expect(clippy::cast_precision_loss, reason = "figures of a table")]
        let millis = standing.nanos.median * records as f64 / 1e6;
        table.row([standing.name.to_owned(), format!("{millis:.0}"), standing.nanos.text(0), standing.ratio.text(2)]);
    }
    vec![table]
}

/// Reads every column of every row.
fn rows(journal: &Path, records: usize) -> Duration {
    let begun = Instant::now();
    let connection = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it is there");
    let select = "SELECT at, kind, slot, number, time, text, body, seq FROM records WHERE run = 1 ORDER BY seq";
    let mut statement = connection.prepare(select).expect("it is SQL");
    let (mut rows, mut count) = (statement.query([]).expect("it has no parameters"), 0);
    while let Some(row) = rows.next().expect("it is sound") {
        for column in 0..8 {
            std::hint::black_box(row.get_ref(column).expect("there are eight"));
        }
        count += 1;
    }
    assert_eq!(count, records, "the same rows");
    begun.elapsed()
}
