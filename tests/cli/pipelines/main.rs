//! A binary like any user's, for the tests of its command line.

use pipeline_runtime::cli::{Cli, Progress, Runner};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::time::Duration;

/// The rows to load.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Options {
    region: String,
    days: u32,
    strict: bool,
}

#[task]
async fn extract(region: String, days: u32) -> Result<Vec<u32>> {
    tracing::info!(days, "extracting {region}");
    Ok((1..=days).collect())
}

#[task(retries = 1, retry_delay = "1ms")]
async fn load(rows: Vec<u32>, strict: bool) -> Result<u32> {
    if strict {
        let cause = std::io::Error::other("row 7 has no price");
        return Err(std::io::Error::other(format!("the warehouse refused the rows: {cause}")).into());
    }
    Ok(rows.iter().sum())
}

#[task]
async fn publish(total: u32) -> Result<u32> {
    tracing::info!("published {total}");
    Ok(total)
}

#[task]
async fn notify(total: Outcome<u32>) -> Result<()> {
    match total {
        Outcome::Success(total) => tracing::info!("the total is {total}"),
        Outcome::Skipped => tracing::info!("there is no total"),
        Outcome::Failed(failure) => tracing::warn!("{} failed", failure.node()),
    }
    Ok(())
}

async fn page(n: Notification) -> Result<()> {
    tracing::info!("paged: {} of {}", n.name(), n.pipeline());
    Ok(())
}

/// Loads the day's sales.
///
/// Its params choose what is loaded.
#[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin", tags = ["sales", "daily"], on_failure = page)]
fn sales(options: Options) {
    let rows = extract(options.region, options.days);
    let total = load(rows, options.strict);
    notify(publish(total));
}

#[sensor(timeout = "10m", poke = "45s")]
async fn export(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("raw/export.json").await?.into())
}

#[task(retries = 1, retry_delay = "2m")]
async fn parse(bucket: Bucket, export: Object) -> Result<usize> {
    Ok(bucket.get(&export.key).await?.len())
}

/// Waits for a file that others write.
#[pipeline]
fn waiting() -> Result<()> {
    let bucket = Bucket::open("memory://data-bucket")?;
    let export = export(&bucket);
    parse(&bucket, export);
    Ok(())
}

#[task]
async fn delicate(total: u32) -> Result<u32> {
    if std::path::Path::new("mended").exists() { Ok(total) } else { Err(TaskError::fatal("it is not mended yet")) }
}

#[sensor(timeout = "10m", poke = "20ms", poke_timeout = "1m")]
async fn arrival(bucket: Bucket) -> Result<Poke<Object>> {
    Ok(bucket.head("late.json").await?.into())
}

/// Fails until somebody mends what it needs.
#[pipeline]
fn mendable() {
    publish(delicate(load(vec![1, 2], false)));
}

/// Waits for a file in a folder beside it.
#[pipeline]
fn late() -> Result<()> {
    let bucket = Bucket::open("file://./data-bucket")?;
    parse(&bucket, arrival(&bucket));
    Ok(())
}

/// Blocks its worker and never yields.
#[task]
async fn hog() -> Result<u32> {
    loop {
        std::thread::park();
    }
}

#[task(timeout = "50ms")]
async fn limited() -> Result<u32> {
    std::future::pending().await
}

#[task]
async fn panics() -> Result<u32> {
    panic!("there is no row")
}

/// Never ends by itself, and blocks every worker with a body that cannot be cut off.
#[pipeline]
fn endless() {
    limited();
    for _ in 0..64 {
        hog();
    }
}

/// More nodes than are drawn one by one.
#[pipeline]
fn wide() {
    for days in 0..300 {
        extract("eu", days).named(format!("extract_{days}"));
    }
}

/// Panics.
#[pipeline]
fn panicking() {
    panics();
}

/// Prints more than a pipe holds, and more than is queued for display.
#[task]
async fn shout() -> Result<()> {
    for line in 0..4_000 {
        tracing::info!(line, "{}", "loud ".repeat(1_600));
    }
    Ok(())
}

/// Tells the listener that it runs.
#[task]
async fn knock() -> Result<()> {
    if let Ok(address) = std::env::var("KNOCK_AT") {
        std::net::TcpStream::connect(address)?;
    }
    Ok(())
}

/// Prints more than anybody reads.
#[pipeline]
fn loud() {
    knock().after(shout());
}

/// Returns as many elements as a file in the working folder says.
#[task]
async fn listed() -> Result<Vec<u32>> {
    let count = std::fs::read_to_string("count").map_or(Ok(2), |count| count.trim().parse())?;
    Ok((0..count).collect())
}

#[task]
async fn work(n: u32) -> Result<u32> {
    Ok(n)
}

/// Works on a list that may change.
#[pipeline]
fn relisted() {
    let _ = listed().each(work);
}

/// Is not ready at the first poke, and fails at the second.
#[sensor(poke = "300ms", poke_timeout = "1m")]
async fn never(ctx: Context) -> Result<Poke<u32>> {
    if ctx.recall::<bool>()?.is_some() {
        return Err(TaskError::fatal("there will be none"));
    }
    ctx.remember(&true)?;
    Ok(Poke::NotYet)
}

/// Waits as long as allowed, from later than the run's start.
#[pipeline]
fn forever() {
    never().after(work(1)).timeout(Duration::from_hours(24 * 36_500));
}

/// Sets a terminal's title, and looks like a log line of the engine.
const OWNED: &str = "\u{1b}]0;owned\u{7}\n2024-03-25T00:00:00Z ERROR engine: all is lost";

static RUDE: Pool = Pool::new("rude\u{1b}]0;owned\u{7}", 1);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Words {
    word: String,
}

#[task]
async fn shout_at(word: String) -> Result<String> {
    tracing::warn!(word, field = %OWNED, "{OWNED}");
    Err(TaskError::fatal(format!("{OWNED} {word}")))
}

#[task]
async fn shrug() -> Result<()> {
    Err(TaskError::skip(OWNED))
}

/// Prints control characters for terminals, wherever a body may print something.
#[pipeline]
fn hostile(words: Words) {
    shout_at(words.word).pool(&RUDE);
    shrug();
}

fn main() -> ExitCode {
    let all = [sales(), waiting(), endless(), panicking(), wide(), mendable(), late(), loud(), relisted(), forever(), hostile()];
    Cli::new(all)
        .command("quietly", "Runs the sales and says nothing", |_| {
            let run = Runner::new().pipeline(sales(), serde_json::json!({ "days": 3 })).progress(Progress::Silent).run();
            run.map_or(ExitCode::from(2), |finished| finished.exit_code())
        })
        .command("greet", "Greets whoever is named", |args| {
            let named: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
            println!("hello {}", named.join(" "));
            ExitCode::SUCCESS
        })
        .main()
}
