//! Runs that end before their nodes: by their timeout, and by being cancelled.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState, Simulation};

std::thread_local! {
    /// The error of the last notification. Notifiers of a simulation run on its own thread.
    static ERROR: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

async fn hear(n: Notification) {
    if n.node().is_none() {
        ERROR.set(n.error().map(str::to_owned));
    }
}

#[sensor(timeout = "30m", poke = "1m")]
async fn waiting() -> Result<Poke<u64>> {
    Ok(Poke::NotYet)
}

fn wire() {
    static ONE: Pool = Pool::new("one_for_ends", 1);
    let done = source(Ends::Success, 60u64).named("done");
    let running = source(Ends::Success, 36_000u64).pool(&ONE).priority(1).named("running");
    source(Ends::Success, 1u64).pool(&ONE).named("queued");
    source(Ends::Failed, 0u64).retries(1).retry_delay(mins(600)).named("up_for_retry");
    waiting();
    outcome(running).named("downstream");
    numbers(3u64).each(|n| source(Ends::Success, 36_000u64).after(n).named("mapped")).max_active(1);
    takes(done).on_success(hear);
    takes(waiting().named("another")).on_skipped(hear).named("told");
}

#[pipeline(timeout = "30m", on_failure = hear)]
fn limited() {
    wire();
}
#[pipeline(on_failure = hear, on_cancel = hear)]
fn unlimited() {
    wire();
}

const UNFINISHED: [&str; 10] =
    ["running", "queued", "up_for_retry", "downstream", "mapped[0]", "mapped[1]", "mapped[2]", "each(mapped)", "another", "told"];

fn check(report: &RunReport, state: RunState, event: &str, at: u64) {
    assert_eq!((report.state(), report.finished()), (state, Some(secs(at))), "{}", report.timeline());
    assert_eq!(states(report, ["done", "takes"]), [Success; 2]);
    for id in UNFINISHED {
        assert_eq!((report.node(id).state(), report.node(id).finished()), (Skipped, Some(secs(at))), "{id}");
    }
    // Nothing starts after that, but callbacks are notified.
    assert_eq!(report.node("queued").started(), None);
    assert_eq!(report.node("downstream").started(), None);
    for other in ["on_failure", "on_cancel"] {
        assert_eq!(callback_times(report, other, None), if other == event { vec![at] } else { vec![] }, "{other}");
    }
    assert_eq!(callback_times(report, "on_skipped", Some("told")), [at]);
    assert!(report.callbacks().iter().all(|callback| callback.told().is_some()));
}

#[test]
fn a_runs_timeout_cuts_off_what_runs_skips_what_has_not_ended_and_fails_the_run() {
    check(&Simulation::new(limited()).run(), RunState::Failed, "on_failure", 1800);
    assert_eq!(ERROR.take().as_deref(), Some("it took longer than its `timeout` of 30m"));
}

#[test]
fn cancelling_does_the_same_and_the_run_is_cancelled() {
    check(&Simulation::new(unlimited()).cancel("10m").run(), RunState::Cancelled, "on_cancel", 600);
}

#[test]
fn a_run_that_has_ended_can_not_be_cancelled() {
    #[pipeline]
    fn short() {
        source(Ends::Failed, 1u64);
    }
    let report = Simulation::new(short()).cancel("1m").cancel("2m").run();
    assert_eq!((report.state(), report.finished(), report.node("source").state()), (RunState::Failed, Some(secs(1)), Failed));
}

#[test]
fn a_run_that_ends_in_time_is_not_touched() {
    #[pipeline(timeout = "30m")]
    fn in_time() {
        source(Ends::Success, 1799u64);
    }
    assert_eq!(Simulation::new(in_time()).run().state(), RunState::Success);
}

/// As for an SLA, the limit's timer fires before the results of that instant are taken.
#[test]
fn a_run_that_would_end_at_the_very_instant_of_its_timeout_is_cut_off() {
    #[pipeline(timeout = "30m")]
    fn exact() {
        source(Ends::Success, 1800u64);
    }
    let report = Simulation::new(exact()).run();
    assert_eq!((report.state(), report.finished()), (RunState::Failed, Some(mins(30))));
    assert_eq!(states(&report, ["source"]), [Skipped]);
}

#[task]
async fn either(n: Option<u64>) -> Result<u64> {
    Ok(n.unwrap_or(7))
}

#[pipeline]
fn skippable() {
    let sensor = waiting();
    either(sensor);
    takes(sensor).named("strict");
    either(source(Ends::Failed, 0u64).named("failing")).named("after_failing");
}

#[test]
fn what_somebody_skips_goes_on_as_anything_skipped_does() {
    let report = Simulation::new(skippable()).skip("10m", "waiting").skip("20m", "failing").run();
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(secs(1200))), "{}", report.timeline());
    assert_eq!(states(&report, ["waiting", "strict", "failing"]), [Skipped; 3]);
    assert_eq!(states(&report, ["either", "after_failing"]), [Success; 2]);
    assert_eq!(report.output::<u64>("after_failing"), Some(7));
}
