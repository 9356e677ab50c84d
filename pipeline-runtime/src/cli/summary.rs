//! The summary that is printed when a run ends.

use super::durations::brief;
use super::output;
use crate::engine::{NodeState, RunState, Slot};
use crate::host::{CALLBACKS_LIMIT, ProcessEnd};
use crate::observe::{NodeHistory, RunHistory, WatchedRun, one_line};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// A run of more nodes is summarized by counts and failures only.
const MAX_DRAWN: usize = 200;
/// The most nodes that are named as not having run.
const MAX_NAMED: usize = 8;

/// Prints the timeline, each failure with the place where its node was wired, and what is unfinished.
pub(super) fn print(run: &WatchedRun, ended: ProcessEnd, now: Timestamp, has_journal: bool) {
    let (timeline, problems) = {
        let history = run.history();
        (
            timeline_or_counts(&history, now.since(run.started)),
            [failures(&history), unfinished_work(&history, &run.info.run_id, ended, has_journal)],
        )
    };
    output::to_stdout(&format!("\n{timeline}"));
    for problem in problems.iter().filter(|problem| !problem.is_empty()) {
        output::to_stderr(&format!("\n{}", problem.trim_end()));
    }
}

/// Draws the run over time, or counts its nodes if they are many.
pub(super) fn timeline_or_counts(history: &RunHistory, now: Duration) -> String {
    let bodies: usize = history.counts().map(|(_, count)| count).sum();
    if bodies <= MAX_DRAWN {
        return history.timeline_until(now);
    }
    let counts: Vec<String> = history.counts().map(|(state, count)| format!("{count} {state}")).collect();
    let after = history.finished.map(|finished| format!(" after {}", brief(finished))).unwrap_or_default();
    format!("run: {}{after}, {bodies} nodes: {}", history.state, counts.join(", "))
}

/// Lists the failures in the style of rustc.
pub(super) fn failures(history: &RunHistory) -> String {
    let of = |state: NodeState| {
        let slots = if history.has(state) { history.listed() } else { Vec::new() };
        slots.into_iter().filter(move |slot| history.node(*slot).state() == state)
    };
    let mut after: BTreeMap<Slot, Vec<Slot>> = BTreeMap::new();
    for slot in of(NodeState::UpstreamFailed) {
        after.entry(history.root_cause(slot)).or_default().push(slot);
    }
    let mut text = String::new();
    for slot in of(NodeState::Failed) {
        let node = history.node(slot);
        let place = history.plan().node(history.node_ix(slot)).place();
        let after: &[Slot] = after.get(&slot).map_or(&[], Vec::as_slice);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "error: node `{}` failed{}: {}", history.id(slot), attempts(node), one_line(error_text(node)));
        if let Some(at) = place {
            let _ = writeln!(text, "  --> {at}: wired here");
        }
        if !after.is_empty() {
            let more = after.len().saturating_sub(MAX_NAMED);
            let named: Vec<String> = after[..after.len() - more].iter().map(|slot| history.id(*slot)).collect();
            let named = named.join("`, `");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(text, "  = note: so `{named}`{more} did not run");
        }
    }
    let left = if history.state == RunState::Failed && text.is_empty() { history.cut_off_by_earlier_end() } else { Vec::new() };
    if !left.is_empty() {
        let more = left.len().saturating_sub(MAX_NAMED);
        let named = left[..left.len() - more].iter().map(|slot| history.id(*slot)).collect::<Vec<_>>().join("`, `");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "error: `{named}`{more} did not run: the run had ended before, and only part of it was retried");
    } else if history.state == RunState::Failed && text.is_empty() {
        // No node failed, so the run exceeded its own timeout.
        let limit = history.plan().run.timeout.map(|limit| format!(" of {}", brief(limit))).unwrap_or_default();
        let _ = writeln!(text, "error: the run took longer than its timeout{limit}");
        text.push_str("  = help: raise the pipeline's `timeout`, or see above what took so long\n");
    }
    text
}

fn attempts(node: &NodeHistory) -> String {
    if node.attempts() > 1 { format!(" after {} attempts", node.attempts()) } else { String::new() }
}

fn error_text(node: &NodeHistory) -> &str {
    node.error().map_or("without an error", AsRef::as_ref)
}

