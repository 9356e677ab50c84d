//! A binary whose pipelines take all kinds of params, and secrets.

use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
enum Pace {
    #[default]
    Fast,
    #[serde(rename = "slow-motion")]
    Slow,
    Every(u32),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Metres(f64);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Limits {
    rows: u64,
    kilobytes: Option<u64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Common {
    owner: String,
    retries: u32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Options {
    #[serde(alias = "zone")]
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[expect(dead_code, reason = "`Debug` shows it")]
    #[serde(skip_serializing, default)]
    unwritten: u8,
    #[serde(rename = "batch-size", default)]
    batch: u64,
    share: f64,
    strict: bool,
    pace: Pace,
    tables: Vec<String>,
    day: chrono::NaiveDate,
    height: Metres,
    limits: Limits,
    by_name: BTreeMap<String, u32>,
    #[serde(flatten)]
    common: Common,
}

/// Prints its options. Aborts the process if a file requests it, so that another process resumes the run.
#[task]
async fn tell(options: Options) -> Result<()> {
    println!("{options:?}");
    if std::path::Path::new("stop").exists() {
        std::fs::remove_file("stop")?;
        std::process::abort();
    }
    Ok(())
}

/// Prints its params.
#[pipeline]
fn told(options: Options) {
    tell(options);
}

static KEY: Secret = Secret::env("PORTAL_KEY");

#[derive(Debug, Default, Serialize, Deserialize)]
struct Guarded {
    how: String,
    token: Option<Secret>,
}

/// Uses the secret in every text that it can.
#[task(retries = 1, retry_delay = "1ms")]
async fn blab(ctx: Context, how: String, key: Secret, token: Option<Secret>) -> Result<usize> {
    let key = key.expose();
    tracing::info!(key, "the key is {key:?}");
    tracing::warn!("and as a part: https://portal/?key={key}&a=1");
    if let Some(token) = &token {
        tracing::info!(token = token.expose(), "the token is {}", token.expose());
    }
    match (how.as_str(), ctx.attempt()) {
        // Not part of the body, as the body only starts it.
        ("spawn", _) => {
            let (of_task, of_thread, of_pool) = (key.to_owned(), key.to_owned(), key.to_owned());
            tokio::spawn(async move { panic!("a task knows {of_task}") }).await.unwrap_err();
            std::thread::spawn(move || panic!("a thread knows {of_thread}")).join().unwrap_err();
            tokio::task::spawn_blocking(move || panic!("the pool knows {of_pool}")).await.unwrap_err();
            panic!("and so does the body: {key}")
        }
        ("panic", _) => panic!("the portal does not know {key}"),
        ("skip", _) => Err(TaskError::skip(format!("the portal does not know {key}"))),
        ("retry", 1) | ("fail", _) => Err(format!("the portal does not know {key}").into()),
        _ => Ok(key.len()),
    }
}

#[task]
fn blab_blocking(key: Secret) -> Result<usize> {
    tracing::info!("a thread of its own knows {}", key.expose());
    Ok(key.expose().len())
}

async fn page(n: Notification) -> Result<()> {
    println!("paged: {n:?}");
    Ok(())
}

/// Uses secrets.
#[pipeline(on_failure = page)]
fn guarded(options: Guarded) {
    blab(options.how, &KEY, options.token).on_failure(page).on_retry(page).on_skipped(page);
    blab_blocking(&KEY);
}

const HOOK: Webhook = Webhook::env("PORTAL_HOOK");

/// Notifies a webhook whose address is unknown.
#[pipeline(on_failure = HOOK)]
fn hooked() {
    blab_blocking(Secret::file("no-such-file")).named("load");
}

const PORTAL_MAIL: Mail = Mail::env("PORTAL_MAIL").to(&["data@example.org"]);

/// Notifies by mail.
#[pipeline(on_failure = PORTAL_MAIL)]
fn mailed() {
    blab_blocking(Secret::default()).named("load");
}

/// Panics with a secret, the first time.
async fn scream(_: Notification) -> Result<()> {
    static HAS_SCREAMED: AtomicBool = AtomicBool::new(false);
    let key = std::env::var("PORTAL_KEY")?;
    assert!(HAS_SCREAMED.swap(true, Ordering::Relaxed), "a notifier knows {key}");
    Ok(())
}

/// Has a notifier that panics.
#[pipeline]
fn screaming() {
    blab_blocking(&KEY).on_success(scream);
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Wander {
    to: String,
    go: String,
}

/// Changes the process's folder.
#[task]
async fn wander(to: String) -> Result<()> {
    Ok(std::env::set_current_dir(to)?)
}

#[sensor(poke = "20ms", poke_timeout = "1m", timeout = "2m")]
async fn told_to_go_on(file: String) -> Result<Poke<()>> {
    Ok(if std::fs::exists(file)? { Poke::Ready(()) } else { Poke::NotYet })
}

/// Has a secret in a file, and changes the folder before it reads the file.
#[pipeline]
fn wandering(options: Wander) {
    let wandered = wander(options.to);
    let told = told_to_go_on(options.go).after(wandered);
    blab_blocking(Secret::file("key-of-the-start")).after(told).named("unlock");
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Keys {
    list: Vec<Secret>,
    by_name: BTreeMap<String, Secret>,
}

/// Takes many secrets.
#[pipeline]
fn keyed(keys: Keys) {
    tell(Options::default());
    let _ = keys.by_name;
    for key in keys.list {
        blab_blocking(key);
    }
}

/// The largest number of rows.
static LIMIT: Setting<u64> = Setting::new("limit", 500);
static FOLDER: Setting<String> = Setting::from_fn("folder", || "raw/new".to_owned());

/// Fails at the first attempt.
#[task]
async fn read_rows(ctx: Context, limit: u64, folder: String) -> Result<String> {
    tracing::info!("{limit} rows of {folder}");
    if ctx.attempt() == 1 { Err(TaskError::fatal("no rows yet")) } else { Ok(format!("{limit} rows of {folder}")) }
}

/// Takes two settings.
#[pipeline]
fn limited() {
    read_rows(&LIMIT, &FOLDER);
}

/// Exchange rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Rates {
    eur: u64,
}

static RATES: Asset<Rates> = Asset::external("rates");

#[task]
async fn count() -> Result<Vec<Rates>> {
    Ok(vec![Rates { eur: 1 }])
}

/// Counts each day.
#[pipeline(schedule = "@daily")]
fn counts() {
    count();
}

#[task]
async fn total(counted: Vec<Rates>) -> Result<u64> {
    Ok(counted.iter().map(|rates| rates.eur).sum())
}

#[task]
async fn convert(rates: Rates) -> Result<u64> {
    Ok(100 * rates.eur)
}

/// Waits for another pipeline.
#[pipeline(schedule = "@daily")]
fn totals() {
    total(run_of(counts).output::<count>());
}

/// Waits for updates from outside.
#[pipeline(when = all(RATES))]
fn converted() {
    convert(RATES.latest());
}

fn main() -> ExitCode {
    let given = [told(), guarded(), hooked(), mailed(), screaming(), wandering(), keyed(), limited()];
    pipeline_runtime::cli::main(given.into_iter().chain([counts(), totals(), converted()]))
}
