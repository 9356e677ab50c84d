//! Deletion requests, carried out every four weeks over the requests of the last eight.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, Template};
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
const FOUR_WEEKS: Every = every!("4w", from = "2023-05-16");

/// Tables that are cleaned together.
struct Job {
    name: &'static str,
    tables: &'static [&'static str],
    /// The number of concurrent statements.
    parallel: u32,
    /// The project that is billed.
    project: &'static str,
}

const BATCH: &str = "warehouse-batch";
const JOBS: [Job; 7] = [
    Job { name: "sessions", tables: &["raw.sessions"], parallel: 2, project: "deletions" },
    Job { name: "session_summary", tables: &["derived.session_summary"], parallel: 2, project: BATCH },
    Job { name: "events", tables: &["raw.events", "derived.events"], parallel: 4, project: BATCH },
    Job { name: "users", tables: &["derived.users_daily", "derived.users_last_seen"], parallel: 4, project: BATCH },
    Job { name: "searches", tables: &["derived.searches"], parallel: 1, project: "search" },
    Job { name: "timings", tables: &["raw.timings"], parallel: 3, project: "deletions" },
    Job { name: "clicks", tables: &["raw.clicks"], parallel: 1, project: "deletions" },
];

/// The limit on a job's concurrent statements while the warehouse is busy.
static MOST_PARALLEL: Setting<u32> = Setting::new("deletions.most_parallel", 4);

/// An interrupted job continues where it was, by its own table of states. It waits for the same job of the previous interval.
#[task(depends_on_past = true, timeout = "14d", retries = 44, retry_delay = "5m")]
async fn delete(ctx: Context, arguments: Vec<String>, parallel: u32, most: u32) -> Result<u64> {
    let parallel = parallel.min(most).to_string();
    Command::new("delete_rows").args(arguments).args(["--parallel", &parallel]).run(&ctx).await?.output_json()
}

/// The requests of two intervals, so that requests during the last job are not lost; both dates are inclusive.
fn arguments(project: &str) -> Vec<Template> {
    vec![
        template!("--from={{ ds | ds_add(-28) }}"),
        template!("--to={{ data_interval_end | ds_add(-1) }}"),
        template!("--project={{ project }}", project = project),
    ]
}

#[pipeline(schedule = FOUR_WEEKS, catchup = true, defaults(on_failure = CHAT), tags = ["tier 2"])]
fn deletions() {
    for job in &JOBS {
        let only = job.tables.iter().map(|table| format!("--only={table}").into()).collect();
        delete([arguments(job.project), only].concat(), job.parallel, &MOST_PARALLEL).named(job.name);
    }
    let named = JOBS.iter().flat_map(|job| job.tables);
    let except = named.map(|table| format!("--except={table}").into()).collect();
    delete([arguments(BATCH), except].concat(), 4u32, &MOST_PARALLEL).named("rest").timeout(Duration::from_hours(24 * 20));
}

// ---- simulations

use super::support::*;

fn weeks() -> Simulation<'static> {
    let plan = deletions().plan(&serde_json::Value::Null).unwrap().to_json();
    let ids = plan["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap());
    let jobs = ids.filter(|id| id.strip_suffix(".past").is_none());
    jobs.fold(Simulation::new(deletions()).logical_date("2023-06-13"), |simulation, id| simulation.stub(id, 7u64))
}

#[test]
fn every_four_weeks_all_tables_are_cleaned() {
    let report = weeks().run();
    succeeds(&report);
    assert_eq!(report.nodes().filter(|node| node.id().strip_suffix(".past").is_none()).count(), 8);
}

/// The requests of each interval; none falls between two runs.
#[test]
fn the_dates_are_those_of_two_intervals() {
    #[task]
    async fn show(arguments: Vec<String>) -> Result<String> {
        Ok(arguments.join(" "))
    }
    #[pipeline(schedule = FOUR_WEEKS)]
    fn shown() {
        show(arguments(BATCH));
    }
    for date in ["2023-06-13", "2023-06-20T00:00"] {
        let report = Simulation::new(shown()).logical_date(date).run();
        let shown = "--from=2023-05-16 --to=2023-07-10 --project=warehouse-batch";
        assert_eq!(report.output("show"), Some(shown.to_owned()));
    }
}

#[test]
fn a_table_that_fails_for_hours_is_tried_again_and_holds_up_no_other() {
    let report = (1..=20).fold(weeks(), |simulation, attempt| simulation.fail("sessions", attempt, "too many statements")).run();
    succeeds(&report);
    assert_eq!((report.node("sessions").attempts(), report.node("rest").finished(), report.finished()), (21, mins(0), mins(100)));
}

#[test]
fn one_that_fails_to_the_end_is_one_alert() {
    let report = (1..=45).fold(weeks(), |simulation, attempt| simulation.fail("sessions", attempt, "too many statements")).run();
    assert_eq!((report.state(), states(&report, ["sessions", "rest"])), (RunState::Failed, [Failed, Success]));
    assert_eq!(callbacks(&report), ["on_failure of sessions"]);
}

#[test]
fn a_job_waits_for_itself_four_weeks_before_and_for_no_other() {
    let report = weeks().passed_before("3d", "sessions").run();
    succeeds(&report);
    assert_eq!((report.node("sessions").started(), report.node("events").finished()), (mins(3 * 24 * 60), mins(0)));
}

#[test]
fn a_busy_warehouse_has_fewer_statements_at_once() {
    #[task]
    async fn show(parallel: u32, most: u32) -> Result<u32> {
        Ok(parallel.min(most))
    }
    #[pipeline(schedule = FOUR_WEEKS)]
    fn shown() {
        show(4u32, &MOST_PARALLEL);
    }
    let parallel = |simulation: Simulation<'_>| simulation.run().output::<u32>("show");
    assert_eq!(parallel(Simulation::new(shown())), Some(4));
    assert_eq!(parallel(Simulation::new(shown()).setting(&MOST_PARALLEL, 1)), Some(1));
}
