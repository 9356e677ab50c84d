//! A mapping that is one task: the ends of its elements, stored for downstream tasks.
//!
//! Airflow has one state and one output for such a task. So its process pushes how each node within it ended, and a downstream
//! task records that as it records the states of tasks.

use super::super::names::task_of;
use super::super::wire::NodeStates;
use super::ended::Ended;
use super::recollect::{Recollection, Unknown};
use crate::author::notification_text::duration;
use crate::engine::{Entry, NodeState, Position, Record, Run, Slot};
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The XCom key that it is pushed under.
pub(super) const KEY: &str = "pipeline_elements";

/// What is pushed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
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
    Ended(Ended),
}

/// What is received of a mapping's nodes as they run.
#[derive(Debug, Default)]
pub(super) struct Within {
    outputs: BTreeMap<Slot, Arc<[u8]>>,
    skipped: BTreeMap<Slot, String>,
}

impl Within {
    /// Handles a record, and logs what would not be visible otherwise.
    pub(super) fn hear(&mut self, entry: &Entry, run: &Run) {
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
    pub(super) fn ended(self, run: &Run, each: Slot) -> (Elements, Option<Ended>) {
        let (mut elements, mut failed, mut cut_off) = (Elements::default(), None, Vec::new());
        let inside = run.expansion_of(each).map(|expansion| run.layout().inside(expansion)).unwrap_or_default();
        // A mapping without elements reports its own end.
        let says = |slot: &Slot| run.is_body(*slot) || (run.each(*slot).is_some() && run.expansion_of(*slot).is_none());
        for slot in inside.into_iter().filter(says) {
            let (id, node) = (run.id(slot), run.node(slot));
            let ended = |of: &str, error: &str, attempts: u32| Ended {
                state: node.state().name().to_owned(),
                node: of.to_owned(),
                error: error.to_owned(),
                attempts,
                told: true,
            };
            let came = match (node.state(), node.failure()) {
                (NodeState::Success, _) => {
                    let json = self.outputs.get(&slot).and_then(|json| serde_json::from_slice(json).ok());
                    ElementEnd::Output(json.unwrap_or_default())
                }
                (NodeState::Failed | NodeState::UpstreamFailed, Some(failure)) => {
                    ElementEnd::Ended(ended(failure.node(), failure.error(), failure.attempts()))
                }
                _ => ElementEnd::Ended(ended(&id, self.skipped.get(&slot).map_or("", String::as_str), node.attempt())),
            };
            if let ElementEnd::Ended(ended) = &came {
                match node.state() {
                    NodeState::Failed if !run.plan().node(run.ix(slot)).allow_failure => failed = failed.or(Some(ended.clone())),
                    NodeState::UpstreamFailed => cut_off.push(ended.clone()),
                    _ => {}
                }
            }
            elements.0.insert(id, came);
        }
        // A failure within the mapping is either allowed or already found. A failure upstream of it fails the task.
        let failed = failed.or_else(|| cut_off.into_iter().find(|ended| !elements.0.contains_key(&ended.node)));
        (elements, failed)
    }
}

impl Recollection<'_> {
    /// Records the results of a mapping that is one task.
    pub(super) fn elements(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: Slot,
        index: Option<u32>,
        states: &NodeStates,
    ) -> Result<(), Unknown> {
        let Some(task) = task_of(plan, run.ix(each)) else { return Ok(()) };
        let Some(state @ ("success" | "failed" | "skipped")) = states.of(&task, index) else { return Ok(()) };
        let kept = self.supervisor.xcom(self.place, &task, KEY, index)?.wait()?;
        let kept: Option<Kept> = serde_json::from_value(kept).ok().filter(|kept: &Kept| kept.state == state);
        match (state, kept) {
            _ if run.node(each).state().is_end() => Ok(()),
            (_, Some(kept)) => {
                let (mut said, mut unsaid) = (0, 0);
                self.each(run, plan, each, &kept.nodes, (&mut said, &mut unsaid))?;
                if run.expansion_of(each).is_none() || (unsaid == 0 && said == kept.nodes.0.len()) {
                    return Ok(());
                }
                self.doubt(format!("the list of `{task}` has changed since it ran: clear it with everything downstream"))
            }
            // It was marked manually, so the run may still succeed.
            ("success", None) if self.is_end() => Ok(()),
            ("success", None) => Err(Unknown::Fatal(format!(
                "Airflow has no results of the elements of `{}`, although it is a success: was it marked manually, or its XCom deleted? \
                 Clear it, so that it runs again",
                run.id(each)
            ))),
            (state, None) => self.without_elements(run, each, &task, index, state),
        }
    }

    /// Expands a mapping, and records the stored ends of its nodes. Counts the nodes with a stored end, and those without.
    fn each(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: Slot,
        kept: &Elements,
        (said, unsaid): (&mut usize, &mut usize),
    ) -> Result<(), Unknown> {
        let Some((expansion, width)) = self.unfold(run, each)? else { return Ok(()) };
        let nodes = &plan.scope(run.layout().expansion(expansion).scope).nodes;
        for element in 0..width {
            let at = Position { expansion, element };
            let slots: Vec<Slot> = nodes.iter().map(|node| run.layout().resolve(plan, *node, at)).collect();
            // The element itself comes first.
            self.record(run, Record::Succeeded { slot: slots[0], output: None })?;
            for slot in slots {
                let came = kept.0.get(&run.id(slot));
                *said += usize::from(came.is_some());
                match came {
                    _ if run.node(slot).state().is_end() => {}
                    Some(ElementEnd::Output(json)) => self.success(run, slot, json)?,
                    Some(ElementEnd::Ended(ended)) => self.end(run, slot, ended)?,
                    None if run.each(slot).is_some() => self.each(run, plan, slot, kept, (&mut *said, &mut *unsaid))?,
                    None => *unsaid += usize::from(run.is_body(slot)),
                }
            }
        }
        Ok(())
    }
}
