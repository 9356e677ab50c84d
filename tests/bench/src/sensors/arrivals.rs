//! From the arrival of a file to the start of the task behind the sensor that waits for it, on `file://`.

use crate::table::Table;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const ARRIVALS: usize = 200;

/// When each task behind a sensor started, in order.
static STARTED: LazyLock<watch::Sender<Vec<Instant>>> = LazyLock::new(|| watch::Sender::new(Vec::new()));
/// When each file arrived, in order. The time is taken just before the arrival, as the run may have ended just after.
static ARRIVED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
/// The number of pokes.
static POKES: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// The next tick is far away, so an earlier poke is due to a change.
#[sensor(poke = "10m", timeout = "1h")]
async fn export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    let found = bucket.head(&key).await?;
    POKES.send_modify(|pokes| *pokes += 1);
    Ok(found.into())
}

#[task]
async fn process(export: Object) -> Result<u64> {
    STARTED.send_modify(|started| started.push(Instant::now()));
    Ok(export.size)
}

#[derive(Default, Serialize, Deserialize)]
struct Options {
    url: String,
}

#[pipeline]
fn arrivals(options: Options) -> Result<()> {
    let bucket = Bucket::open(&options.url)?;
    for n in 0..ARRIVALS {
        process(export(&bucket, format!("raw/{n}.json")));
    }
    Ok(())
}

/// # Panics
///
/// If a folder cannot be created or a run cannot be started.
pub(super) fn table() -> Table {
    let mut table = Table::new(
        format!("From a file's arrival to the start of its task on `file://`, of {ARRIVALS} arrivals one after the other"),
        ["journal", "the file is", "median ms", "greatest ms"],
    );
    for journal in [false, true] {
        for renamed in [false, true] {
            let mut took = measure(journal, renamed);
            took.sort_unstable();
            let ms = |took: Duration| format!("{:.2}", took.as_secs_f64() * 1e3);
            let how = if renamed { "renamed in" } else { "written and closed" };
            let journal = if journal { "one file, synced" } else { "none" };
            table.row([journal.to_owned(), how.to_owned(), ms(took[took.len() / 2]), ms(took[took.len() - 1])]);
        }
    }
    table
}

fn measure(journal: bool, renamed: bool) -> Vec<Duration> {
    let folder = std::env::temp_dir().join(format!("pipeline-bench-{}-{journal}-{renamed}", std::process::id()));
    let bucket = folder.join("bucket");
    if let Err(error) = std::fs::create_dir_all(bucket.join("raw")) {
        panic!("cannot create a folder: {error}");
    }
    STARTED.send_modify(Vec::clear);
    POKES.send_modify(|pokes| *pokes = 0);
    arrived().clear();
    let raw = bucket.join("raw");
    let mut runner = Runner::new()
        .pipeline(arrivals(), Options { url: format!("file://{}", bucket.display()) })
        .progress(Progress::Silent)
        .beside(move |_| arrive(raw, renamed));
    if journal {
        runner = runner.journal(folder.join("journal.db"));
    }
    let finished = runner.run();
    if let Err(error) = finished {
        panic!("{error}");
    }
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        panic!("`{}` cannot be removed: {error}", folder.display());
    }
    STARTED.borrow().iter().zip(&*arrived()).map(|(started, arrived)| *started - *arrived).collect()
}

fn arrived() -> MutexGuard<'static, Vec<Instant>> {
    ARRIVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the files, each once the task of the previous one has started.
async fn arrive(raw: PathBuf, renamed: bool) {
    // Neither sender is ever dropped, so waiting cannot fail.
    let _ = POKES.subscribe().wait_for(|pokes| *pokes == ARRIVALS).await;
    for n in 0..ARRIVALS {
        if let Err(error) = put(&raw, n, renamed) {
            panic!("the file cannot be written: {error}");
        }
        let _ = STARTED.subscribe().wait_for(|started| started.len() > n).await;
    }
}

fn put(raw: &Path, n: usize, renamed: bool) -> std::io::Result<()> {
    let (staged, file) = (raw.with_file_name("staged"), raw.join(format!("{n}.json")));
    if renamed {
        std::fs::write(&staged, "{}")?;
        arrived().push(Instant::now());
        return std::fs::rename(staged, file);
    }
    let mut file = std::fs::File::create(file)?;
    file.write_all(b"{}")?;
    arrived().push(Instant::now());
    drop(file);
    Ok(())
}
