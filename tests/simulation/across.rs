//! Pipelines that wait for one another's runs.

use pipeline_runtime::NodeState::{Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::chrono::{DateTime, TimeDelta, Utc};
use pipeline_runtime::prelude::*;
use pipeline_runtime::schedule::{Interval, Timetable, Zone};
use pipeline_runtime::{OnFailed, OnTimeout, OtherRun, RunReport, RunState, Simulation, UpstreamRun, start};
use std::time::Duration;

#[task]
async fn all_copied() -> Result<u64> {
    Ok(1)
}

#[pipeline(schedule = "@hourly")]
fn copy_dedup() {
    all_copied();
}

#[pipeline(schedule = "@daily")]
fn enriched_base() {
    all_copied().named("enrich");
}

#[task]
async fn publish(base: UpstreamRun) -> Result<String> {
    Ok(format!("{} {} {}", base.pipeline(), base.run_id(), base.interval()))
}

#[task]
async fn double(copied: u64) -> Result<u64> {
    Ok(2 * copied)
}

#[pipeline(schedule = "@daily")]
fn report() {
    publish(run_of(enriched_base));
}

#[pipeline(schedule = "@daily")]
fn last_hour() {
    double(run_of(copy_dedup).at(|interval| interval.end - TimeDelta::hours(1)).output::<all_copied>());
}

fn waiting(on_failed: OnFailed) -> Pipeline {
    // One function per behavior, as a pipeline's function can only take params.
    #[pipeline(schedule = "@daily")]
    fn waits() {
        publish(run_of(enriched_base).on_failed(OnFailed::Wait).retries(3));
    }
    #[pipeline(schedule = "@daily")]
    fn skips() {
        publish(run_of(enriched_base).on_failed(OnFailed::Skip).retries(3));
    }
    #[pipeline(schedule = "@daily")]
    fn fails() {
        publish(run_of(enriched_base).retries(3));
    }
    match on_failed {
        OnFailed::Wait => waits(),
        OnFailed::Skip => skips(),
        _ => fails(),
    }
}

const DAY: &str = "2024-03-25";

fn pokes(report: &RunReport) -> Vec<u64> {
    report.node("run_of").poke_times().iter().map(Duration::as_secs).collect()
}

#[test]
fn the_run_of_the_same_interval_is_awaited_and_its_end_pokes_at_once() {
    let report = Simulation::new(report()).logical_date(DAY).ran("12m", enriched_base, RunState::Success).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(pokes(&report), [0, 720]);
    let published = report.output::<String>("publish").unwrap();
    assert_eq!(published, "enriched_base simulated__2024-03-25T00:00:00Z 2024-03-25T00:00:00Z/2024-03-26T00:00:00Z");
    assert_eq!(report.warnings(), [""; 0]);
}

#[test]
fn a_run_that_was_there_before_needs_one_poke() {
    let report = Simulation::new(report()).logical_date(DAY).ran("0s", enriched_base, RunState::Success).run();
    assert_eq!((pokes(&report), report.finished()), (vec![0], Some(Duration::ZERO)));
}

#[test]
fn a_run_of_another_interval_is_not_the_one() {
    let of_the_day_before = OtherRun::success().starting("2024-03-24");
    let report = Simulation::new(report()).logical_date(DAY).ran("12m", enriched_base, of_the_day_before).run();
    // It is poked at the deadline, and not in between.
    assert_eq!((report.state(), pokes(&report)), (RunState::Failed, vec![0, 7 * 24 * 3600]));
    assert_eq!(
        report.node("run_of").error(),
        Some(
            "timed out: not ready within 7days (2 pokes); it last looked for the run of `enriched_base` that starts at 2024-03-25T00:00:00Z"
        )
    );
    assert_eq!(report.node("publish").state(), UpstreamFailed);
    assert_eq!(
        report.warnings(),
        [
            "nothing waited for the run of `enriched_base` that starts at 2024-03-24T00:00:00Z, which was given to the simulation",
            "the simulation was not given the run of `enriched_base` that starts at 2024-03-25T00:00:00Z: `.ran(..)` in a test, `--ran` on the command line, \
             sets when a run ended, and how"
        ]
    );
    // The warnings are in the timeline as well.
    assert!(report.timeline().contains("\nwarning: the simulation was not given the run"), "{}", report.timeline());
}

#[test]
fn an_offset_says_which_run_and_an_output_of_it_flows_on() {
    let last = OtherRun::success().starting("2024-03-25T23:00:00Z").output::<all_copied>(21);
    let report = Simulation::new(last_hour()).logical_date(DAY).ran("1h", copy_dedup, last).run();
    assert_eq!(report.output::<u64>("double"), Some(42), "{}", report.timeline());
    // The node has the id of the task whose output it is.
    assert_eq!(report.output::<u64>("all_copied"), Some(21));
}

#[test]
fn an_output_that_nobody_has_told_fails_with_what_to_write() {
    let last = OtherRun::success().starting("2024-03-25T23:00:00Z");
    let report = Simulation::new(last_hour()).logical_date(DAY).ran("1h", copy_dedup, last).run();
    let error = report.node("all_copied").error().unwrap();
    assert!(error.ends_with("set it by `OtherRun::success().output::<all_copied>(..)`"), "{error}");
}

#[test]
fn a_run_that_failed_fails_at_once_whatever_the_retries() {
    let ran = OtherRun::failed("`enrich`: no such table");
    let report = Simulation::new(waiting(OnFailed::Fail)).logical_date(DAY).ran("12m", enriched_base, ran).run();
    assert_eq!((report.node("run_of").state(), report.node("run_of").attempts()), (Failed, 1));
    assert_eq!(report.finished(), Some(Duration::from_mins(12)));
    assert_eq!(
        report.node("run_of").error(),
        Some("it waits for run simulated__2024-03-25T00:00:00Z of `enriched_base`, which has failed: `enrich`: no such table")
    );
    let cancelled = Simulation::new(waiting(OnFailed::Fail)).logical_date(DAY).ran("12m", enriched_base, RunState::Cancelled);
    let cancelled = cancelled.run();
    assert!(cancelled.node("run_of").error().unwrap().ends_with("which has been cancelled"), "{}", cancelled.timeline());
}

#[test]
fn a_run_that_failed_may_be_waited_on_until_it_is_retried_to_success() {
    let simulation = Simulation::new(waiting(OnFailed::Wait)).logical_date(DAY);
    let report = simulation.ran("12m", enriched_base, RunState::Failed).ran("3h", enriched_base, RunState::Success).run();
    assert_eq!((report.state(), pokes(&report)), (RunState::Success, vec![0, 720, 10_800]));
}

#[test]
fn a_run_that_failed_may_be_a_reason_to_skip() {
    let report = Simulation::new(waiting(OnFailed::Skip)).logical_date(DAY).ran("12m", enriched_base, RunState::Failed).run();
    assert_eq!(report.state(), RunState::Success);
    assert_eq!((report.node("run_of").state(), report.node("publish").state()), (Skipped, Skipped));
}

#[test]
fn the_newest_success_of_an_interval_counts_else_the_newest_run() {
    let simulation = |pipeline| Simulation::new(pipeline).logical_date(DAY).ran("0s", enriched_base, RunState::Success);
    let failed_again = simulation(report()).ran("0s", enriched_base, RunState::Failed).run();
    assert_eq!(failed_again.state(), RunState::Success);
    let runs_again = Simulation::new(report()).logical_date(DAY).ran("0s", enriched_base, RunState::Failed);
    let runs_again = runs_again.ran("0s", enriched_base, RunState::Running).ran("5m", enriched_base, RunState::Success).run();
    assert_eq!((runs_again.state(), pokes(&runs_again)), (RunState::Success, vec![0, 300]));
}

#[test]
fn it_has_the_options_of_a_sensor() {
    #[pipeline(schedule = "@daily", defaults(poke = "1m"))]
    fn polls() {
        let base = run_of(enriched_base).named("base").timeout(Duration::from_mins(10)).on_timeout(OnTimeout::Skip);
        publish(base);
        // With an interval of its own it is also poked then; the pipeline's default does not apply to it.
        let other = run_of(copy_dedup).named("other").timeout(Duration::from_mins(10)).poke(Duration::from_secs(200));
        publish(other.on_timeout(OnTimeout::Skip)).named("of_other");
    }
    let report = Simulation::new(polls()).logical_date(DAY).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    let pokes = |id| report.node(id).poke_times().iter().map(Duration::as_secs).collect::<Vec<_>>();
    assert_eq!((pokes("base"), report.node("base").state()), (vec![0, 600], Skipped));
    assert_eq!(pokes("other"), [0, 200, 400, 600]);
}

#[test]
fn in_a_mapping_each_element_waits() {
    #[task]
    async fn regions() -> Result<Vec<String>> {
        Ok(vec!["eu".into(), "us".into()])
    }
    #[task]
    async fn load(region: String) -> Result<String> {
        Ok(region)
    }
    #[pipeline(schedule = "@daily")]
    fn mapped() {
        regions().each(|region| load(region).after(run_of(enriched_base)));
    }
    let report = Simulation::new(mapped()).logical_date(DAY).ran("12m", enriched_base, RunState::Success).run();
    assert_eq!(report.output::<Vec<String>>("each(load)"), Some(vec!["eu".to_owned(), "us".to_owned()]));
    assert_eq!(report.node("run_of[1]").pokes(), 2);
    assert_eq!(report.node("load[1]").state(), Success);
}

/// A single term, without earlier intervals.
struct Term;

fn term() -> Interval {
    Interval::new("2024-08-12T00:00:00Z".parse().unwrap(), "2024-12-20T00:00:00Z".parse().unwrap())
}

impl Timetable for Term {
    fn next_after(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        Some(term()).filter(|term| term.start > t)
    }
    fn last_at_or_before(&self, t: DateTime<Utc>, _: Zone) -> Option<Interval> {
        Some(term()).filter(|term| term.start <= t)
    }
    fn describe(&self) -> String {
        "a term".into()
    }
}

#[test]
fn a_run_is_not_started_where_its_calendar_has_no_interval() {
    #[pipeline(schedule = Term)]
    fn of_term() {
        all_copied();
    }
    #[pipeline(schedule = "@daily")]
    fn starter() {
        start(of_term, ());
    }
    let started = Simulation::new(starter()).logical_date("2024-09-01").run();
    assert_eq!(started.state(), RunState::Success, "{}", started.timeline());
    let report = Simulation::new(starter()).logical_date(DAY).run();
    let error = "the schedule of pipeline `of_term` has no data interval at 2024-03-25T00:00:00Z";
    assert_eq!((report.node("start").error(), report.node("start").attempts()), (Some(error), 1));
}

#[test]
fn a_pipeline_of_another_id_is_named_by_its_value() {
    fn of_europe() -> Pipeline {
        enriched_base().with_id("enriched_eu")
    }
    #[pipeline(schedule = "@daily")]
    fn report_of_europe() {
        publish(run_of(of_europe()));
    }
    let simulation = Simulation::new(report_of_europe()).logical_date(DAY).ran("1m", enriched_base, RunState::Failed);
    let report = simulation.ran("12m", of_europe, RunState::Success).run();
    assert_eq!((report.state(), pokes(&report)), (RunState::Success, vec![0, 720]), "{}", report.timeline());
}
