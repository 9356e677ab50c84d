//! Daily copies of live tables without their duplicates, and tables derived from them. Others wait for one of these tables, not
//! for all.

use pipeline_runtime::Command;
use pipeline_runtime::chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
const SEARCH_TEAM: Webhook = Webhook::env("SEARCH_CHAT_URL").slack();
const TEAM: Defaults = defaults!(retries = 1, retry_delay = "5m", on_failure = CHAT, pool = WAREHOUSE);
static WAREHOUSE: Pool = Pool::new("warehouse", 8);

/// The tables that a copy includes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tables {
    only: Vec<String>,
    except: Vec<String>,
}

impl Tables {
    fn only(tables: &[&str]) -> Self {
        Self { only: owned(tables), except: Vec::new() }
    }
}

fn owned(tables: &[&str]) -> Vec<String> {
    tables.iter().copied().map(str::to_owned).collect()
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    /// Too large for one query: copied hour by hour.
    by_hour: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { by_hour: owned(&["raw.clicks", "raw.timings"]) }
    }
}

async fn copy(ctx: &Context, tables: Tables, slices: u32) -> Result<()> {
    let mut copy = Command::new("copy_tables").args(["--slices", &slices.to_string()]);
    for (option, tables) in [("--only", tables.only), ("--except", tables.except)] {
        copy = copy.args(tables.iter().flat_map(|table| [option, table]));
    }
    copy.arg(ctx.data_interval_start().format("%F").to_string()).run(ctx).await?;
    Ok(())
}

#[task(priority = 100, timeout = "10h")]
async fn copy_sessions(ctx: Context, tables: Tables) -> Result<()> {
    copy(&ctx, tables, 24).await
}

#[task(priority = 80)]
async fn copy_events(ctx: Context, tables: Tables) -> Result<()> {
    copy(&ctx, tables, 1).await
}

#[task(priority = 60)]
async fn copy_by_hour(ctx: Context, tables: Tables) -> Result<()> {
    copy(&ctx, tables, 24).await
}

#[task(priority = 40)]
async fn copy_others(ctx: Context, tables: Tables) -> Result<()> {
    copy(&ctx, tables, 1).await
}

#[task]
async fn query(ctx: Context, table: String) -> Result<()> {
    Command::new("run_query").arg(&table).arg(ctx.data_interval_start().format("%F").to_string()).run(&ctx).await?;
    Ok(())
}

/// Each day is added to those before it.
#[task(depends_on_past = true)]
async fn users_first_seen(ctx: Context) -> Result<()> {
    Command::new("run_query").arg("users_first_seen").run(&ctx).await?;
    Ok(())
}

#[pipeline(schedule = "0 1 * * *", start = "2019-07-25", catchup = true, max_active_runs = 10, defaults = TEAM)]
fn live_tables(options: Options) {
    let (sessions, events) = (["raw.sessions"], ["raw.events"]);
    let mut except = owned(&[sessions, events].concat());
    except.extend(options.by_hour.clone());
    let sessions = copy_sessions(Tables::only(&sessions));
    let events = copy_events(Tables::only(&events));
    let others = copy_others(Tables { except, only: Vec::new() });
    if !options.by_hour.is_empty() {
        copy_by_hour(Tables { only: options.by_hour, except: Vec::new() });
    }

    let table = |name: &str| query(name).named(name);
    group("users", || {
        let daily = table("daily");
        chain((daily, [users_first_seen(), table("last_seen").priority(50)], table("active")));
    })
    .after(sessions);
    group("events", || chain((table("daily"), table("by_trial")))).after(events);
    group("devices", || {
        let last_seen = ["phone", "tablet", "watch"].map(|product| {
            let daily = table(&format!("{product}_daily"));
            table(&format!("{product}_last_seen")).after(daily)
        });
        chain((last_seen, [table("users"), table("usage")], table("forecast")));
    })
    .after(others);
    group("search", || chain((table("daily"), table("aggregates")))).after(others).on_failure(SEARCH_TEAM);
}

