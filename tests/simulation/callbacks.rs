//! Callbacks: for every end, in order, until they are delivered; they never change a run.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{AlertText, BoxFuture, CallbackReport, Nobody, RunReport, RunState, Simulation};
use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    /// The notifications that arrived, in order. Notifiers of a simulation run on its own thread.
    static HEARD: RefCell<Vec<(String, Notification)>> = const { RefCell::new(Vec::new()) };
    /// How many more times `unwell` fails.
    static FAILS: RefCell<u32> = const { RefCell::new(0) };
}

fn hear(by: &str, n: Notification) {
    HEARD.with_borrow_mut(|heard| heard.push((by.to_owned(), n)));
}

fn heard() -> Vec<String> {
    HEARD
        .take()
        .into_iter()
        .map(|(by, n)| format!("{by}: {} of {} at {}", n.name(), n.node().unwrap_or("the run"), n.at().format("%H:%M:%S")))
        .collect()
}

async fn well(n: Notification) -> Result<()> {
    hear("well", n);
    Ok(())
}
/// Fails as often as [`FAILS`] says.
async fn unwell(n: Notification) -> Result<()> {
    if FAILS.with_borrow_mut(|fails| std::mem::replace(fails, fails.saturating_sub(1))) > 0 {
        return Err("nobody answers".into());
    }
    hear("unwell", n);
    Ok(())
}
async fn deaf(_: Notification) -> Result<()> {
    Err("nobody answers".into())
}
async fn panicking(_: Notification) -> Result<()> {
    panic!("no such channel")
}
async fn hanging(_: Notification) {
    std::future::pending::<()>().await;
}

fn of<'a>(report: &'a RunReport, notifier: &str) -> Vec<CallbackReport<'a>> {
    report.callbacks().into_iter().filter(|callback| callback.notifier().ends_with(notifier)).collect()
}

#[pipeline(on_success = well, on_failure = well, defaults(on_failure = well, on_upstream_failed = well, on_retry = well, on_success = well, on_skipped = well))]
fn all_events() {
    let bad = source(Ends::Failed, 5u64).retries(1).retry_delay(secs(10)).named("bad");
    takes(bad).named("behind");
    source(Ends::Success, 1u64).named("good");
    takes(source(Ends::Skipped, 2u64).named("skipping")).named("skipped");
}

#[test]
fn every_end_is_told_upstream_failed_and_skipped_included() {
    let report = Simulation::new(all_events()).logical_date("2024-01-01").run();
    assert_eq!(
        heard(),
        [
            "well: on_success of good at 00:00:01",
            "well: on_skipped of skipping at 00:00:02",
            "well: on_skipped of skipped at 00:00:02",
            "well: on_retry of bad at 00:00:05",
            "well: on_failure of bad at 00:00:20",
            "well: on_upstream_failed of behind at 00:00:20",
            "well: on_failure of the run at 00:00:20",
        ]
    );
    assert!(report.callbacks().iter().all(|callback| callback.told() == Some(callback.at()) && callback.tries() == 1));
}

#[pipeline(on_success = well, on_failure = well, on_upstream_failed = well, on_retry = well, on_skipped = well)]
fn all_events_of_a_pipeline() {
    let bad = source(Ends::Failed, 5u64).retries(1).retry_delay(secs(10)).named("bad");
    takes(bad).named("behind");
    source(Ends::Success, 1u64).named("good");
    takes(source(Ends::Skipped, 2u64).named("skipping")).named("skipped");
}

/// A run is neither retried nor skipped. So a pipeline is notified of its nodes' retries and skips, and of its own end only.
#[test]
fn a_pipeline_hears_of_its_nodes_retries_and_skips() {
    Simulation::new(all_events_of_a_pipeline()).logical_date("2024-01-01").run();
    assert_eq!(
        heard(),
        [
            "well: on_skipped of skipping at 00:00:02",
            "well: on_skipped of skipped at 00:00:02",
            "well: on_retry of bad at 00:00:05",
            "well: on_upstream_failed of behind at 00:00:20",
            "well: on_failure of the run at 00:00:20",
        ]
    );
}

