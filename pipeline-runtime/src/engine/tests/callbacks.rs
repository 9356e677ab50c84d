//! Callbacks across deployments: a notification reaches the notifier that it was meant for, or is given up with a reason.

use super::super::effects::{Action, Answered, Outbox};
use super::super::log::{Entry, Record};
use super::super::state::Run;
use super::harness::{START, spec};
use super::rules::{Bench, RUN, core};
use crate::BoxFuture;
use crate::plan::Recipient;
use crate::prelude::*;
use std::sync::Arc;

#[task]
async fn load() -> Result<u64> {
    Ok(1)
}
async fn slack(_: Notification) {}
async fn pager(_: Notification) {}
async fn mail(_: Notification) {}

#[pipeline(on_failure = slack)]
fn v1() {
    load();
}
#[pipeline(sla = "45m", on_sla_miss = pager, on_failure = slack)]
fn v2() {
    load();
}
#[pipeline(on_success = mail)]
fn v3() {
    load();
}
#[pipeline]
fn v4() {
    load();
}

/// The records of a run that failed, with a callback that was not delivered.
fn failed(pipeline: &crate::Pipeline) -> Vec<Entry> {
    let mut bench = Bench::new(pipeline);
    bench.answer("load", Answered::Fatal("503".into()));
    bench.entries
}

/// Returns who is notified by a process with that code, and why a callback is given up.
fn delivered(entries: &[Entry], pipeline: &crate::Pipeline) -> (Vec<String>, Vec<String>) {
    let plan = Arc::new(pipeline.plan(&serde_json::Value::Null).unwrap());
    let mut core = core();
    core.resume(Run::replay(spec(&plan, RUN), START, entries).unwrap(), START);
    let Outbox { records, todo, .. } = std::mem::take(core.outbox());
    let told = todo.actions.iter().map(|action| match action {
        Action::Deliver { notifier, notification, .. } => {
            let label = &plan.notifiers[*notifier as usize].label;
            format!("{} of {}", notification.name(), label.rsplit("::").next().unwrap_or_default())
        }
        other => panic!("nobody asked for {other:?}"),
    });
    let given_up = records.iter().filter_map(|(_, entry)| match entry.record {
        Record::CallbackFailed { next: None, error, .. } => Some(error.to_string()),
        _ => None,
    });
    let result: (Vec<String>, Vec<String>) = (told.collect(), given_up.collect());
    // Nothing keeps the run in memory after that.
    assert_eq!(core.run(RUN).unwrap().callbacks().is_empty(), result.0.is_empty());
    result
}

#[test]
fn a_callback_that_is_due_over_a_deployment_goes_to_whom_it_was_for_or_to_nobody() {
    let entries = failed(&v1());
    assert_eq!(delivered(&entries, &v1()), (vec!["on_failure of slack".into()], vec![]));
    assert_eq!(delivered(&entries, &v2()), (vec!["on_failure of slack".into()], vec![]));
    for changed in [v3(), v4()] {
        let (told, given_up) = delivered(&entries, &changed);
        assert_eq!((told.len(), given_up.len()), (0, 1));
        assert!(
            given_up[0].ends_with("slack` is no longer among the callbacks for this event, since the code has changed"),
            "{given_up:?}"
        );
    }
}

#[test]
fn a_journal_that_kept_an_index_is_read_where_the_index_still_means_something() {
    let indexed = |index: u32| {
        let mut entries = failed(&v1());
        for entry in &mut entries {
            if let Record::CallbackDue { recipient, .. } = &mut entry.record {
                *recipient = Recipient { label: None, position: index, is_one_of_several: false };
            }
        }
        entries
    };
    assert_eq!(delivered(&indexed(0), &v1()).0, ["on_failure of slack"]);
    assert_eq!(
        delivered(&indexed(7), &v1()),
        (vec![], vec!["the notifier is no longer among the callbacks for this event, since the code has changed".into()])
    );
    assert_eq!(delivered(&indexed(0), &v3()).0, [""; 0]);
}

struct Printer {
    prefix: &'static str,
}
impl Notify for Printer {
    fn notify(&self, _: Notification) -> BoxFuture<Result<()>> {
        let _ = self.prefix;
        Box::pin(async { Ok(()) })
    }
}
const EU: Printer = Printer { prefix: "eu" };
const US: Printer = Printer { prefix: "us" };

#[pipeline(on_failure = [EU, US])]
fn both() {
    load();
}
#[pipeline(on_failure = [slack, US])]
fn us_alone() {
    load();
}
#[pipeline]
fn regions() {
    for region in ["eu", "us"] {
        load().named(region).on_failure(move |_: Notification| async move {
            assert!(!region.is_empty());
        });
    }
}

#[test]
fn two_notifiers_of_one_type_with_other_fields_are_two() {
    let notifiers = |pipeline: crate::Pipeline| pipeline.plan(&serde_json::Value::Null).unwrap().notifiers.len();
    assert_eq!(notifiers(both()), 2);
    // Closures differ by what they capture, too.
    assert_eq!(notifiers(regions()), 2);
    let entries = failed(&both());
    assert_eq!(delivered(&entries, &both()).0.len(), 2);
    // Several notifiers of one name are distinguished only by position: a notification for the removed one reaches nobody.
    let (told, given_up) = delivered(&entries, &us_alone());
    assert_eq!((told, given_up.len()), (vec!["on_failure of Printer".to_owned()], 1));
}

#[test]
fn a_notifiers_error_is_cut_and_says_how_much_is_missing() {
    let kept = |text: String| {
        let mut core = core();
        let plan = Arc::new(v1().plan(&serde_json::Value::Null).unwrap());
        core.resume(Run::replay(spec(&plan, RUN), START, &failed(&v1())).unwrap(), START);
        drop(std::mem::take(core.outbox()));
        core.delivered(RUN, 0, Err(text.into()), START);
        let records = std::mem::take(core.outbox()).records;
        let error = records.iter().find_map(|(_, entry)| match &entry.record {
            Record::CallbackFailed { error, .. } => Some(error.to_string()),
            _ => None,
        });
        error.unwrap()
    };
    let just = "é".repeat(8 << 10);
    assert_eq!(kept(just.clone()), just);
    assert_eq!(kept(format!("{just}123456")), format!("{just}… and 6 more bytes"));
}
