//! Branches: one arm is taken, the others are skipped.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation, TaskError};

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Clean(u64),
    Quarantine(String),
    Nothing,
}

#[branch]
async fn route(n: u64) -> Result<Route> {
    match n {
        0 => Ok(Route::Nothing),
        1..=9 => Ok(Route::Quarantine(format!("{n} is too few"))),
        66 => Err(TaskError::skip("not today")),
        99 => Err("too many".into()),
        n => Ok(Route::Clean(n)),
    }
}

#[task]
async fn join(clean: Option<u64>, quarantine: Option<String>) -> Result<String> {
    Ok(format!("{clean:?} {quarantine:?}"))
}
#[task]
async fn complain(what: String) -> Result<String> {
    Ok(what)
}
#[task]
async fn rest() -> Result<u64> {
    Ok(0)
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Count(u64);

#[pipeline]
fn routed(count: Count) {
    let RouteArms { clean, quarantine, nothing } = route(count.0);
    takes(clean);
    complain(quarantine);
    rest().after(nothing);
    join(clean, quarantine);
}

const ARMS: [&str; 3] = ["takes", "complain", "rest"];

#[test]
fn the_arm_that_is_taken_carries_its_value_and_the_others_are_skipped() {
    for (count, expected, joined) in [
        (50, [Success, Skipped, Skipped], "Some(50) None"),
        (5, [Skipped, Success, Skipped], "None Some(\"5 is too few\")"),
        (0, [Skipped, Skipped, Success], "None None"),
    ] {
        let report = Simulation::new(routed()).params(Count(count)).run();
        assert_eq!(states(&report, ARMS), expected, "{count}");
        assert_eq!(report.output::<String>("join").as_deref(), Some(joined));
        assert_eq!(states(&report, ["route", "join"]), [Success; 2]);
        assert_eq!(report.state(), RunState::Success);
    }
    let report = Simulation::new(routed()).params(Count(5)).run();
    assert_eq!(states(&report, ["route.clean", "route.quarantine", "route.nothing"]), [Skipped, Success, Skipped]);
    assert_eq!(report.output::<String>("complain").as_deref(), Some("5 is too few"));
}

#[test]
fn a_branch_that_fails_fails_all_its_arms() {
    let report = Simulation::new(routed()).params(Count(99)).run();
    assert_eq!(report.node("route").state(), Failed);
    assert_eq!(states(&report, ["route.clean", "route.nothing"]), [UpstreamFailed; 2]);
    assert_eq!(states(&report, ARMS), [UpstreamFailed; 3]);
    assert_eq!(report.node("join").state(), UpstreamFailed);
    assert_eq!(report.state(), RunState::Failed);
}

#[test]
fn a_branch_that_is_skipped_skips_all_its_arms() {
    let report = Simulation::new(routed()).params(Count(66)).run();
    assert_eq!(states(&report, ARMS), [Skipped; 3]);
    assert_eq!(report.output::<String>("join").as_deref(), Some("None None"));
    assert_eq!(report.state(), RunState::Success);
}

#[test]
fn a_branch_has_options_and_may_be_stubbed() {
    #[pipeline]
    fn optional() {
        let arms = route(99u64).retries(1).retry_delay(secs(30)).named("way");
        takes(arms.clean);
    }
    let report = Simulation::new(optional()).run();
    assert_eq!((report.node("way").attempts(), report.node("way").finished()), (2, Some(secs(30))));
    let report = Simulation::new(optional()).stub("way", Route::Clean(7)).run();
    assert_eq!(report.output::<u64>("takes"), Some(7));
}

#[test]
fn branches_work_within_mappings() {
    #[pipeline]
    fn mapped() {
        sum(numbers(12u64).each(|n| {
            let RouteArms { clean, quarantine, nothing: _ } = route(n);
            length(join(clean, quarantine))
        }));
    }
    let report = Simulation::new(mapped()).run();
    assert_eq!(states(&report, ["route.clean[11]", "route.clean[3]", "route.nothing[0]"]), [Success, Skipped, Success]);
    assert_eq!(report.output::<String>("join[11]").as_deref(), Some("Some(11) None"));
    assert_eq!(report.state(), RunState::Success);
}

#[task]
async fn length(text: String) -> Result<u64> {
    Ok(text.len() as u64)
}