/// One missing file causes one alert, however many nodes did not run because of it.
#[test]
fn what_did_not_run_because_of_a_failure_is_no_failure_of_its_own() {
    #[pipeline(defaults(on_failure = well))]
    fn wide() {
        let bad = source(Ends::Failed, 5u64).named("bad");
        for _ in 0..20 {
            takes(takes(bad));
        }
        numbers(3u64).each(|n| sum([takes(bad), n]));
    }
    let report = Simulation::new(wide()).logical_date("2024-01-01").run();
    assert_eq!(report.node("takes__40").state(), pipeline_runtime::NodeState::UpstreamFailed);
    assert_eq!(heard(), ["well: on_failure of bad at 00:00:05"]);
}

#[task(on_failure = none)]
async fn fails_in_silence() -> Result<u64> {
    Err("it is only a try".into())
}

#[test]
fn a_default_is_taken_away_by_an_attribute_and_by_a_method() {
    #[pipeline(on_failure = well, defaults(on_failure = well))]
    fn quiet() {
        fails_in_silence();
        source(Ends::Failed, 1u64).named("hushed").on_failure(Nobody);
        source(Ends::Failed, 2u64).named("loud");
        // The setting nearest to the node applies.
        fails_in_silence().named("aloud").on_failure(unwell);
    }
    let report = Simulation::new(quiet()).logical_date("2024-01-01").run();
    assert_eq!(
        heard(),
        [
            "unwell: on_failure of aloud at 00:00:00",
            "well: on_failure of loud at 00:00:02",
            "well: on_failure of the run at 00:00:02"
        ]
    );
    assert_eq!(report.callbacks().len(), 3);
    Simulation::new(quiet().on_failure(Nobody)).run();
    assert_eq!(heard().len(), 2);
}

#[test]
fn a_pipelines_callbacks_by_methods_replace_the_attributes_and_add_up() {
    #[pipeline(on_failure = deaf, on_success = well)]
    fn alarmed() {
        source(Ends::Failed, 1u64);
    }
    let report = Simulation::new(alarmed().on_failure(well).on_failure(unwell)).run();
    assert_eq!(report.callbacks().len(), 2);
    assert_eq!(heard().len(), 2);
}

#[test]
fn a_run_that_succeeds_tells_so() {
    #[pipeline(on_success = well, on_failure = well)]
    fn quiet() {
        source(Ends::Success, 3u64);
    }
    Simulation::new(quiet()).logical_date("2024-01-01").run();
    assert_eq!(heard(), ["well: on_success of the run at 00:00:03"]);
}

#[sensor(timeout = "10m", poke = "3m", retries = 1, retry_delay = "1m", on_retry = well, on_failure = well)]
async fn looking(key: String, poke: u64, ctx: Context) -> Result<Poke<u64>> {
    let pokes = ctx.recall::<u64>()?.unwrap_or(0) + 1;
    ctx.remember(&pokes)?;
    if pokes == poke { Err(format!("cannot read {key}").into()) } else { Ok(Poke::NotYet) }
}

