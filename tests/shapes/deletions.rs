//! Deletion requests, carried out every four weeks over the requests of the last eight.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, Template};
use std::time::Duration;

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
/// How many statements are under way at once: turned down by hand while others need the warehouse.
const PARALLEL: u32 = 4;

/// A job that is cut off goes on where it was, by its own table of states.
#[task(timeout = "14d", retries = 44, retry_delay = "5m")]
async fn delete(ctx: Context, arguments: Vec<String>, parallel: u32) -> Result<u64> {
    let delete = Command::new("delete_rows").args(arguments).args(["--parallel", &parallel.to_string()]);
    delete.run(&ctx).await?.output_json()
}

/// The requests of two intervals, so that none is lost that came while the last job ran. Both dates are inclusive.
fn dates() -> Vec<Template> {
    vec![template!("--from={{ ds | ds_add(-28) }}"), template!("--to={{ data_interval_end | ds_add(-1) }}")]
}

#[pipeline(schedule(every = "4w", from = "2023-05-16"), catchup = true, depends_on_past = true, defaults(on_failure = CHAT), tags = ["tier 2"])]
fn deletions() {
    let large = ["main", "main_summary", "events", "metrics", "clients_daily", "searches", "pings"];
    for table in large {
        let only = [dates(), vec![format!("--only={table}").into()]].concat();
        delete(only, PARALLEL).named(table);
    }
    let rest = [dates(), large.map(|table| format!("--except={table}").into()).into()].concat();
    delete(rest, PARALLEL).named("rest").timeout(Duration::from_hours(24 * 20));
}

// ---- simulations

use super::support::*;

fn weeks() -> Simulation<'static> {
    let plan = deletions().plan(&serde_json::Value::Null).unwrap().to_json();
    let ids = plan["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap());
    ids.fold(Simulation::new(deletions()).logical_date("2023-06-13"), |simulation, id| simulation.stub(id, 7u64))
}

#[test]
fn every_four_weeks_all_tables_are_cleaned() {
    let report = weeks().run();
    succeeds(&report);
    assert_eq!(report.nodes().count(), 8);
}

/// What each interval asks for, and no run lies between two of them.
#[test]
fn the_dates_are_those_of_two_intervals() {
    #[task]
    async fn show(arguments: Vec<String>) -> Result<String> {
        Ok(arguments.join(" "))
    }
    #[pipeline(schedule(every = "4w", from = "2023-05-16"))]
    fn shown() {
        show(dates());
    }
    let report = Simulation::new(shown()).logical_date("2023-06-13").run();
    assert_eq!(report.output("show"), Some("--from=2023-05-16 --to=2023-07-10".to_owned()));
    let between = Simulation::new(shown()).logical_date("2023-06-20T00:00").run();
    assert_eq!(between.output("show"), Some("--from=2023-05-16 --to=2023-07-10".to_owned()));
}

#[test]
fn a_table_that_fails_for_hours_is_tried_again_and_holds_up_no_other() {
    let report = (1..=20).fold(weeks(), |simulation, attempt| simulation.fail("main", attempt, "too many statements")).run();
    succeeds(&report);
    assert_eq!((report.node("main").attempts(), report.node("rest").finished(), report.finished()), (21, mins(0), mins(100)));
}

#[test]
fn one_that_fails_to_the_end_is_one_alert() {
    let report = (1..=45).fold(weeks(), |simulation, attempt| simulation.fail("main", attempt, "too many statements")).run();
    assert_eq!((report.state(), states(&report, ["main", "rest"])), (RunState::Failed, [Failed, Success]));
    assert_eq!(told(&report), ["on_failure of main"]);
}
