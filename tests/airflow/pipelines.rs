//! Pipelines that our engine and Airflow both run, to be compared: one for each rule that both have.

mod figures;

use chrono::NaiveDate;
use pipeline_examples::cloud_data_pipeline::{mock_s3, pipelines as exercise_2};
use pipeline_examples::event_archive;
use pipeline_runtime::BoxFuture;
use pipeline_runtime::Clock;
use pipeline_runtime::cli::Cli;
use pipeline_runtime::prelude::*;
use pipeline_runtime::read::{JournalReader, NodeDetails, ReadError, RunFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Batch {
    name: String,
    rows: u64,
    share: f64,
    parts: Vec<Option<i64>>,
}

// ---- values

#[task]
async fn make() -> Result<Batch> {
    Ok(Batch { name: "a\0b ä".into(), rows: u64::MAX, share: 1e20, parts: vec![Some(i64::MIN), None] })
}

#[task]
async fn same(batch: Batch) -> Result<Batch> {
    Ok(batch)
}

#[task]
async fn nothing(batch: Batch) -> Result<()> {
    tracing::info!(rows = batch.rows, level = "mine", "nothing is made of `{}`", batch.name.escape_debug());
    Ok(())
}

#[task]
async fn after_nothing(nothing: ()) -> Result<f64> {
    let () = nothing;
    Ok(-0.0)
}

/// Values come back unchanged, whatever Airflow's database does to them.
#[pipeline]
fn values() {
    after_nothing(nothing(same(make())));
}

// ---- trigger rules

#[task]
async fn ok() -> Result<u64> {
    Ok(1)
}

#[task]
async fn fails() -> Result<u64> {
    Err("broken on purpose".into())
}

#[task]
async fn skips() -> Result<u64> {
    Err(TaskError::skip("nothing to do"))
}

#[task]
async fn plus(a: u64, b: u64) -> Result<u64> {
    Ok(a + b)
}

#[task]
async fn maybe(a: u64, b: Option<u64>) -> Result<String> {
    Ok(format!("{a} {b:?}"))
}

#[task]
async fn how(of: Outcome<u64>) -> Result<String> {
    Ok(match of {
        Outcome::Success(value) => format!("success {value}"),
        Outcome::Skipped => "skipped".into(),
        Outcome::Failed(failure) => format!("{} failed after {}: {}", failure.node(), failure.attempts(), failure.error()),
    })
}

#[task]
async fn mourn(failure: Failure) -> Result<String> {
    Ok(failure.node().to_owned())
}

#[task]
async fn either(value: u64) -> Result<u64> {
    Ok(value)
}

/// Each trigger rule over each outcome.
#[pipeline]
fn rules() {
    let (good, bad, none) = (ok(), fails().allow_failure(), skips());
    plus(good, bad).named("good_and_bad");
    plus(good, none).named("good_and_none");
    let behind = plus(bad, good).named("behind_bad");
    maybe(good, none).named("maybe_none");
    maybe(good, bad).named("maybe_bad");
    how(good).named("how_good");
    how(bad).named("how_bad");
    how(none).named("how_none");
    how(behind).named("how_behind");
    mourn(bad.failure()).named("mourn_bad");
    mourn(good.failure()).named("mourn_good");
    either(first_of([bad, good])).named("first");
    ok().named("ordered").after(good);
}

/// A failure that a clean-up cannot hide.
#[pipeline]
fn fails_in_the_end() {
    how(fails()).named("clean_up");
}

// ---- branches

#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Size {
    Small(u64),
    Large(String),
}

#[branch]
async fn choose(rows: u64) -> Result<Size> {
    Ok(if rows < 10 { Size::Small(rows) } else { Size::Large("many".into()) })
}

#[task]
async fn small(rows: u64) -> Result<String> {
    Ok(format!("small {rows}"))
}

#[task]
async fn large(what: String) -> Result<String> {
    Ok(format!("large {what}"))
}

#[task]
async fn join(what: String) -> Result<String> {
    Ok(what)
}

/// The arm that is taken has its value; the other is skipped with its downstreams.
#[pipeline]
fn branches() {
    let arms = choose(ok());
    let small = small(arms.small);
    let large = large(arms.large);
    join(large).named("behind_large");
    join(first_of([small, large]));
}

