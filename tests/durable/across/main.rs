//! Pipelines that wait for one another, and that start one another. `KILL` is the commit at which the process aborts.

use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{UpstreamRun, start};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes the line at once, so that the lines of a killed process are whole.
fn note(line: &str) -> Result<()> {
    let mut effects = std::fs::OpenOptions::new().append(true).create(true).open("effects")?;
    Ok(effects.write_all(format!("{line}\n").as_bytes())?)
}

#[task]
async fn extract(ctx: Context) -> Result<u64> {
    note(&format!("extract {}", ctx.run_id()))?;
    if std::fs::exists("data-bucket/fail")? {
        return Err(TaskError::fatal("no such table"));
    }
    Ok(7)
}

#[pipeline(schedule = "@daily")]
fn base() {
    extract();
}

#[task]
async fn publish(rows: u64, base: UpstreamRun) -> Result<()> {
    note(&format!("publish {rows} of {}", base.run_id()))
}

#[pipeline(schedule = "@daily")]
fn report() {
    let base = run_of(base);
    publish(base.output::<extract>(), base);
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Options {
    vendor: String,
}

#[task]
async fn load(ctx: Context, vendor: String) -> Result<u64> {
    note(&format!("load {vendor} in {}", ctx.run_id()))?;
    Ok(vendor.len() as u64)
}

#[pipeline]
fn vendor_file(options: Options) {
    load(options.vendor);
}

#[task]
async fn options() -> Result<Options> {
    Ok(Options { vendor: "acme".into() })
}

#[task]
async fn tell(letters: u64) -> Result<()> {
    note(&format!("tell {letters}"))
}

#[pipeline(schedule = "@daily")]
fn starter() {
    tell(start(vendor_file, options()).finished().output::<load>());
}

static KILLED_AT: OnceLock<u64> = OnceLock::new();

fn reached(stage: Stage) {
    static COMMITS: AtomicU64 = AtomicU64::new(0);
    // The commit is durable, but nothing has followed from it: waiting nodes have not been notified.
    if stage == Stage::Kept && KILLED_AT.get() == Some(&COMMITS.fetch_add(1, Ordering::SeqCst)) {
        std::process::abort();
    }
}

fn main() -> ExitCode {
    if let Some(at) = std::env::var("KILL").ok().and_then(|at| at.parse().ok()) {
        let _ = KILLED_AT.set(at);
        commits::watch(reached);
    }
    pipeline_runtime::cli::main([base(), report(), vendor_file(), starter()])
}