#[test]
fn a_notification_tells_what_which_key_attempt_elapsed_budget_and_error() {
    #[pipeline]
    fn detailed() {
        looking(template!("raw/{{ ds }}.csv"), 2u64);
    }
    Simulation::new(detailed()).logical_date("2024-03-25").run();
    let [(_, retry), (_, failure)] = HEARD.take().try_into().unwrap();
    assert_eq!(
        (retry.name(), retry.state(), retry.node(), retry.pipeline()),
        ("on_retry", Some("up_for_retry"), Some("looking"), "detailed")
    );
    assert_eq!((retry.attempt(), retry.attempts(), retry.pokes()), (Some(1), Some(2), Some(2)));
    assert_eq!((retry.elapsed(), retry.budget_left()), (Some(mins(3)), Some(mins(7))));
    assert_eq!(retry.error(), Some("cannot read raw/2024-03-25.csv"));
    assert_eq!(retry.inputs(), [("key".to_owned(), "raw/2024-03-25.csv".to_owned())]);
    assert_eq!((failure.attempt(), failure.pokes(), failure.budget_left()), (Some(2), Some(5), Some(Duration::ZERO)));
    assert_eq!(failure.error(), Some("timed out: not ready within 10m (5 pokes)"));
    assert_eq!(failure.logical_date().to_rfc3339(), "2024-03-25T00:00:00+00:00");
}

#[test]
fn what_is_told_of_an_upstream_failed_node_names_the_root_cause() {
    #[pipeline]
    fn behind() {
        takes(takes(source(Ends::Failed, 1u64))).on_failure(deaf).on_upstream_failed(well);
    }
    Simulation::new(behind()).run();
    let [(_, n)] = HEARD.take().try_into().unwrap();
    assert_eq!((n.state(), n.error()), (Some("upstream_failed"), Some("`source` failed: failed after 1 s")));
}

#[test]
fn somebody_who_cannot_be_told_is_tried_again_after_1_2_4_seconds() {
    #[pipeline]
    fn retried() {
        source(Ends::Success, 1u64).on_success(unwell);
    }
    FAILS.set(3);
    let report = Simulation::new(retried()).run();
    let [callback] = report.callbacks().try_into().unwrap();
    assert_eq!((callback.at(), callback.told(), callback.tries()), (secs(1), Some(secs(1 + 1 + 2 + 4)), 4));
    // The run did not wait for the callback.
    assert_eq!(report.finished(), Some(secs(1)));
}

#[test]
fn and_at_most_five_minutes_apart_for_24_hours_which_never_changes_the_run() {
    #[pipeline]
    fn hopeless() {
        takes(source(Ends::Success, 0u64).on_success(deaf));
    }
    let report = Simulation::new(hopeless()).run();
    let [callback] = report.callbacks().try_into().unwrap();
    // At 0, then after 1, 2, 4, … 256 s, which is at 511 s, then every 300 s up to 24 h.
    let tries = 1 + 9 + (24 * 3600 - 511) / 300;
    assert_eq!((callback.told(), callback.tries()), (None, tries));
    assert_eq!((report.state(), report.finished()), (RunState::Success, Some(secs(0))));
}

#[test]
fn one_notifier_is_told_in_order_and_another_does_not_wait_for_it() {
    #[pipeline]
    fn ordered() {
        source(Ends::Success, 1u64).on_success(unwell).named("a");
        source(Ends::Success, 2u64).on_success(unwell).on_success(well).named("b");
        source(Ends::Success, 3u64).on_success(unwell).named("c");
    }
    FAILS.set(3);
    let report = Simulation::new(ordered()).logical_date("2024-01-01").run();
    // `a` is delivered at 8 s, and only then the others.
    let told = |notifier| of(&report, notifier).iter().map(|callback| callback.told().unwrap().as_secs()).collect::<Vec<_>>();
    assert_eq!((told("::well"), told("::unwell")), (vec![2], vec![8, 8, 8]));
    assert_eq!(
        heard()[1..],
        ["a at 00:00:01", "b at 00:00:02", "c at 00:00:03"].map(|line| format!("unwell: on_success of {line}"))
    );
}

#[test]
fn a_notifier_that_panics_or_hangs_is_one_that_failed() {
    #[pipeline]
    fn odd() {
        source(Ends::Success, 1u64).on_success(panicking).on_success(hanging).on_success(well);
    }
    let report = Simulation::new(odd()).run();
    assert_eq!(report.state(), RunState::Success);
    assert_eq!(heard().len(), 1);
    let tries = |notifier| of(&report, notifier)[0].tries();
    assert_eq!(tries("::panicking"), 296);
    // Each try takes a minute, after which it is cut off.
    assert!((230..250).contains(&tries("::hanging")), "{}", tries("::hanging"));
}

