//! Pipelines to be measured; `tests/airflow/beside.py` has them as Python tasks.

use chrono::{DateTime, TimeDelta, Utc};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// The size of a measured run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Size {
    /// The number of elements.
    n: u64,
    /// How long each element waits.
    seconds: u32,
    /// The file to which each element writes a line when it starts and another when it ends; if empty, nothing is written.
    ledger: String,
}

impl Default for Size {
    fn default() -> Self {
        Self { n: 100, seconds: 0, ledger: String::new() }
    }
}

#[task]
async fn numbers(n: u64) -> Result<Vec<u64>> {
    Ok((0..n).collect())
}

#[task]
async fn next(n: u64) -> Result<u64> {
    Ok(n + 1)
}

/// Ten tasks in a chain.
#[pipeline]
pub(crate) fn chain() {
    let first = next(0).named("step_1");
    (2..=10).fold(first, |before, step| next(before).named(format!("step_{step}")));
}

/// Elements that do nothing.
#[pipeline]
pub(crate) fn fan(size: Size) {
    numbers(size.n).each(|n| next(n).named("element"));
}

#[task(retries = 2, retry_delay = "1s")]
async fn counted(n: u64, seconds: u32, ledger: String) -> Result<u64> {
    let write = |what: &str| -> Result<()> {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&ledger)?;
        file.write_all(format!("{what} {n}\n").as_bytes())?;
        Ok(())
    };
    write("begun")?;
    tokio::time::sleep(std::time::Duration::from_secs(seconds.into())).await;
    write("ended")?;
    Ok(n)
}

#[task]
async fn all_of_them(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}

/// Elements that are counted in the ledger, and their sum.
#[pipeline]
pub(crate) fn ledger(size: Size) {
    all_of_them(numbers(size.n).each(|n| counted(n, size.seconds, size.ledger.clone()))).named("sum");
}

#[sensor(mode = "poke", poke = "1s", timeout = "10m")]
async fn late(ctx: Context, seconds: u32) -> Result<Poke<u64>> {
    let begun: DateTime<Utc> = ctx.recall()?.unwrap_or_else(Utc::now);
    ctx.remember(&begun)?;
    let is_over = Utc::now() - begun >= TimeDelta::seconds(seconds.into());
    Ok(if is_over { Poke::Ready(1) } else { Poke::NotYet })
}

/// Eight sensors that wait at the same time.
#[pipeline]
pub(crate) fn waiting(size: Size) {
    for sensor in 1..=8 {
        late(size.seconds).named(format!("sensor_{sensor}"));
    }
}