#[pipeline(schedule = "0 3 * * *", start = "2019-07-25", defaults = TEAM)]
fn session_summary() {
    let copied = run_of(live_tables).at(|interval| interval.start - TimeDelta::hours(2)).output::<copy_sessions>();
    query("session_summary").after(copied);
}

// ---- simulations

use super::support::*;

fn day(pipeline: Pipeline, params: &Options) -> Simulation<'static> {
    let plan = pipeline.plan(&serde_json::to_value(params).unwrap()).unwrap().to_json();
    let ids = plan["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap());
    let simulation = Simulation::new(pipeline).params(params).logical_date("2024-03-25");
    ids.filter(|id| id.strip_suffix(".past").is_none()).fold(simulation, |simulation, id| simulation.stub(id, ()))
}

#[test]
fn every_table_is_made_of_the_copy_that_it_needs() {
    let report = day(live_tables(), &Options::default()).run();
    succeeds(&report);
    assert_eq!(report.nodes().filter(|node| node.id().strip_suffix(".past").is_none()).count(), 21, "{}", report.timeline());
}

#[test]
fn without_large_tables_there_is_no_node_for_them() {
    let report = day(live_tables(), &Options { by_hour: Vec::new() }).run();
    succeeds(&report);
    assert!(report.nodes().all(|node| node.id() != "copy_by_hour"));
}

#[test]
fn a_copy_that_fails_takes_its_own_tables_alone_with_it() {
    let report = day(live_tables(), &Options::default()).fail("copy_events", 1, "quota").fail("copy_events", 2, "quota").run();
    assert_eq!(states(&report, ["copy_events", "events.daily", "events.by_trial"]), [Failed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(states(&report, ["users.active", "devices.forecast", "search.aggregates"]), [Success; 3]);
    assert_eq!(callbacks(&report), ["on_failure of copy_events"]);
}

#[test]
fn who_is_told_of_search_is_its_own_team() {
    let fails = |all: Simulation<'static>, id: &str| all.fail(id, 1, "quota").fail(id, 2, "quota");
    let report = fails(fails(day(live_tables(), &Options::default()), "search.daily"), "events.daily").run();
    let callbacks = report.callbacks();
    let mut told: Vec<_> = callbacks.iter().map(|callback| (callback.node().unwrap(), callback.notifier())).collect();
    told.sort_unstable();
    let [("events.daily", team), ("search.daily", search)] = told[..] else { panic!("{told:?}") };
    assert_ne!(team, search);
}

#[test]
fn a_copy_is_tried_again() {
    let report = day(live_tables(), &Options::default()).fail("copy_sessions", 1, "503").run();
    succeeds(&report);
    assert_eq!((report.node("users.daily").started(), report.node("search.daily").started()), (mins(5), mins(0)));
}

#[test]
fn what_adds_to_the_days_before_waits_for_the_day_before_alone() {
    let report = day(live_tables(), &Options::default()).passed_before("6h", "users.users_first_seen").run();
    succeeds(&report);
    assert_eq!((report.node("users.last_seen").finished(), report.node("users.active").started()), (mins(0), mins(360)));
}

#[test]
fn another_pipeline_waits_for_one_table_of_it() {
    let summary = || Simulation::new(session_summary()).logical_date("2024-03-25").stub("query", ());
    let copied = OtherRun::success().starting("2024-03-25T01:00:00Z").output::<copy_sessions>(());
    let report = summary().ran("90m", live_tables, copied).run();
    succeeds(&report);
    assert_eq!(report.finished(), mins(90));
    let failed = OtherRun::failed("`copy_sessions`: quota").starting("2024-03-25T01:00:00Z");
    let report = summary().ran("90m", live_tables, failed).run();
    assert_eq!(states(&report, ["run_of", "query"]), [Failed, UpstreamFailed]);
}
