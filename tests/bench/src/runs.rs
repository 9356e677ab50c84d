//! From the end of a run to the start of the task behind the `run_of` that waits for it, while very many others wait.

use crate::table::Table;
use pipeline_runtime::chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Host, HostError, RunRef};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

const WAITING: usize = 10_000;
const ENDS: usize = 300;

#[task]
async fn extract() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "* * * * *")]
fn base() {
    extract();
}

#[task]
async fn publish() -> Result<()> {
    Ok(())
}

/// Waits for the run of its own minute.
#[pipeline(schedule = "* * * * *", max_active_runs = 20000)]
fn report() {
    publish().after(run_of(base));
}

pub(crate) fn run() -> Vec<Table> {
    vec![table()]
}

fn table() -> Table {
    let title = format!(
        "From the end of a run to the start of the task that waits for it, with {WAITING} runs that wait for others, of {ENDS} ends one after the other"
    );
    let mut table = Table::new(title, ["journal", "median ms", "p99 ms", "greatest ms"]);
    for (journal, folder) in [("in memory", PathBuf::from("/dev/shm")), ("one file, synced", std::env::temp_dir())] {
        if !folder.is_dir() {
            continue;
        }
        let folder = folder.join(format!("pipeline-bench-runs-{}", std::process::id()));
        if let Err(error) = std::fs::create_dir_all(&folder) {
            panic!("cannot create a folder: {error}");
        }
        let mut took = match Runtime::new().map(|runtime| runtime.block_on(measure(&folder.join("journal.db")))) {
            Ok(Ok(took)) => took,
            Ok(Err(error)) => panic!("{error}"),
            Err(error) => panic!("cannot start a runtime: {error}"),
        };
        took.sort_unstable();
        let ms = |at: usize| format!("{:.2}", took[at.min(took.len() - 1)].as_secs_f64() * 1e3);
        table.row([journal.to_owned(), ms(took.len() / 2), ms(took.len() * 99 / 100), ms(took.len() - 1)]);
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            panic!("`{}` cannot be removed: {error}", folder.display());
        }
    }
    table
}

async fn measure(journal: &Path) -> Result<Vec<Duration>, HostError> {
    let host = Host::builder([base(), report()]).journal(journal).start().await?;
    let mut waiting: Vec<RunRef> = Vec::with_capacity(WAITING);
    for n in 0..WAITING {
        waiting.push(host.trigger("report", (), Some(&minute(n))).await?);
    }
    let mut took = Vec::with_capacity(ENDS);
    for (n, waits) in waiting.iter().enumerate().step_by(WAITING / ENDS).take(ENDS) {
        let ended = host.wait(&host.trigger("base", (), Some(&minute(n))).await?).await?;
        let went_on = host.wait(waits).await?;
        let times = ended.summary().finished().zip(went_on.node("publish").and_then(|node| node.started()));
        took.extend(times.map(|(ended, went_on)| (went_on - ended).to_std().unwrap_or_default()));
    }
    // Runs that still wait are cut off.
    drop(host);
    Ok(took)
}

fn minute(n: usize) -> String {
    let start = DateTime::<Utc>::from_timestamp(1_704_067_200, 0).unwrap_or_default();
    let minutes = TimeDelta::minutes(i64::try_from(n).unwrap_or_default());
    (start + minutes).to_rfc3339_opts(SecondsFormat::Secs, true)
}
