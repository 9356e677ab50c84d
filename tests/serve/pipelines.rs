//! A binary whose minutes take a tenth of a second: the tests of `serve` start it, stop it and send it commands.

use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

#[task]
async fn tick(day: String) -> Result<String> {
    Ok(day)
}

/// Runs every minute.
#[pipeline(schedule = "* * * * *", catchup = true, max_active_runs = 2)]
fn minutely() {
    // If a test has made this a named pipe, reading blocks until the test has written.
    let _ = std::fs::read("hold");
    tick(template!("{{ ts }}"));
}

/// The file to wait for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Options {
    key: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { key: "late.json".into() }
    }
}

#[sensor(timeout = "30d", poke = "1m", poke_timeout = "10d")]
async fn arrival(key: String) -> Result<Poke<String>> {
    Ok(if Path::new(&key).exists() { Poke::Ready(key) } else { Poke::NotYet })
}

#[task]
async fn load(key: Option<String>) -> Result<bool> {
    Ok(key.is_some())
}

/// Waits for a file.
#[pipeline(max_active_runs = 1)]
fn waiting(options: Options) {
    load(arrival(options.key));
}

#[task]
async fn patient(day: String) -> Result<String> {
    tracing::info!(day, "waits for go");
    while !Path::new("go").exists() {
        others_first().await;
    }
    Ok(day)
}

/// Yields to other bodies, in a loop of a body that runs until a file exists.
async fn others_first() {
    let mut went = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut went, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Has a body that runs until a test lets it end.
#[pipeline]
fn busy() {
    tick(patient(template!("{{ ds }}")));
}

async fn nobody(_: Notification) -> Result<()> {
    Err("there is nobody".into())
}

#[task(on_success = nobody)]
async fn quick() -> Result<()> {
    Ok(())
}

/// Has a callback that always fails.
#[pipeline]
fn unheard() {
    quick();
}

#[task]
async fn delicate(day: String) -> Result<String> {
    while Path::new("hang").exists() {
        others_first().await;
    }
    if day == "2024-03-03" && !Path::new("mended").exists() { Err(TaskError::fatal("503")) } else { Ok(day) }
}

/// Fails for one day until it is mended.
#[pipeline(schedule = "@daily", start = "2024-03-01", end = "2024-03-10")]
fn daily() {
    delicate(template!("{{ ds }}"));
}

/// The same, and its days wait for each other.
#[pipeline(schedule = "@daily", start = "2024-03-01", end = "2024-03-10", depends_on_past = true)]
fn ordered() {
    delicate(template!("{{ ds }}"));
}

#[task(depends_on_past = true)]
async fn stored(day: String) -> Result<()> {
    let mut notes = std::fs::OpenOptions::new().append(true).create(true).open("notes")?;
    notes.write_all(format!("{day}\n").as_bytes())?;
    if day == "2024-03-03" && Path::new("broken").exists() { Err(TaskError::fatal("503")) } else { Ok(()) }
}

/// Its days run concurrently, and one task of each waits for the same task of the day before.
#[pipeline(schedule = "@daily", start = "2024-03-01", end = "2024-03-10")]
fn overlapping() {
    stored(template!("{{ ds }}"));
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Region {
    name: String,
    retries: u32,
}

#[task]
async fn note(line: String) -> Result<()> {
    let mut notes = std::fs::OpenOptions::new().append(true).create(true).open("notes")?;
    // In one write, as bodies run concurrently.
    Ok(notes.write_all(format!("{line}\n").as_bytes())?)
}

/// Notes its params.
#[pipeline(schedule = "@daily", start = "2024-03-01", end = "2024-03-10", max_active_runs = 1)]
fn regional(_: Region) {
    note(template!("{{ ds }} {{ params.name }} {{ params.retries }}"));
}

fn main() -> ExitCode {
    Cli::new([minutely(), waiting(), busy(), daily(), ordered(), overlapping(), regional(), unheard()]).speed(600).main()
}
