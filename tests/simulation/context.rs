//! The facts about its run that an attempt can read, and a sensor's memory.

use super::tasks::*;
use pipeline_runtime::NodeState::Success;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{OnTimeout, RunKind, Simulation};

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct RunFacts {
    pipeline: String,
    node: String,
    run: String,
    attempt: u32,
    dates: [String; 3],
    previous: [Option<String>; 2],
    key: String,
}

#[task(retries = 2, retry_delay = "1m")]
async fn know(ctx: Context, fail_until: u32) -> Result<RunFacts> {
    if ctx.attempt() < fail_until {
        return Err(format!("key {}", ctx.idempotency_key()).into());
    }
    Ok(RunFacts {
        pipeline: ctx.pipeline().into(),
        node: ctx.node().into(),
        run: ctx.run_id().into(),
        attempt: ctx.attempt(),
        dates: [ctx.logical_date(), ctx.data_interval_start(), ctx.data_interval_end()].map(|date| date.to_rfc3339()),
        previous: [ctx.prev_data_interval_start_success(), ctx.prev_data_interval_end_success()]
            .map(|date| date.map(|date| date.to_rfc3339())),
        key: ctx.idempotency_key(),
    })
}

#[pipeline(schedule = "0 6 * * *", timezone = "Europe/Berlin")]
fn nightly() {
    know(1u32);
}

#[test]
fn dates_are_those_of_the_data_interval_in_utc() {
    let report = Simulation::new(nightly()).logical_date("2024-03-30T12:00:00Z").run();
    let known = report.output::<RunFacts>("know").unwrap();
    // Six o'clock in Berlin; the clocks go forward in between.
    let [start, end] = ["2024-03-30T05:00:00+00:00", "2024-03-31T04:00:00+00:00"].map(String::from);
    assert_eq!(known.dates, [start.clone(), start, end]);
    assert_eq!((known.pipeline.as_str(), known.node.as_str(), known.attempt), ("nightly", "know", 1));
    assert_eq!(known.run, "simulated__2024-03-30T05:00:00Z");
    assert_eq!(known.previous, [None, None]);
}

#[test]
fn without_a_schedule_the_interval_is_one_point() {
    #[pipeline]
    fn once() {
        know(1u32);
    }
    let report = Simulation::new(once()).logical_date("2024-03-30T12:00:00Z").run();
    assert_eq!(report.output::<RunFacts>("know").unwrap().dates, ["2024-03-30T12:00:00+00:00"; 3].map(String::from));
}

#[test]
fn the_previous_success_is_known_where_there_was_one() {
    let report = Simulation::new(nightly()).logical_date("2024-01-05T12:00:00Z").previous_success("2024-01-03T12:00:00Z").run();
    let expected = ["2024-01-03T05:00:00+00:00", "2024-01-04T05:00:00+00:00"].map(|date| Some(date.to_owned()));
    assert_eq!(report.output::<RunFacts>("know").unwrap().previous, expected);
}

#[test]
fn the_idempotency_key_is_the_same_for_all_attempts_and_no_other_node_has_it() {
    #[pipeline]
    fn retried() {
        know(3u32);
        know(1u32);
        numbers(2u64).each(|_| know(1u32).named("mapped"));
    }
    let report = Simulation::new(retried()).run();
    let last = report.output::<RunFacts>("know").unwrap();
    assert_eq!(last.attempt, 3);
    let of = |id| report.output::<RunFacts>(id).unwrap().key;
    let keys = std::collections::BTreeSet::from([last.key, of("know__2"), of("mapped[0]"), of("mapped[1]")]);
    assert_eq!(keys.len(), 4);
    let errors = Simulation::new(retried()).fail("know", 3, "x").run();
    assert_eq!(errors.node("know").attempts(), 3);
    assert!(
        keys.contains(&format!("retried/{}/know", of_run(&report))),
        "runs of other pipelines may have the same id: {keys:?}"
    );
}

#[task]
async fn stores(closed: String) -> Result<Vec<String>> {
    Ok(["ber", "zrh", "lon"].into_iter().filter(|store| *store != closed).map(String::from).collect())
}

#[task]
async fn load(ctx: Context, store: String) -> Result<[String; 2]> {
    Ok([ctx.idempotency_key_for(&store), ctx.idempotency_key()])
}

#[test]
fn a_key_for_an_element_names_it_by_what_it_is_wherever_it_stands() {
    #[pipeline]
    fn shop(closed: Closed) {
        stores(closed.store).each(load);
    }
    #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
    struct Closed {
        store: String,
    }
    let zurich = |closed: &str, at: usize| {
        let report = Simulation::new(shop()).logical_date("2024-03-25").params(Closed { store: closed.into() }).run();
        report.output::<[String; 2]>(&format!("load[{at}]")).unwrap()
    };
    let [by_value, by_index] = zurich("none", 1);
    let [still_by_value, another_index] = zurich("ber", 0);
    assert_eq!(by_value, "shop/simulated__2024-03-25T00:00:00Z/load[zrh]");
    assert_eq!(by_value, still_by_value);
    assert_ne!(by_index, another_index);
}

fn of_run(report: &pipeline_runtime::RunReport) -> String {
    report.output::<RunFacts>("know").unwrap().run
}

#[test]
fn the_key_in_an_earlier_attempts_error_is_that_of_the_last() {
    #[pipeline]
    fn failing() {
        know(9u32);
    }
    let report = Simulation::new(failing()).run();
    let key = report.node("know").error().unwrap().strip_prefix("key ").unwrap().to_owned();
    assert!(key.ends_with("/know"), "{key}");
}

// ---- memory