struct Channel {
    name: &'static str,
}
impl Notify for Channel {
    fn notify(&self, n: Notification) -> BoxFuture<Result<()>> {
        hear(self.name, n);
        Box::pin(async { Ok(()) })
    }
    fn label(&self) -> String {
        self.name.into()
    }
}
const OPS: Channel = Channel { name: "ops" };
const DATA: Channel = Channel { name: "data" };

#[task(on_success = [OPS, DATA])]
async fn announced() -> Result<u64> {
    Ok(1)
}

#[test]
fn a_list_of_notifiers_is_told_and_an_override_replaces_it() {
    #[pipeline]
    fn lists() {
        announced();
        announced().on_success(well);
    }
    Simulation::new(lists()).logical_date("2024-01-01").run();
    let mut heard = heard();
    heard.sort();
    let expected = ["data: on_success of announced", "ops: on_success of announced", "well: on_success of announced__2"];
    assert_eq!(heard, expected.map(|line| format!("{line} at 00:00:00")));
}

#[test]
fn elements_are_told_of_one_by_one() {
    #[pipeline]
    fn mapped() {
        numbers(4u64).each(|n| by_number(n).on_failure(well).on_success(well));
    }
    let report = Simulation::new(mapped()).run();
    assert_eq!(callback_times(&report, "on_failure", Some("by_number[3]")), [0]);
    assert_eq!(callback_times(&report, "on_success", Some("by_number[0]")), [0]);
    assert_eq!(HEARD.take().len(), 4);
}

#[test]
fn a_run_that_failed_names_the_nodes_that_did_though_not_a_thousand_of_them() {
    #[pipeline(on_failure = well)]
    fn many() {
        numbers(200u64).each(|n| takes(by_number(n)));
    }
    Simulation::new(many()).run();
    let [(_, n)] = HEARD.take().try_into().unwrap();
    let named = (0..10).map(|n| format!("`by_number[{}]` failed: {0} is wrong", 3 + n * 10)).collect::<Vec<_>>().join("; ");
    assert_eq!(n.error(), Some(format!("{named}; and 10 more failed").as_str()));
}

#[test]
fn ten_thousand_callbacks_are_told() {
    #[pipeline]
    fn many() {
        numbers(10_000u64).each(|n| takes(n).on_success(well));
    }
    let report = Simulation::new(many()).run();
    assert_eq!(HEARD.take().len(), 10_000);
    assert!(report.callbacks().iter().all(|callback| callback.told().is_some()));
}

/// An alert's template has the same facts about the run as the run's own templates.
#[test]
fn a_text_has_what_the_run_knows() {
    const TEXT: AlertText = alert!(
        "{{ task.id | default('the run') }} of {{ dag.id }} on {{ local_ds }}: {{ error | default('-') }} ({{ params.region }}, {{ run.kind }}, {{ elapsed }})"
    );
    async fn say(n: Notification) -> Result<()> {
        let text = n.render(&TEXT)?;
        SAID.with_borrow_mut(|said| said.push(text));
        Ok(())
    }
    thread_local!(static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    struct Regions {
        region: String,
    }
    #[pipeline(schedule = "@daily", timezone = "Europe/Berlin", on_failure = say, defaults(on_failure = say))]
    fn nightly(_: Regions) {
        source(Ends::Failed, 5u64).named("load");
    }
    Simulation::new(nightly()).logical_date("2024-03-25").params(Regions { region: "eu".into() }).run();
    assert_eq!(
        SAID.take(),
        [
            "load of nightly on 2024-03-25: failed after 5 s (eu, scheduled, 5s)",
            "the run of nightly on 2024-03-25: `load` failed: failed after 5 s (eu, scheduled, 5s)",
        ]
    );
}