// ---- mappings

#[task]
async fn list(n: u64) -> Result<Vec<u64>> {
    Ok((0..n).collect())
}

#[task]
async fn double(n: u64) -> Result<u64> {
    Ok(n * 2)
}

#[task]
async fn odd(n: u64) -> Result<u64> {
    match n {
        2 => Err("two is no good".into()),
        4 => Err(TaskError::skip("four is not wanted")),
        n => Ok(n + 1),
    }
}

#[task]
async fn sum(all: Vec<u64>) -> Result<u64> {
    Ok(all.iter().sum())
}

#[task]
async fn ends(all: Vec<Outcome<u64>>) -> Result<Vec<String>> {
    Ok(all
        .into_iter()
        .map(|end| match end {
            Outcome::Success(value) => value.to_string(),
            Outcome::Skipped => "skipped".into(),
            Outcome::Failed(failure) => format!("{}: {}", failure.node(), failure.error()),
        })
        .collect())
}

/// Lists, chains within them, elements that fail or are skipped, keys, and an empty list.
#[pipeline]
fn mappings() {
    let factor = ok();
    sum(list(3).named("three").each(|n| plus(double(n), factor).named("scaled"))).named("total");
    ends(list(3).named("doubles").each(|n| odd(double(n).named("twice")).allow_failure())).named("each_end");
    sum(list(2).named("keyed").keyed(|n| format!("k{n}")).each(|n| double(n).named("by_key"))).named("of_keys");
    sum(list(0).named("empty").each(|n| double(n).named("of_none"))).named("of_nothing");
}

// ---- retries

#[task(retries = 2, retry_delay = "1s")]
async fn third_time(ctx: Context) -> Result<u32> {
    if ctx.attempt() < 3 {
        return Err(format!("attempt {}", ctx.attempt()).into());
    }
    Ok(ctx.attempt())
}

#[task(retries = 3, retry_delay = "1s")]
async fn gives_up() -> Result<u64> {
    Err(TaskError::fatal("no use"))
}

#[task(retries = 1, retry_delay = "1s")]
async fn never() -> Result<u64> {
    Err("again".into())
}

#[task(timeout = "1s")]
async fn hangs() -> Result<u64> {
    std::future::pending().await
}

#[task]
async fn panics() -> Result<u64> {
    panic!("oh no")
}

/// Failures that another attempt mends, and failures that it does not.
#[pipeline]
fn retries() {
    third_time();
    how(gives_up().allow_failure()).named("how_fatal");
    how(never().allow_failure()).named("how_never");
    how(hangs().allow_failure()).named("how_hung");
    how(panics().allow_failure()).named("how_panicked");
}

// ---- sensors

fn third_poke(ctx: &Context) -> Result<Poke<u64>> {
    let pokes = ctx.recall::<u64>()?.unwrap_or(0) + 1;
    ctx.remember(&pokes)?;
    Ok(if pokes == 3 { Poke::Ready(pokes) } else { Poke::NotYet })
}

#[sensor(mode = "reschedule", poke = "6s", timeout = "5m")]
async fn rescheduled(ctx: Context) -> Result<Poke<u64>> {
    third_poke(&ctx)
}

#[sensor(mode = "poke", poke = "1s", timeout = "5m")]
async fn poked(ctx: Context) -> Result<Poke<u64>> {
    third_poke(&ctx)
}

#[sensor(mode = "reschedule", poke = "6s", timeout = "8s", on_timeout = "skip")]
async fn skipped_late() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[sensor(mode = "poke", poke = "1s", timeout = "2s")]
async fn fails_late() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

/// Waits in both modes, each sensor with a deadline of its own.
#[pipeline]
fn sensors() {
    plus(rescheduled(), poked());
    how(skipped_late()).named("how_skipped");
    how(fails_late().allow_failure()).named("how_late");
}

// ---- teardown

#[task]
async fn open() -> Result<String> {
    Ok("machine".into())
}

#[task]
async fn work(machine: String) -> Result<u64> {
    Err(format!("the {machine} broke").into())
}

#[task]
async fn close(machine: String) -> Result<String> {
    Ok(format!("{machine} closed"))
}

