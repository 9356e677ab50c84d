//! A binary like any user's: its runs log, wait for each other, and their code changes between two calls.

mod changing;
mod locked;
mod torn_down;

use changing::changing;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::sync::Arc;
use torn_down::torn_down;

#[task]
async fn names() -> Result<Vec<String>> {
    tracing::info!("two names");
    Ok(vec!["a".into(), "b".into()])
}

#[task(retries = 1, retry_delay = "1ms")]
async fn upload(ctx: Context, name: String) -> Result<u64> {
    tracing::info!(bytes = 3, "uploading {name}");
    if name == "b" && ctx.attempt() == 1 {
        tracing::warn!("the other side hung up");
        return Err("503".into());
    }
    Ok(3)
}

/// Logs in each of its elements.
#[pipeline]
fn mapped() {
    names().each(upload);
}

/// A pool with one slot.
static ONE: Pool = Pool::new("one", 1);

#[sensor(mode = "poke", poke = "1s", poke_timeout = "1m", timeout = "10m", pool = ONE)]
async fn arrival(bucket: Bucket) -> Result<Poke<Object>> {
    tracing::info!("asked");
    Ok(bucket.head("late.json").await?.into())
}

#[sensor(poke = "30s", timeout = "10m")]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("export.json").await?.into())
}

#[task(pool = ONE)]
async fn alone() -> Result<()> {
    Ok(())
}

#[task]
async fn publish(arrival: Object, export: Object) -> Result<String> {
    Ok(arrival.key + &export.key)
}

#[task(retries = 2, retry_delay = "1h")]
async fn delicate() -> Result<()> {
    Err("503".into())
}

/// Waits in all possible ways, for files in the working folder.
#[pipeline]
fn crowded() -> Result<()> {
    let bucket = Bucket::open("file://./data-bucket")?;
    publish(arrival(&bucket), export(&bucket));
    alone();
    delicate();
    Ok(())
}

#[task]
async fn heavy() -> Result<String> {
    Ok("x".repeat(17 << 20))
}

/// Its output is too large to be stored.
#[pipeline]
fn large() {
    heavy();
}

#[task]
async fn link(n: u64) -> Result<String> {
    Ok(n.to_string().repeat(10_000))
}

#[task]
async fn next(text: String) -> Result<u64> {
    Ok(text.len() as u64)
}

/// Writes much, step by step.
#[pipeline]
fn writing() {
    let mut n = next("1".to_owned()).named("next_0");
    for step in 1..40 {
        n = next(link(n).named(format!("link_{step}"))).named(format!("next_{step}"));
    }
}

/// Writes the node, its key and its attempt to a file of side effects.
fn effect(ctx: &Context) -> Result<()> {
    note(&format!("{} {} {}", ctx.node(), ctx.idempotency_key(), ctx.attempt()))
}

/// Writes the line at once, as bodies run concurrently.
fn note(line: &str) -> Result<()> {
    use std::io::Write as _;
    let mut effects = std::fs::OpenOptions::new().append(true).create(true).open("effects")?;
    Ok(effects.write_all(format!("{line}\n").as_bytes())?)
}

#[task]
async fn first(ctx: Context) -> Result<u64> {
    effect(&ctx)?;
    Ok(1)
}

/// Hangs while a file requests it.
#[task]
async fn second(ctx: Context, n: u64) -> Result<u64> {
    effect(&ctx)?;
    if std::fs::exists("data-bucket/hang")? {
        println!("it hangs");
        std::future::pending::<()>().await;
    }
    Ok(n + 1)
}

#[task]
async fn third(ctx: Context, _n: u64) -> Result<()> {
    effect(&ctx)
}

/// Its destructor panics in later code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Glass(u64);

impl Drop for Glass {
    fn drop(&mut self) {
        assert!(std::env::var_os("CODE").is_none_or(|code| code != "fragile"), "it breaks");
    }
}

#[task]
async fn glass(name: String) -> Result<Glass> {
    Ok(Glass(name.len() as u64))
}

/// Fails while a file requests it.
#[task]
async fn ring(glass: Arc<Glass>) -> Result<u64> {
    if std::fs::exists("data-bucket/closed")? { Err("closed".into()) } else { Ok(glass.0) }
}

/// JSON leaves the last two characters as they are, and they are harmful to a terminal, too.
const INSULT: &str = "\u{1b}]0;owned\u{7}\n2024-03-25T00:00:00Z ERROR engine: all is lost\u{7f}\u{202e}";

#[task]
async fn insult() -> Result<()> {
    tracing::warn!("{INSULT}");
    Err(INSULT.into())
}

/// Its error would change the terminal's title, and looks like a log line of the engine.
#[pipeline]
fn rude() {
    insult();
}

/// Has outputs with a `Drop` of the user's.
#[pipeline]
fn fragile() {
    names().each(|name| ring(glass(name)));
}

/// Each of its bodies writes to the file of side effects.
#[pipeline]
fn promised() {
    third(second(first()));
}

/// The same, with one active run.
#[pipeline(max_active_runs = 1)]
fn single() {
    third(second(first()));
}

/// The tick is an hour away, so an earlier poke is due to a change.
#[sensor(poke = "1h", timeout = "1d")]
async fn rare(ctx: Context, bucket: Bucket, key: String) -> Result<Poke<String>> {
    effect(&ctx)?;
    let pokes = ctx.recall::<u32>()?.unwrap_or(0) + 1;
    ctx.remember(&pokes)?;
    Ok(bucket.find(&key).await?.first().map(|found| format!("{} after {pokes} pokes", found.key)).into())
}

#[task]
async fn both(one: String, another: String) -> Result<()> {
    note(&format!("{one}, {another}"))
}

/// Waits for a key, and for any of several.
#[pipeline]
fn patient() -> Result<()> {
    let bucket = Bucket::open("file://./data-bucket")?;
    both(rare(&bucket, "one.json").named("one"), rare(&bucket, "any/*.csv").named("any"));
    Ok(())
}

fn main() -> ExitCode {
    pipeline_runtime::cli::main([
        mapped(),
        crowded(),
        large(),
        writing(),
        changing(),
        promised(),
        single(),
        patient(),
        fragile(),
        rude(),
        torn_down(),
        locked::locked(),
        locked::locked_too(),
    ])
}