/// Describes what is left to do: an interrupted run, a failed one, and pending notifications.
fn unfinished_work(history: &RunHistory, run_id: &str, ended: ProcessEnd, has_journal: bool) -> String {
    let mut text = String::new();
    if let ProcessEnd::Interrupted(signal) = ended
        && !history.state.is_end()
    {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "error: interrupted by {signal}: run {run_id} is unfinished, its attempts were cut off");
        text.push_str(if has_journal {
            "  = note: its progress is recorded, and finished nodes do not run again\n  = help: `resume` continues it\n"
        } else {
            "  = note: it cannot be resumed, since it is not recorded in a journal\n  = help: run it again from the start\n"
        });
    } else if history.state == RunState::Failed {
        if has_journal {
            let _ = writeln!(
                text,
                "help: fix the cause; `retry {run_id}` then runs the failed nodes and those that did not run because of them"
            );
        } else {
            text.push_str("help: fix the cause and run it again; all its nodes run then, since there is no journal\n");
        }
    }
    let due: Vec<_> = history.callbacks.open().collect();
    if !due.is_empty() {
        let waited = if matches!(ended, ProcessEnd::All) { format!(" within {}", brief(CALLBACKS_LIMIT)) } else { String::new() };
        let left = if has_journal { "; `resume` delivers them" } else { ", and now are lost" };
        let _ = writeln!(text, "warning: notifications that could not be delivered{waited}{left}:");
        for callback in due {
            let about = callback.node.as_deref().unwrap_or("the run");
            let tries = match callback.tries {
                0 => "no try has finished".to_owned(),
                1 => "1 failed try".to_owned(),
                tries => format!("{tries} failed tries"),
            };
            let _ = writeln!(text, "  {} of {about} to {} ({tries})", callback.event.name(), callback.notifier);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]
mod tests {
    use super::*;
    use crate::engine::{Entry, Record};
    use crate::host::{Request, RequestMode, Signal};
    use crate::plan::Recipient;
    use crate::prelude::*;
    use expect_test::{Expect, expect};
    use std::sync::Arc;

    #[task(on_success = page)]
    async fn load() -> Result<u64> {
        Ok(1)
    }

    async fn page(_: Notification) -> Result<()> {
        Err("nobody answers".into())
    }

    #[pipeline(timeout = "1h")]
    fn nightly() {
        load();
    }

    /// Checks the texts of a run after one node's callback became due and could not be delivered.
    fn check(ended: ProcessEnd, last: Record, expected: &Expect) {
        let now: Timestamp = "2024-03-25T06:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().into();
        let request = Request {
            pipeline: nightly(),
            params: serde_json::Value::Null,
            logical_date: Some("2024-03-25".into()),
            mode: RequestMode::Resume,
        };
        let spec = request.into_spec(crate::time::Present::of_clock(now)).unwrap();
        let notification = Notification {
            node: Some("load".into()),
            ..Notification::for_test(crate::Event::OnSuccess).with_run_id("nightly", &spec.info.run_id)
        };
        let mut history = RunHistory::live(spec.plan, now);
        let records = [
            Record::Started { slot: 0, attempt: 1 },
            Record::CallbackDue {
                id: 0,
                recipient: Recipient {
                    label: Some("pipeline_runtime::cli::summary::tests::page".into()),
                    position: 0,
                    is_one_of_several: false,
                },
                notification: Arc::new(notification),
            },
            Record::CallbackFailed { id: 0, next: Some(now + Duration::from_mins(1)), error: "nobody answers".into() },
            last,
        ];
        for record in records {
            history.apply(&Entry { at: now, record });
        }
        expected.assert_eq(&format!("{}{}", failures(&history), unfinished_work(&history, &spec.info.run_id, ended, false)));
    }

    #[test]
    fn callbacks_that_are_due_are_named() {
        let success = Record::RunEnded { state: RunState::Success };
        check(
            ProcessEnd::All,
            success,
            &expect![[r#"
            warning: notifications that could not be delivered within 30s, and now are lost:
              on_success of load to pipeline_runtime::cli::summary::tests::page (1 failed try)
        "#]],
        );
    }

    #[test]
    fn an_interrupted_run_is_unfinished() {
        let interrupted = Record::Interrupted { slot: 0, asked: true };
        check(
            ProcessEnd::Interrupted(Signal::Interrupt),
            interrupted,
            &expect![[r#"
            error: interrupted by Ctrl-C: run manual__2024-03-25T00:00:00Z is unfinished, its attempts were cut off
              = note: it cannot be resumed, since it is not recorded in a journal
              = help: run it again from the start
            warning: notifications that could not be delivered, and now are lost:
              on_success of load to pipeline_runtime::cli::summary::tests::page (1 failed try)
        "#]],
        );
    }

    #[test]
    fn a_run_that_failed_without_a_failed_node_took_too_long() {
        check(
            ProcessEnd::All,
            Record::RunEnded { state: RunState::Failed },
            &expect![[r#"
            error: the run took longer than its timeout of 1h
              = help: raise the pipeline's `timeout`, or see above what took so long
            help: fix the cause and run it again; all its nodes run then, since there is no journal
            warning: notifications that could not be delivered within 30s, and now are lost:
              on_success of load to pipeline_runtime::cli::summary::tests::page (1 failed try)
        "#]],
        );
    }

    #[test]
    fn a_run_that_failed_for_what_an_earlier_end_cut_off_says_so() {
        #[pipeline]
        fn two() {
            load().named("a");
            load().named("b");
        }
        let plan = Arc::new(two().plan(&serde_json::Value::Null).unwrap());
        let mut history = RunHistory::live(plan, Timestamp::default());
        let cut = |slot| Record::Skipped { slot, why: crate::engine::Skip::RunEnded };
        let ended = |state| Record::RunEnded { state };
        let first = [cut(0), cut(1), ended(RunState::Cancelled)];
        let output = Record::Failed { slot: 0, error: "no".into(), timed_out: false };
        let started = |attempt| Record::Started { slot: 0, attempt };
        let mut at = |second, records: &[Record]| {
            for record in records {
                history.apply(&Entry { at: Timestamp::default() + Duration::from_secs(second), record: record.clone() });
            }
            failures(&history)
        };
        at(1, &first);
        // The run has no timeout that it could have outlasted.
        let said = at(
            5,
            &[
                Record::Cleared { slots: [0].into() },
                started(1),
                Record::Skipped { slot: 0, why: crate::engine::Skip::ByHand },
                ended(RunState::Failed),
            ],
        );
        assert_eq!(said, "error: `b` did not run: the run had ended before, and only part of it was retried\n");
        // A node's own failure is reported as usual.
        let said = at(9, &[Record::Cleared { slots: [0].into() }, started(1), output, ended(RunState::Failed)]);
        assert!(said.starts_with("error: node `a` failed: no\n"), "{said}");
        // A timeout that cut something off now is reported as well.
        let said = at(12, &[Record::Cleared { slots: [0].into() }, cut(0), ended(RunState::Failed)]);
        assert!(said.starts_with("error: the run took longer than its timeout"), "{said}");
    }
}