/// Becomes ready at poke `ready`; remembers the number of pokes, and fails at those in `errors`.
#[sensor(timeout = "10m", poke = "1m", retries = 3, retry_delay = "30s")]
async fn counting(ctx: Context, ready: u64, errors: Vec<u64>) -> Result<Poke<u64>> {
    let pokes = ctx.recall::<u64>()?.unwrap_or(0) + 1;
    ctx.remember(&pokes)?;
    if errors.contains(&pokes) {
        return Err("503".into());
    }
    Ok(if pokes >= ready { Poke::Ready(pokes) } else { Poke::NotYet })
}

#[test]
fn a_sensor_remembers_over_pokes_and_retries() {
    #[pipeline]
    fn remembering() {
        counting(5u64, vec![2u64, 4]);
    }
    let report = Simulation::new(remembering()).run();
    assert_eq!(in_secs(report.node("counting").poke_times()), [0, 60, 90, 150, 180]);
    assert_eq!(report.output::<u64>("counting"), Some(5));
}

#[test]
fn what_is_remembered_is_the_nodes_own() {
    #[pipeline]
    fn several() {
        counting(2u64, Vec::<u64>::new());
        counting(3u64, Vec::<u64>::new());
        numbers(2u64).each(|_| counting(4u64, Vec::<u64>::new()).named("mapped"));
    }
    let report = Simulation::new(several()).run();
    assert_eq!(["counting", "counting__2", "mapped[0]", "mapped[1]"].map(|id| report.node(id).pokes()), [2, 3, 4, 4]);
}

#[test]
fn a_task_may_remember_from_attempt_to_attempt() {
    #[task(retries = 3, retry_delay = "1m")]
    async fn pages(ctx: Context) -> Result<u64> {
        let page = ctx.recall::<u64>()?.unwrap_or(0);
        ctx.remember(&(page + 1))?;
        if page < 2 { Err("503".into()) } else { Ok(page) }
    }
    #[pipeline]
    fn paging() {
        pages();
    }
    assert_eq!(Simulation::new(paging()).run().output::<u64>("pages"), Some(2));
}

#[test]
fn what_is_of_another_type_is_an_error_of_the_poke() {
    #[sensor(timeout = "10m", poke = "1m")]
    async fn confused(ctx: Context) -> Result<Poke<u64>> {
        ctx.recall::<u64>()?;
        ctx.remember(&"three")?;
        Ok(Poke::NotYet)
    }
    #[pipeline]
    fn confusing() {
        confused().on_timeout(OnTimeout::Fail);
    }
    let report = Simulation::new(confusing()).run();
    assert_eq!(report.node("confused").finished(), Some(secs(60)));
    assert!(report.node("confused").error().unwrap().contains("invalid type"), "{:?}", report.node("confused").error());
}

#[test]
fn a_context_costs_no_wire() {
    #[task]
    async fn only_context(ctx: Context) -> Result<u32> {
        Ok(ctx.attempt())
    }
    #[pipeline]
    fn alone() {
        only_context();
    }
    assert_eq!(states(&Simulation::new(alone()).run(), ["only_context"]), [Success]);
}

/// The run's kind, whether it is the newest, its start and the start of the last one; checks a template with the same facts.
#[task]
async fn standing(ctx: Context, rendered: String) -> Result<(String, bool, Option<String>, String)> {
    let previous = ctx.prev_run_started_success().map(|date| date.to_rfc3339());
    assert_eq!(rendered, format!("{} {}", ctx.kind(), ctx.run_started().to_rfc3339()));
    Ok((ctx.kind().name().to_owned(), ctx.is_latest(), previous, ctx.run_started().to_rfc3339()))
}

#[sensor(poke = "1h")]
async fn a_day_and_an_hour(ctx: Context) -> Result<Poke<u64>> {
    Ok(if ctx.started() >= ctx.run_started() + chrono::TimeDelta::hours(25) { Poke::Ready(1) } else { Poke::NotYet })
}

#[pipeline(schedule = "@daily")]
fn standings() {
    standing(template!("{{ run.kind }} {{ run.started }}")).named("early");
    standing(template!("{{ run.kind }} {{ run.started }}")).named("late").after(a_day_and_an_hour());
}

type Standing = (String, bool, Option<String>, String);

#[test]
fn a_run_knows_what_made_it_and_whether_it_is_the_newest() {
    let simulation = || Simulation::new(standings()).logical_date("2024-03-25");
    let began = "2024-03-26T00:00:00+00:00".to_owned();
    let report = simulation().previous_success("2024-03-20").run();
    let before = Some("2024-03-21T00:00:00+00:00".to_owned());
    assert_eq!(report.output::<Standing>("early"), Some(("scheduled".into(), true, before.clone(), began.clone())));
    // By then the next run has started.
    assert_eq!(report.output::<Standing>("late"), Some(("scheduled".into(), false, before, began.clone())));
    let report = simulation().kind(RunKind::Backfill).run();
    assert_eq!(report.output::<Standing>("late"), Some(("backfill".into(), false, None, began.clone())));
    // A manual run always counts as the newest.
    let report = simulation().kind(RunKind::Manual).run();
    assert_eq!(report.output::<Standing>("late"), Some(("manual".into(), true, None, began)));
}

#[test]
fn without_a_schedule_each_run_is_the_newest() {
    #[pipeline]
    fn once() {
        standing(template!("{{ run.kind }} {{ run.started }}"));
    }
    let report = Simulation::new(once()).logical_date("2024-03-30T12:00:00Z").run();
    let began = "2024-03-30T12:00:00+00:00".into();
    assert_eq!(report.output::<Standing>("standing"), Some(("manual".into(), true, None, began)));
}
