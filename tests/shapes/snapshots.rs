//! Snapshots of state, taken each night of tables that another pipeline builds. Manual runs take them for given dates.

use pipeline_runtime::chrono::{NaiveDate, TimeDelta};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, RunKind};
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
static DATABASE: Secret = Secret::env("WAREHOUSE_URL");

/// The dates of a manual run.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Window {
    from: NaiveDate,
    to: NaiveDate,
    full_refresh: bool,
}

impl Default for Window {
    fn default() -> Self {
        let day = |day| NaiveDate::from_ymd_opt(2025, 1, day).unwrap_or_default();
        Self { from: day(1), to: day(2), full_refresh: false }
    }
}

#[task]
async fn build() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "0 0 * * *", start = "2025-01-01")]
fn enriched_tables() {
    build();
}

#[task]
async fn window(ctx: Context, by_hand: Window) -> Result<Window> {
    let day = |time: pipeline_runtime::chrono::DateTime<_>| time.date_naive();
    Ok(match ctx.kind() {
        RunKind::Manual => by_hand,
        _ => Window { from: day(ctx.data_interval_start()), to: day(ctx.data_interval_end()), full_refresh: false },
    })
}

#[task(timeout = "4h")]
async fn snapshot(ctx: Context, database: Secret, window: Window, model: String) -> Result<String> {
    let dbt = Command::new("dbt").args(["snapshot", "--select", &model]).env("DATABASE_URL", &database);
    let dbt = dbt.env("FROM", window.from.to_string()).env("TO", window.to.to_string());
    let dbt = dbt.env("FULL_REFRESH", window.full_refresh.to_string());
    Ok(dbt.run(&ctx).await?.last_line().to_owned())
}

#[pipeline(
    schedule = "0 1 * * *", start = "2025-04-22", catchup = true, max_active_runs = 1, depends_on_past = true,
    defaults(retries = 2, retry_delay = "5m", on_failure = CHAT), tags = ["snapshots"],
)]
fn snapshots(by_hand: Window) {
    let enriched = run_of(enriched_tables).at(|interval| interval.start - TimeDelta::hours(1));
    let window = window(&by_hand);
    for model in ["orders", "accounts", "balances", "offers", "pools", "contracts"] {
        snapshot(&DATABASE, window, model).named(format!("snapshot_{model}")).after(enriched);
    }
}

// ---- simulations

use super::support::*;

const MODELS: [&str; 3] = ["snapshot_accounts", "snapshot_pools", "snapshot_contracts"];
const ALL: [&str; 6] = ["orders", "accounts", "balances", "offers", "pools", "contracts"];

fn night() -> Simulation<'static> {
    let simulation = Simulation::new(snapshots()).logical_date("2025-05-01").secret(&DATABASE, "postgres://host/db");
    ALL.iter().fold(simulation, |simulation, model| simulation.stub(&format!("snapshot_{model}"), "Done.".to_owned()))
}

fn enriched() -> OtherRun {
    OtherRun::success().starting("2025-05-01T00:00:00Z")
}

#[test]
fn they_follow_the_tables_of_the_hour_before() {
    let report = night().ran("0s", enriched_tables, enriched()).run();
    succeeds(&report);
    let window: Window = report.output("window").unwrap();
    assert_eq!((window.from.to_string(), window.to.to_string()), ("2025-05-01".to_owned(), "2025-05-02".to_owned()));
}

#[test]
fn tables_that_are_late_are_waited_for() {
    let report = night().ran("50m", enriched_tables, enriched()).run();
    succeeds(&report);
    assert_eq!((report.finished(), report.node("run_of").pokes()), (mins(50), 2));
}

#[test]
fn tables_that_failed_are_one_alert_and_no_snapshot() {
    let failed = OtherRun::failed("`build`: no such table").starting("2025-05-01T00:00:00Z");
    let report = night().ran("10m", enriched_tables, failed).run();
    assert_eq!((report.state(), report.finished()), (RunState::Failed, mins(10)));
    assert_eq!(states(&report, MODELS), [UpstreamFailed; 3]);
    assert_eq!(callbacks(&report), ["on_failure of run_of"]);
}

#[test]
fn one_snapshot_that_fails_is_tried_again_and_holds_up_no_other() {
    let report = night().ran("0s", enriched_tables, enriched()).fail("snapshot_accounts", 1, "exit code 1").run();
    succeeds(&report);
    assert_eq!(report.node("snapshot_accounts").attempts(), 2);
    assert_eq!((report.node("snapshot_pools").finished(), report.finished()), (mins(0), mins(5)));
}

#[test]
fn by_hand_it_is_about_the_dates_that_are_given() {
    let given = Window { full_refresh: true, ..Window::default() };
    let report = night().params(given).kind(RunKind::Manual).ran("0s", enriched_tables, enriched()).run();
    assert!(report.output::<Window>("window").unwrap().full_refresh);
}