/// What was set up is torn down after a failure.
#[pipeline]
fn teardowns() {
    open().teardown(close, |machine| {
        work(machine).allow_failure();
    });
}

// ---- what a run is about

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Options {
    region: String,
    limit: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { region: "eu".into(), limit: 5 }
    }
}

static LIMIT: Setting<u64> = Setting::new("parity_limit", 500);
static TOKEN: Secret = Secret::env("PARITY_TOKEN");
static WAREHOUSE: Secret = Secret::airflow("parity_warehouse");

#[task]
async fn about(ctx: Context, text: String, limit: u64, token: Secret, warehouse: Secret, region: String) -> Result<String> {
    let token = token.expose().len();
    tracing::info!("the password is {}", warehouse.expose());
    let warehouse = warehouse.expose().len();
    Ok(format!("{text} {limit} {token} {warehouse} {region} {}", ctx.logical_date().date_naive()))
}

#[task]
async fn since(ctx: Context, n: u64) -> Result<u64> {
    // Airflow also runs the schedule, so there may be an earlier run or none.
    tracing::info!("since {:?}", ctx.prev_data_interval_end_success());
    Ok(n)
}

/// Params, a template, a setting, a secret, and the run before.
#[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin", start = "2024-03-01")]
fn params(options: Options) {
    since(ok());
    about(template!("{{ ds }} of {{ params.region }}"), &LIMIT, &TOKEN, &WAREHOUSE, options.region);
}

// ---- pairs of these

#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Parity {
    Even(u64),
    Odd(String),
}

#[branch]
async fn parity(n: u64) -> Result<Parity> {
    Ok(if n.is_multiple_of(2) { Parity::Even(n) } else { Parity::Odd(format!("odd {n}")) })
}

#[derive(Debug, Clone, Serialize, Deserialize, Branch)]
enum Listing {
    Files(Vec<u64>),
    Nothing(u64),
}

#[branch]
async fn look(rows: u64) -> Result<Listing> {
    Ok(if rows == 1 { Listing::Nothing(0) } else { Listing::Files(vec![rows]) })
}

#[task]
async fn text(n: u64) -> Result<String> {
    Ok(n.to_string())
}

#[task]
async fn texts(all: Vec<Outcome<String>>) -> Result<Vec<String>> {
    Ok(all
        .into_iter()
        .map(|end| match end {
            Outcome::Success(text) => text,
            Outcome::Skipped => "skipped".into(),
            Outcome::Failed(failure) => format!("{}: {}", failure.node(), failure.error()),
        })
        .collect())
}

#[task]
async fn total_of(all: Option<Vec<u64>>) -> Result<Option<u64>> {
    Ok(all.map(|all| all.iter().sum()))
}

#[task]
async fn open_for(n: u64) -> Result<String> {
    Ok(format!("machine {n}"))
}

#[task]
async fn use_up(machine: String) -> Result<String> {
    if machine.ends_with('1') { Err(format!("{machine} broke").into()) } else { Ok(machine) }
}

#[sensor(mode = "reschedule", poke = "6s", timeout = "5m")]
async fn waits_for(ctx: Context, n: u64) -> Result<Poke<u64>> {
    if ctx.recall::<u64>()?.is_some() {
        return Ok(Poke::Ready(n + 10));
    }
    ctx.remember(&1)?;
    Ok(Poke::NotYet)
}

#[task(retries = 1, retry_delay = "1s")]
async fn second_time(ctx: Context, n: u64) -> Result<u64> {
    if ctx.attempt() == 1 { Err("once more".into()) } else { Ok(n) }
}

/// Branches, teardowns, sensors and retries within mappings, a mapping in an arm, and parts of outputs.
#[pipeline]
fn pairs() {
    texts(list(3).named("numbers").each(|n| {
        let arms = parity(n);
        first_of([text(arms.even), join(arms.odd)])
    }))
    .named("by_arm");
    texts(list(2).named("machines").each(|n| open_for(n).teardown(close, |machine| use_up(machine).allow_failure())))
        .named("by_machine");
    sum(list(2).named("files").each(waits_for)).named("waited");
    sum(list(2).named("flaky").each(second_time)).named("retried");
    let found = look(ok());
    total_of(found.files.each(double)).named("of_arm");
    either(found.nothing).named("nothing");
    either(make().field(|batch| &batch.rows)).named("rows");
}

