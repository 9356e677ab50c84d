//! A model that is built whenever two extracts are new, and each extract on demand.

use pipeline_runtime::chrono::NaiveDate;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, OnTimeout};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static TOKEN: Secret = Secret::env("ANALYTICS_TOKEN");
static DATABASE: Pool = Pool::new("database", 1);

/// What was stored for a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Day {
    date: NaiveDate,
    rows: u64,
}

static VISITS: Asset<Day> = Asset::new("visits_raw");
static PROCESSES: Asset<Day> = Asset::new("processes_raw");
static MODEL: Asset<u64> = Asset::new("visits_model");

#[task]
async fn fetch_visits(ctx: Context, site: u32, token: Secret) -> Result<String> {
    let request = Command::new("curl").args(["--fail", "--silent", "-H", "@-"]).env("TOKEN", &token);
    Ok(request.arg(format!("https://analytics.example/visits?site={site}")).run(&ctx).await?.last_line().to_owned())
}

#[task(pool = DATABASE)]
async fn store(ctx: Context, text: String) -> Result<Day> {
    Ok(Day { date: ctx.data_interval_start().date_naive(), rows: text.lines().count() as u64 })
}

#[pipeline(schedule = "0 5 * * *", start = "2024-01-01", catchup = true, max_active_runs = 1, defaults(retries = 3, on_failure = CHAT))]
fn visits() {
    store(fetch_visits(7u32, &TOKEN)).updates(&VISITS);
}

#[pipeline(schedule = "30 5 * * 1-5", start = "2024-01-01", defaults(retries = 3, on_failure = CHAT))]
fn processes() -> Result<()> {
    let exports = Bucket::open("memory://exports")?;
    let export = pipeline_runtime::sensors::key_exists(&exports, template!("processes/{{ ds }}.csv"));
    store(read(&exports, export.on_timeout(OnTimeout::Skip).timeout(Duration::from_hours(3)))).updates(&PROCESSES);
    Ok(())
}

#[task]
async fn read(bucket: Bucket, export: Object) -> Result<String> {
    Ok(String::from_utf8_lossy(&bucket.get(&export.key).await?).into_owned())
}

#[task(pool = DATABASE, timeout = "1h")]
async fn build_model(ctx: Context, visits: Day, processes: Day) -> Result<u64> {
    let from = visits.date.min(processes.date);
    Command::new("dbt").args(["run", "--select", "visits+", "--vars", &format!("from: {from}")]).run(&ctx).await?;
    Ok(visits.rows + processes.rows)
}

#[pipeline(when = all(VISITS, PROCESSES), max_active_runs = 1, defaults(retries = 1, on_failure = CHAT))]
fn visits_model() {
    build_model(VISITS.latest(), PROCESSES.latest()).updates(&MODEL);
}

// ---- simulations

use super::support::*;

fn day(date: &str, rows: u64) -> Day {
    Day { date: date.parse().unwrap(), rows }
}

fn both() -> Simulation<'static> {
    let simulation = Simulation::new(visits_model()).stub("build_model", 42u64);
    simulation.updated("5m", &VISITS, day("2024-03-25", 40)).updated("2h", &PROCESSES, day("2024-03-25", 2))
}

#[test]
fn the_model_is_built_once_both_are_new() {
    let report = both().run();
    succeeds(&report);
    assert_eq!((report.node("build_model").started(), report.output("build_model")), (mins(120), Some(42u64)));
}

#[test]
fn an_extract_and_the_other_one_begin_the_model() {
    let report = Simulation::new(visits()).logical_date("2024-03-25").secret(&TOKEN, "a-token");
    let report = report.stub("fetch_visits", "a\nb".to_owned()).updated("2h", &PROCESSES, day("2024-03-25", 2));
    let report = report.beside([visits_model()]).run();
    assert_eq!(report.node("store").state(), Success);
    let [model] = report.begun() else { panic!("one run: {:?}", report.begun()) };
    assert_eq!((model.pipeline(), model.output("visits_raw")), ("visits_model", Some(day("2024-03-25", 2))));
}

#[test]
fn an_extract_says_what_it_has_stored() {
    let report = Simulation::new(visits()).logical_date("2024-03-25").secret(&TOKEN, "a-token");
    let report = report.stub("fetch_visits", "a\nb".to_owned()).run();
    succeeds(&report);
    assert_eq!(report.output("store"), Some(day("2024-03-25", 2)));
}

#[test]
fn an_export_that_is_late_is_waited_for_and_none_updates_nothing() {
    let friday = || Simulation::new(processes()).logical_date("2024-03-22");
    let report = friday().arrive("1h", "memory://exports/processes/2024-03-22.csv", "a\nb\nc").run();
    succeeds(&report);
    assert_eq!((report.finished(), report.output("store")), (mins(60), Some(day("2024-03-22", 3))));
    assert_eq!(states(&friday().run(), ["key_exists", "read", "store"]), [Skipped; 3]);
}

#[test]
fn a_model_that_fails_is_tried_again_and_then_is_one_alert() {
    let report = both().fail("build_model", 1, "exit code 1").run();
    succeeds(&report);
    let report = both().fail("build_model", 1, "exit code 1").fail("build_model", 2, "exit code 1").run();
    assert_eq!((report.state(), callbacks(&report)), (RunState::Failed, vec!["on_failure of build_model".to_owned()]));
}
