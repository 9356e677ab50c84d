//! Pipelines as values: one function for several pipelines, and options as constants.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Backoff, Mode, NodeState, OnTimeout, Simulation};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Options {
    medium: String,
    limit: u32,
}

#[task]
async fn refresh(key: String, medium: String) -> Result<String> {
    Ok(format!("{key} {medium}"))
}

#[pipeline(schedule = "@daily", start = "2024-01-01", tags = ["media"])]
fn image_refresh(options: Options) {
    refresh(template!("{{ dag.id }}/{{ params.medium }}/{{ params.limit }}/{{ ds }}"), options.medium);
}

fn audio() -> Pipeline {
    image_refresh()
        .with_id(format!("{}_refresh", "audio"))
        .with_params(Options { medium: "audio".into(), limit: 200 })
        .schedule(cron!("0 0 * * 1"))
        .with_description("Takes the new recordings over.")
        .with_tags(["media", "weekly"])
}

#[test]
fn a_value_has_the_id_params_and_schedule_that_it_is_given_everywhere() {
    let report = Simulation::new(audio()).run();
    // The first Monday at or after the attribute's start.
    assert_eq!(report.output::<String>("refresh").unwrap(), "audio_refresh/audio/200/2024-01-01 audio");
    assert_eq!(report.pipeline(), "audio_refresh");
    let plan = audio().plan(&serde_json::Value::Null).unwrap().to_json();
    assert_eq!(plan["pipeline"], "audio_refresh");
    assert_eq!(plan["description"], "Takes the new recordings over.");
    assert_eq!(plan["tags"], serde_json::json!(["media", "weekly"]));
    assert_eq!(plan["params"], serde_json::json!({ "medium": "audio", "limit": 200 }));
    assert_eq!(plan["schedule"]["cron"], "0 0 * * 1");
    // The pipeline of the function itself is unchanged.
    assert_eq!((image_refresh().id(), image_refresh().tags()), ("image_refresh", &["media"][..]));
}

#[test]
fn what_is_given_for_a_run_is_read_on_top_of_the_values_params() {
    let report = Simulation::new(audio()).params(serde_json::json!({ "limit": 5 })).run();
    assert_eq!(report.output::<String>("refresh").unwrap(), "audio_refresh/audio/5/2024-01-01 audio");
    let error = Simulation::new(audio()).params(serde_json::json!({ "limits": 5 })).try_run().unwrap_err().to_string();
    assert!(error.contains("no param `limits` in pipeline `audio_refresh`"), "{error}");
}

const RETRIES: u32 = 2;
const WAIT: Duration = Duration::from_secs(7);
const LIMIT: Duration = Duration::from_mins(10);
const SLOW: Backoff = Backoff::new(Duration::from_secs(30), LIMIT);
const RANK: i32 = -1;
const LATE: Duration = Duration::from_secs(20);
const TEAM: Defaults = defaults!(retries = 1, retry_delay = WAIT);
const TAGS: &[&str] = &["a", "b"];

async fn page(_: Notification) {}

#[task(retries = RETRIES, retry_delay = WAIT, timeout = LIMIT, priority = RANK, sla = LATE, on_sla_miss = page)]
async fn fails() -> Result<u64> {
    Err("always".into())
}

#[task]
async fn fails_as_the_team_says() -> Result<u64> {
    Err("always".into())
}

#[sensor(timeout = LIMIT, backoff = SLOW, on_timeout = OnTimeout::Skip, mode = Mode::Poke, poke_timeout = LATE)]
async fn never() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

#[task(backoff(start = WAIT, max = LIMIT, factor = 3), retries = 2)]
async fn grows() -> Result<u64> {
    Err("always".into())
}

const ZONE: &str = "Europe/Berlin";
const FROM: &str = "2024-01-01";
const ALL: bool = true;

#[pipeline(
    schedule = "@daily", timezone = ZONE, start = FROM, catchup = ALL, depends_on_past = config::ON, max_active_runs = config::RUNS,
    keep = LIMIT, timeout = LIMIT, sla = LATE, escalate(LIMIT => page), defaults = TEAM, tags = TAGS,
)]
fn of_constants() {
    fails();
    fails_as_the_team_says();
    grows();
}

mod config {
    pub(super) const ON: bool = true;
    pub(super) const RUNS: u32 = 3;
}

#[test]
fn constants_mean_what_literals_do() {
    let report = Simulation::new(of_constants()).run();
    assert_eq!(report.node("fails").finished(), Some(secs(14)));
    assert_eq!(report.node("fails_as_the_team_says").finished(), Some(secs(7)));
    assert_eq!(report.node("grows").finished(), Some(secs(7 + 21)));
    assert_eq!(of_constants().tags(), ["a", "b"]);
    let plan = of_constants().plan(&serde_json::Value::Null).unwrap().to_json();
    let schedule = &plan["schedule"];
    assert_eq!((&schedule["timezone"], &schedule["start"]), (&ZONE.into(), &FROM.into()));
    assert_eq!(
        (&schedule["catchup"], &schedule["depends_on_past"], &schedule["max_active_runs"]),
        (&true.into(), &true.into(), &3.into())
    );
    assert_eq!(plan["timeout_ms"], 600_000);
}

#[test]
fn a_sensor_of_constants_waits_as_they_say() {
    #[pipeline]
    fn waits() {
        never();
    }
    let report = Simulation::new(waits()).run();
    assert_eq!(report.node("never").state(), NodeState::Skipped);
    // At 0, and after 30 s, 60 s, 120 s and 240 s; another 480 s would be beyond the ten minutes.
    assert_eq!(report.node("never").pokes(), 6);
    assert_eq!(report.finished(), Some(LIMIT));
}

#[test]
fn options_by_methods_hold_for_the_run() {
    #[pipeline]
    fn slow() {
        source(Ends::Success, 100u64);
    }
    let cut = Simulation::new(slow().timeout(secs(30))).run();
    assert_eq!((cut.state(), cut.finished()), (pipeline_runtime::RunState::Failed, Some(secs(30))));
    #[pipeline(defaults(retries = 5))]
    fn failing() {
        fails_as_the_team_says();
    }
    assert_eq!(Simulation::new(failing().defaults(TEAM)).run().finished(), Some(secs(7)));
}