// ---- mappings that are one task in Airflow

#[task(retries = 1, retry_delay = "10ms")]
async fn at_second(ctx: Context, n: u64) -> Result<u64> {
    if ctx.attempt() == 1 { Err("once more".into()) } else { Ok(n) }
}

#[task]
async fn joined(all: Vec<Vec<String>>) -> Result<String> {
    Ok(all.concat().join(", "))
}

/// Mappings within mappings: with retries, failures, skips, an empty list, keys, a branch, a sensor and a teardown in them, three deep.
#[pipeline]
fn nested() {
    let factor = ok();
    let totals = list(3).named("outer").each(|n| {
        let inner = list(n).named("inner");
        sum(inner.each(|m| plus(at_second(m).named("again"), factor).named("added"))).named("inner_total")
    });
    sum(totals).named("total");
    let rows = list(2).named("rows").keyed(|n| format!("row {n}"));
    joined(rows.each(|n| ends(list(5).named("cells").after(n).each(|m| odd(m).allow_failure())).named("row"))).named("all_rows");
    let words = list(2).named("lines").each(|n| {
        texts(list(plus(n, factor).named("more")).named("words").keyed(|m| format!("word {m}")).each(|m| {
            let arms = parity(m);
            first_of([text(arms.even), join(arms.odd)])
        }))
        .named("line")
    });
    joined(words).named("all_lines");
    let deep = list(3)
        .named("a")
        .each(|b| sum(list(b).named("b").each(|c| sum(list(c).named("c").each(double)).named("of_c"))).named("of_b"));
    sum(deep).named("of_a");
    list(2).named("days").each(|_| {
        let machines = list(2).named("machines");
        ends(machines.each(|n| {
            open_for(n).teardown(close, |machine| use_up(machine).allow_failure());
            waits_for(n).named("waited")
        }))
        .named("day")
    });
}

#[task]
async fn lists(n: u64) -> Result<Vec<u64>> {
    if n == 0 { Err("no list".into()) } else { Ok(vec![n, n + 1]) }
}

/// Mappings over lists that are not a task's whole output: the first available one, an arm's, and another mapping's.
#[pipeline]
fn lists_of_others() {
    let (short, long) = (lists(0).named("short").allow_failure(), lists(5).named("long"));
    sum(first_of([short, long]).each(|n| double(n).named("taken"))).named("of_taken");
    let one = ok();
    sum(look(plus(one, one).named("two")).files.each(|n| double(n).named("file"))).named("of_files");
    sum(list(3).each(|n| double(n).named("once")).each(|n| double(n).named("again"))).named("of_again");
}

/// Elements in order: none starts after one that failed.
#[pipeline]
fn in_order() {
    ends(list(4).named("steps").each(|n| odd(n).named("step")).in_order()).named("all_steps");
    sum(list(3).named("turns").each(|n| double(n).named("turn")).in_order()).named("of_turns");
}

// ---- assets, and notifications

static SALES: Asset<Batch> = Asset::new("parity_sales");

/// Updates an asset.
#[pipeline]
fn updates() {
    same(make()).updates(&SALES);
}

/// Triggered by the asset.
#[pipeline(when = all(SALES))]
fn follows() {
    same(SALES.latest());
}

/// Writes each notification to the file that `PARITY_TOLD` names.
#[derive(Debug)]
struct Ledger;

impl Notify for Ledger {
    fn notify(&self, of: Notification) -> BoxFuture<Result<()>> {
        Box::pin(async move {
            let file = std::env::var_os("PARITY_TOLD").ok_or("PARITY_TOLD names no file")?;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
            let line = format!("{} {} {}\n", of.name(), of.node().unwrap_or("the run"), of.error().unwrap_or("-"));
            file.write_all(line.as_bytes())?;
            Ok(())
        })
    }
}

/// All callbacks are notified, whatever decided the outcome.
#[pipeline(
    on_success = Ledger, on_failure = Ledger,
    defaults(on_success = Ledger, on_failure = Ledger, on_retry = Ledger, on_skipped = Ledger, on_upstream_failed = Ledger)
)]
fn told() {
    let (good, bad, none) = (second_time(ok()), fails(), skips());
    plus(good, bad).named("good_and_bad");
    plus(good, none).named("good_and_none");
    maybe(good, bad).named("maybe_bad");
    mourn(good.failure()).named("mourn_good");
}

