//! SLAs: reported once, while the node or run has not ended.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunReport, RunState, Simulation};

async fn late(_: Notification) {}
async fn team(_: Notification) {}
async fn manager(_: Notification) {}

fn missed(report: &RunReport, node: Option<&str>) -> Vec<(u64, String)> {
    let callbacks = report.callbacks();
    let of = callbacks.iter().filter(|callback| callback.name() == "on_sla_miss" && callback.node() == node);
    of.map(|callback| (callback.at().as_secs() / 60, callback.notifier().rsplit("::").next().unwrap().to_owned())).collect()
}

fn at(minutes: &[(u64, &str)]) -> Vec<(u64, String)> {
    minutes.iter().map(|(minute, who)| (*minute, (*who).to_owned())).collect()
}

#[test]
fn a_nodes_sla_miss_is_reported_whatever_the_node_is_doing_then() {
    static ONE: Pool = Pool::new("one_for_slas", 1);
    #[pipeline(defaults(sla = "30m", on_sla_miss = late))]
    fn states_at_the_sla() {
        source(Ends::Success, 3600u64).named("running");
        let holder = source(Ends::Success, 3600u64).pool(&ONE).priority(1).sla(mins(90)).named("holder");
        source(Ends::Success, 1u64).pool(&ONE).named("queued");
        source(Ends::Failed, 0u64).retries(1).retry_delay(mins(40)).named("up_for_retry");
        takes(holder).named("waiting");
        source(Ends::Success, 1799u64).named("in_time");
        source(Ends::Failed, 60u64).named("failed_in_time");
    }
    let report = Simulation::new(states_at_the_sla()).run();
    for id in ["running", "queued", "up_for_retry", "waiting"] {
        assert_eq!(missed(&report, Some(id)), at(&[(30, "late")]), "{id}");
    }
    for id in ["holder", "in_time", "failed_in_time"] {
        assert_eq!(missed(&report, Some(id)), at(&[]), "{id}");
    }
}

#[test]
fn a_runs_sla_and_its_escalation_are_reported_step_by_step_until_it_ends() {
    #[pipeline(sla = "45m", on_sla_miss = late, escalate("60m" => team, "90m" => [team, manager], "10h" => manager))]
    fn slow(minutes: Minutes) {
        source(Ends::Success, minutes.0 * 60);
    }
    let misses = |minutes| missed(&Simulation::new(slow()).params(Minutes(minutes)).run(), None);
    assert_eq!(misses(44), at(&[]));
    assert_eq!(misses(50), at(&[(45, "late")]));
    assert_eq!(misses(120), at(&[(45, "late"), (60, "team"), (90, "team"), (90, "manager")]));
}

/// An SLA is a time within which to end: its timer fires before the results of that instant are taken.
#[test]
fn what_ends_at_the_very_instant_of_its_sla_has_missed_it() {
    #[pipeline(sla = "45m", on_sla_miss = late, escalate("60m" => team))]
    fn exact(minutes: Minutes) {
        source(Ends::Success, minutes.0 * 60).sla(mins(45)).on_sla_miss(late);
    }
    for (minutes, of_node, of_run) in
        [(44, &[][..], &[][..]), (45, &[(45, "late")], &[(45, "late")]), (60, &[(45, "late")], &[(45, "late"), (60, "team")])]
    {
        let report = Simulation::new(exact()).params(Minutes(minutes)).run();
        assert_eq!((report.state(), report.finished()), (RunState::Success, Some(mins(minutes))), "a miss changes nothing");
        assert_eq!(missed(&report, Some("source")), at(of_node), "the node, after {minutes} minutes");
        assert_eq!(missed(&report, None), at(of_run), "the run, after {minutes} minutes");
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Minutes(u64);

#[test]
fn an_element_has_the_sla_of_its_task_counted_from_the_run() {
    #[pipeline]
    fn mapped() {
        numbers(2u64)
            .after(source(Ends::Success, 600u64))
            .each(|n| source(Ends::Success, 60u64).after(n).sla(mins(5)).on_sla_miss(late).named("slow"));
    }
    let report = Simulation::new(mapped()).run();
    // The elements were created after their SLA was over.
    assert_eq!(missed(&report, Some("slow[1]")), at(&[(10, "late")]));
}

#[test]
fn an_sla_without_anybody_to_tell_changes_nothing() {
    #[pipeline(sla = "1m")]
    fn silent() {
        source(Ends::Success, 600u64).sla(mins(1));
    }
    let report = Simulation::new(silent()).run();
    assert_eq!((report.callbacks().len(), report.finished()), (0, Some(secs(600))));
}
