//! A binary with everything that a page shows: a wait, a mapping, a retry, a failure, and texts that a browser could interpret.

use chrono::{DateTime, Utc};
use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::ExitCode;

/// Text that a page must show but never interpret.
const HOSTILE: &str = "<img src=x onerror=alert(1)></script>\u{1b}[2J\u{202e}";

/// How much is loaded, and whether it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Options {
    parts: u8,
    fails: bool,
    label: String,
    limit: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { parts: 3, fails: false, label: "plain".to_owned(), limit: None }
    }
}

/// Lists the parts.
#[task]
async fn parts(count: u8) -> Result<Vec<u8>> {
    Ok((0..count).collect())
}

/// Uploads one part.
#[task]
async fn upload(part: u8) -> Result<u8> {
    tracing::info!("part {part}");
    Ok(part)
}

/// Fails if the params request it.
#[task(retries = 1, retry_delay = "1ms")]
async fn publish(fails: bool, uploaded: Vec<u8>) -> Result<String> {
    tracing::info!("{HOSTILE}");
    if fails { Err(format!("503 {HOSTILE}").into()) } else { Ok(format!("{HOSTILE} {}", uploaded.len())) }
}

/// Loads parts and publishes them.
#[pipeline(schedule = "@daily", start = "2026-01-01", tags = ["shown"])]
fn parted(options: Options) {
    let parts = parts(options.parts);
    publish(options.fails, parts.each(upload));
}

#[sensor(timeout = "30d", poke = "1h")]
async fn arrival(key: String) -> Result<Poke<String>> {
    Ok(if Path::new(&key).exists() { Poke::Ready(key) } else { Poke::NotYet })
}

#[task]
async fn load(key: String) -> Result<String> {
    Ok(key)
}

/// Waits for a file.
#[pipeline]
fn waiting() {
    load(arrival("late.json"));
}

/// Keys that a page must show but never interpret.
#[task]
async fn feeds() -> Result<Vec<String>> {
    Ok(vec!["<b onclick=alert(1)>".to_owned(), "a<!--b".to_owned(), "a\"b'c&amp;`d`".to_owned(), "plain".to_owned()])
}

#[task]
async fn read(feed: String) -> Result<String> {
    Ok(format!("{HOSTILE} {feed}"))
}

/// Maps over names that strangers chose: <script>alert(1)</script>
#[pipeline(tags = ["<i>tag</i>"])]
fn keyed() {
    feeds().keyed(String::clone).each(read);
}

/// Allows one active run, which waits.
#[pipeline(
    schedule = "@daily",
    timezone = "Europe/Berlin",
    start = "2026-01-01",
    end = "2026-01-04",
    catchup = true,
    max_active_runs = 1
)]
fn limited() {
    load(arrival("late.json"));
}

#[sensor(timeout = "1h", poke = "30m")]
async fn slow_arrival(key: String) -> Result<Poke<String>> {
    Ok(if Path::new(&key).exists() { Poke::Ready(key) } else { Poke::NotYet })
}

#[task(sla = "1ms")]
async fn hurry(key: String) -> Result<String> {
    Ok(key)
}

/// Misses the SLA of a node at once, and its own after two seconds.
#[pipeline(sla = "2s")]
fn late() {
    hurry(slow_arrival("late.json"));
}

/// A file and its time of modification.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Filed {
    path: String,
    last_modified: DateTime<Utc>,
}

#[sensor(timeout = "30d", poke = "100ms")]
async fn file(path: String) -> Result<Poke<Filed>> {
    let Ok(found) = Path::new(&path).metadata() else { return Ok(Poke::NotYet) };
    Ok(Poke::Ready(Filed { path, last_modified: found.modified()?.into() }))
}

/// Waits for a file that has a time of modification.
#[pipeline]
fn filed() {
    file("filed.json");
}

/// Its first run fails, so no further run starts.
#[pipeline(schedule = "@daily", start = "2026-01-01", end = "2026-01-04", catchup = true, depends_on_past = true)]
fn careful() {
    publish(true, parts(1u8).each(upload));
}

fn main() -> ExitCode {
    let mut pipelines = vec![parted(), waiting(), keyed()];
    // Their schedules start runs, which would disturb the other tests.
    if std::env::var_os("DASHBOARD_LIMITS").is_some() {
        pipelines.extend([limited(), careful(), late(), filed()]);
    }
    Cli::new(pipelines).main()
}