// ---- what goes wrong

/// Returns which of these names the environment has.
#[task]
async fn environment() -> Result<Vec<String>> {
    let names = ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "PARITY_SEEN"];
    Ok(names.into_iter().filter(|name| std::env::var_os(name).is_some()).map(str::to_owned).collect())
}

#[task]
async fn waits() -> Result<u64> {
    struct Dropped;
    impl Drop for Dropped {
        fn drop(&mut self) {
            tracing::info!("the body was dropped");
        }
    }
    let _dropped = Dropped;
    tracing::info!("waiting for ever");
    std::future::pending().await
}

/// Only for `tests/airflow/upsets.rs`.
#[pipeline]
fn upsets() {
    environment();
    waits();
}

/// The outcome of the newest run of a journal, as JSON.
fn outcome(journal: &Path) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let reader = JournalReader::open(journal)?.pipelines(all());
    let run = reader.runs(&RunFilter::new().limit(1))?.into_iter().next().ok_or("there is no run")?;
    let details = reader.details(&run)?;
    let node = |node: NodeDetails<'_>| {
        let told = json!({
            "state": node.state().to_string(), "attempts": node.attempts().len(), "pokes": node.pokes(), "output": node.output::<Value>()?,
            "error": node.error(), "cause": node.failed_upstream(),
        });
        Ok((node.id(), told))
    };
    let nodes: Result<Map<String, Value>, ReadError> = details.nodes().map(node).collect();
    Ok(json!({"state": details.state().to_string(), "nodes": nodes?}))
}

fn all() -> Vec<Pipeline> {
    vec![
        values(),
        rules(),
        fails_in_the_end(),
        branches(),
        mappings(),
        retries(),
        sensors(),
        teardowns(),
        params(),
        pairs(),
        nested(),
        in_order(),
        lists_of_others(),
        updates(),
        follows(),
        told(),
        figures::chain(),
        figures::fan(),
        figures::ledger(),
        figures::waiting(),
        upsets(),
        exercise_2::daily_export::cloud_data_pipeline(),
        exercise_2::multi_bucket::multi_bucket_pipeline(),
        exercise_2::advanced::advanced_cloud_sensors(),
        event_archive::pipeline::event_archive(),
    ]
}

/// Writes the source files of both exercises: those of exercise 2 to one store for our engine and one for Airflow, as the
/// pipelines write there; the events to one store for both.
async fn seed(folder: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    for of in ["ours", "airflow"] {
        let root = folder.join(of);
        let mock = mock_s3::Command { root: root.clone(), date: None, delayed: false, empty: false };
        mock.run(Clock::system(), &mut std::io::sink()).await?;
        std::fs::create_dir_all(root.join("archives"))?;
    }
    let events = folder.join("events");
    let source = format!("file://{}", events.display());
    let date = NaiveDate::from_ymd_opt(2021, 9, 1).ok_or("no such day")?;
    event_archive::seed::Command { source, date, interval: None }.run(&mut std::io::sink()).await?;
    // Sets the files' times to their dates, so that no run of today takes them for new.
    touch(&events)
}

fn touch(folder: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            touch(&entry.path())?;
        } else {
            std::fs::File::options().append(true).open(entry.path())?.set_modified(std::time::SystemTime::now())?;
        }
    }
    Ok(())
}

fn told_by(done: Result<(), Box<dyn Error + Send + Sync>>) -> ExitCode {
    done.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn main() -> ExitCode {
    Cli::new(all())
        .command("outcome", "Tells what the newest run of a journal came to", |args| {
            let journal = args.first().ok_or("which journal?".into());
            told_by(journal.and_then(|journal| outcome(Path::new(journal))).map(|outcome| println!("{outcome}")))
        })
        .command("seed", "Lets the files of both exercises arrive in a folder", |args| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            told_by(args.first().ok_or("which folder?".into()).and_then(|folder| runtime?.block_on(seed(Path::new(folder)))))
        })
        .main()
}
