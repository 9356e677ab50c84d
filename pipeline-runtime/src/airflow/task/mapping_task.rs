//! A mapping that is one task: the ends of its elements, stored for downstream tasks.
//!
//! Airflow has one state and one output for such a task. So its process pushes how each node within it ended, and a downstream
//! task records that as it records the states of tasks.

use super::super::names::task_of;
use super::super::wire::NodeStates;
use super::end_report::EndReport;
use super::recollect::{RecollectError, Recollector};
use crate::author::notification_text::duration;
use crate::engine::{Entry, NodeState, Position, Record, Run, Slot};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The XCom key that the ends are pushed under.
pub(super) const XCOM_KEY: &str = "pipeline_elements";

/// The value that is pushed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredElements {
    /// The state in which the task ended. It differs from Airflow's if the task was marked manually afterwards.
    pub(super) state: String,
    pub(super) nodes: Elements,
}

/// How the nodes within a mapping ended, by id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Elements(BTreeMap<String, ElementEnd>);

/// How one node ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ElementEnd {
    Output(Value),
    #[serde(rename = "ended")]
    Report(EndReport),
}

/// The outputs and the reasons of skips that a mapping's nodes have recorded so far.
#[derive(Debug, Default)]
pub(super) struct ElementRecords {
    outputs: BTreeMap<Slot, Arc<[u8]>>,
    skipped: BTreeMap<Slot, String>,
}

impl ElementRecords {
    /// Adds a record, and logs retries and failures, which would not be visible otherwise.
    pub(super) fn apply(&mut self, entry: &Entry, run: &Run) {
        match &entry.record {
            Record::Succeeded { slot, output: Some(output) } => {
                self.outputs.extend(output.json.clone().map(|json| (*slot, json)));
            }
            Record::Skipped { slot, why } => {
                self.skipped.insert(*slot, why.reason(|slot| run.id(slot)));
            }
            Record::Retrying { slot, next, error, .. } => {
                tracing::warn!("`{}` is retried in {}: {error}", run.id(*slot), duration(next.since(entry.at)));
            }
            Record::Failed { slot, error, .. } => tracing::error!("`{}` failed: {error}", run.id(*slot)),
            _ => {}
        }
    }

    /// Returns how all of them ended, and what fails the task: a node that failed without `allow_failure`, or one that cannot run
    /// because of a failure upstream of the mapping.
    pub(super) fn finish(self, run: &Run, each: Slot) -> (Elements, Option<EndReport>) {
        let (mut elements, mut failed, mut cut_off) = (Elements::default(), None, Vec::new());
        let inside = run.expansion_of(each).map(|expansion| run.layout().inside(expansion)).unwrap_or_default();
        // A mapping without elements reports its own end.
        let has_report = |slot: &Slot| run.is_body(*slot) || (run.each(*slot).is_some() && run.expansion_of(*slot).is_none());
        for slot in inside.into_iter().filter(has_report) {
            let (id, node) = (run.id(slot), run.node(slot));
            let report = |of: &str, error: &str, attempts: u32| EndReport {
                state: node.state().name().to_owned(),
                node: of.to_owned(),
                error: error.to_owned(),
                attempts,
                notified: true,
            };
            let end = match (node.state(), node.failure()) {
                (NodeState::Success, _) => {
                    let json = self.outputs.get(&slot).and_then(|json| serde_json::from_slice(json).ok());
                    ElementEnd::Output(json.unwrap_or_default())
                }
                (NodeState::Failed | NodeState::UpstreamFailed, Some(failure)) => {
                    ElementEnd::Report(report(failure.node(), failure.error(), failure.attempts()))
                }
                _ => ElementEnd::Report(report(&id, self.skipped.get(&slot).map_or("", String::as_str), node.attempt())),
            };
            if let ElementEnd::Report(report) = &end {
                match node.state() {
                    NodeState::Failed if !run.plan().node(run.ix(slot)).allow_failure => failed = failed.or(Some(report.clone())),
                    NodeState::UpstreamFailed => cut_off.push(report.clone()),
                    _ => {}
                }
            }
            elements.0.insert(id, end);
        }
        // A failure within the mapping is either allowed or already found. A failure upstream of it fails the task.
        let failed = failed.or_else(|| cut_off.into_iter().find(|report| !elements.0.contains_key(&report.node)));
        (elements, failed)
    }
}

impl Recollector<'_> {
    /// Records the results of a mapping that is one task.
    pub(super) fn recollect_elements(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: Slot,
        index: Option<u32>,
        states: &NodeStates,
    ) -> Result<(), RecollectError> {
        let Some(task) = task_of(plan, run.ix(each)) else { return Ok(()) };
        let Some(state @ ("success" | "failed" | "skipped")) = states.of(&task, index) else { return Ok(()) };
        let stored = self.supervisor.xcom(self.dag_run, &task, XCOM_KEY, index)?.wait()?;
        let stored: Option<StoredElements> =
            serde_json::from_value(stored).ok().filter(|stored: &StoredElements| stored.state == state);
        match (state, stored) {
            _ if run.node(each).state().is_end() => Ok(()),
            (_, Some(stored)) => {
                let (mut reported, mut unreported) = (0, 0);
                self.record_elements(run, plan, each, &stored.nodes, (&mut reported, &mut unreported))?;
                if run.expansion_of(each).is_none() || (unreported == 0 && reported == stored.nodes.0.len()) {
                    return Ok(());
                }
                self.contradict(format!("the list of `{task}` has changed since it ran: clear it with everything downstream"))
            }
            // It was marked manually, so the run may still succeed.
            ("success", None) if self.is_end() => Ok(()),
            ("success", None) => Err(RecollectError::Fatal(format!(
                "Airflow has no results of the elements of `{}`, although it is a success: was it marked manually, or its XCom deleted? \
                 Clear it, so that it runs again",
                run.id(each)
            ))),
            (state, None) => self.record_without_elements(run, each, &task, index, state),
        }
    }

    /// Expands a mapping, and records the stored ends of its nodes. Counts the nodes with a stored end, and those without.
    fn record_elements(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: Slot,
        stored: &Elements,
        (reported, unreported): (&mut usize, &mut usize),
    ) -> Result<(), RecollectError> {
        let Some((expansion, width)) = self.expand_list(run, each)? else { return Ok(()) };
        let nodes = &plan.scope(run.layout().expansion(expansion).scope).nodes;
        for element in 0..width {
            let at = Position { expansion, element };
            let slots: Vec<Slot> = nodes.iter().map(|node| run.layout().resolve(plan, *node, at)).collect();
            // The element itself comes first.
            self.record(run, Record::Succeeded { slot: slots[0], output: None })?;
            for slot in slots {
                let end = stored.0.get(&run.id(slot));
                *reported += usize::from(end.is_some());
                match end {
                    _ if run.node(slot).state().is_end() => {}
                    Some(ElementEnd::Output(json)) => self.record_output(run, slot, json)?,
                    Some(ElementEnd::Report(report)) => self.record_end(run, slot, report)?,
                    None if run.each(slot).is_some() => {
                        self.record_elements(run, plan, slot, stored, (&mut *reported, &mut *unreported))?;
                    }
                    None => *unreported += usize::from(run.is_body(slot)),
                }
            }
        }
        Ok(())
    }
}
