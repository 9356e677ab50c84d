//! The pipelines of the journals in this folder: code of older versions started their runs, and `golden.rs` resumes them.
//!
//! Whatever a run in a journal depends on must not change: the ids of pipelines and nodes, their inputs, and their types.

use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use std::path::Path;
use std::process::ExitCode;

/// Writes the node, its run and its attempt.
fn effect(ctx: &Context) -> Result<()> {
    note(&format!("{} {} {}", ctx.node(), ctx.run_id(), ctx.attempt()))
}

/// Writes the line at once, as bodies run concurrently.
fn note(line: &str) -> Result<()> {
    use std::io::Write as _;
    let mut effects = std::fs::OpenOptions::new().append(true).create(true).open("effects")?;
    Ok(effects.write_all(format!("{line}\n").as_bytes())?)
}

#[task]
async fn names(ctx: Context) -> Result<Vec<String>> {
    effect(&ctx)?;
    Ok(vec!["a".into(), "b".into()])
}

#[task(retries = 1, retry_delay = "10ms")]
async fn upload(ctx: Context, name: String) -> Result<u64> {
    effect(&ctx)?;
    if name == "b" && ctx.attempt() == 1 { Err("503".into()) } else { Ok(3) }
}

#[task]
async fn total(ctx: Context, sizes: Vec<u64>) -> Result<u64> {
    effect(&ctx)?;
    Ok(sizes.iter().sum())
}

/// Fails while a file requests it.
async fn tell(notification: Notification) -> Result<()> {
    if Path::new("quiet").exists() {
        return Err("no answer".into());
    }
    note(&format!("told {}", notification.run_id()))
}

/// Ends, and tells somebody.
#[pipeline(on_success = tell)]
fn ended() {
    total(names().each(upload));
}

#[sensor(poke = "10m", timeout = "30d")]
async fn arrival(key: String) -> Result<Poke<String>> {
    Ok(if Path::new(&key).exists() { Poke::Ready(key) } else { Poke::NotYet })
}

#[task(retries = 1, retry_delay = "10m")]
async fn delicate(ctx: Context) -> Result<u64> {
    effect(&ctx)?;
    if ctx.attempt() == 1 { Err("503".into()) } else { Ok(1) }
}

/// Hangs while a file requests it.
#[task]
async fn hangs(ctx: Context, n: u64) -> Result<u64> {
    effect(&ctx)?;
    if Path::new("hang").exists() {
        std::future::pending::<()>().await;
    }
    Ok(n)
}

#[task]
async fn publish(ctx: Context, key: String, one: u64, all: u64) -> Result<String> {
    effect(&ctx)?;
    Ok(format!("{key}: {one} and {all}"))
}

/// Is cut off between two pokes, before a retry and in a body. One run at a time.
#[pipeline(max_active_runs = 1)]
fn unfinished() {
    publish(arrival("late.json"), delicate(), hangs(total(names().each(upload))));
}

fn main() -> ExitCode {
    Cli::new([ended(), unfinished()]).speed(600).main()
}
