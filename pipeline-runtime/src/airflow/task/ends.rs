//! How the nodes upstream of a task ended, if not in success.

use super::super::names::task_of;
use super::super::wire::NodeStates;
use super::ended::{self, Ended};
use super::recollect::{Recollection, Unknown};
use crate::engine::{NodeState, Record, Run, Skip, Slot};
use crate::plan::{NodeIx, Plan};
use std::collections::BTreeSet;

impl Recollection<'_> {
    pub(super) fn not_succeeded(
        &self,
        run: &mut Run,
        plan: &Plan,
        slot: Slot,
        state: &str,
        ended: Option<Ended>,
        states: &NodeStates,
    ) -> Result<(), Unknown> {
        match (state, ended) {
            (_, Some(ended)) => self.end(run, slot, &ended),
            // Airflow decided this by its own rule, and no callback was called. The end of the run decides it by the engine's
            // rules, and notifies.
            ("skipped" | "upstream_failed", None) if self.is_end() => Ok(()),
            ("skipped", None) => self.record(run, Record::Skipped { slot, why: Skip::Body("Airflow skipped it".into()) }),
            ("upstream_failed", None) => {
                let cause = self.cause_before(run, plan, slot, states)?;
                self.record(run, Record::UpstreamFailed { slot, cause })
            }
            (_, None) => {
                let ended = Ended::unsaid(run.id(slot));
                self.fail(run, slot, &ended)
            }
        }
    }

    /// Records the end that a node has reported itself.
    pub(super) fn end(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<(), Unknown> {
        match ended.state.as_str() {
            "skipped" => self.record(run, Record::Skipped { slot, why: Skip::Body(ended.error.as_str().into()) }),
            "upstream_failed" => {
                let cause = self.cause(run, slot, ended)?;
                let has_failed = matches!(run.node(cause).state(), NodeState::Failed | NodeState::UpstreamFailed);
                if self.is_end() && !has_failed {
                    // That node was cleared on its own since, so nothing else makes the run fail.
                    return self.fail(run, slot, ended);
                }
                self.record(run, Record::UpstreamFailed { slot, cause })
            }
            _ => self.fail(run, slot, ended),
        }
    }

    /// The node that a failure comes from. It is recorded as failed unless it has already ended.
    fn cause(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<Slot, Unknown> {
        let found = run.slots().find(|slot| (run.is_body(*slot) || run.each(*slot).is_some()) && run.id(*slot) == ended.node);
        let Some(cause) = found.filter(|cause| *cause != slot) else { return Ok(slot) };
        // A mapping that has elements takes its state from them.
        if !run.node(cause).state().is_end() && run.expansion_of(cause).is_none() {
            self.fail(run, cause, &Ended { state: "failed".to_owned(), ..ended.clone() })?;
        }
        Ok(cause)
    }

    /// The first failed node upstream of one that Airflow has set to `upstream_failed`.
    fn cause_before(&self, run: &mut Run, plan: &Plan, slot: Slot, states: &NodeStates) -> Result<Slot, Unknown> {
        let position = run.layout().position(slot);
        let mut doubtful: Vec<NodeIx> = vec![run.ix(slot)];
        let mut seen: BTreeSet<NodeIx> = doubtful.iter().copied().collect();
        while let Some(node) = doubtful.pop() {
            for &(from, _) in plan.inbound(node).iter().filter(|(from, _)| seen.insert(*from)) {
                doubtful.push(from);
                let is_seen = plan.node(from).scope == 0 || plan.node(from).scope == plan.node(run.ix(slot)).scope;
                let Some(task) = task_of(plan, from).filter(|_| is_seen) else { continue };
                let cause = run.layout().resolve(plan, from, position);
                let index = (plan.node(from).scope != 0).then_some(position.element);
                if !run.is_body(cause) || states.of(&task, index) != Some("failed") {
                    continue;
                }
                if !run.node(cause).state().is_end() {
                    let ended = self.said(&task, index, "failed")?.unwrap_or_else(|| Ended::unsaid(run.id(cause)));
                    self.fail(run, cause, &ended)?;
                }
                return Ok(cause);
            }
        }
        Ok(slot)
    }

    /// Records a mapping whose task has not expanded the list, or has run none of its elements.
    pub(super) fn without_elements(
        &self,
        run: &mut Run,
        each: Slot,
        task: &str,
        index: Option<u32>,
        state: &str,
    ) -> Result<(), Unknown> {
        if run.node(each).state().is_end() {
            return Ok(());
        }
        match (self.said(task, index, state)?, state) {
            (Some(ended), _) if ended.state == NodeState::Failed.name() => self.end(run, each, &ended),
            (None, "failed") => self.end(run, each, &Ended::unsaid(run.id(each))),
            (None, _) if self.has_list(run, each)? => self.record(run, Record::Skipped { slot: each, why: Skip::ByHand }),
            // The upstream nodes have decided it, and the engine comes to the same decision.
            _ => Ok(()),
        }
    }

    /// How a task reported its end, if that matches the state in Airflow.
    pub(super) fn said(&self, task: &str, index: Option<u32>, state: &str) -> Result<Option<Ended>, Unknown> {
        let kept = self.supervisor.xcom(self.place, task, ended::KEY, index)?.wait()?;
        Ok(serde_json::from_value(kept).ok().filter(|ended: &Ended| ended.is_of(state)))
    }

    pub(super) fn fail(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<(), Unknown> {
        // A mapping has no attempts.
        if run.is_body(slot) {
            self.record(run, Record::Started { slot, attempt: ended.attempts.max(1) })?;
        }
        if self.is_end() && !ended.told {
            self.untold.borrow_mut().push(slot);
        }
        self.record(run, Record::Failed { slot, error: ended.error.as_str().into(), timed_out: false })
    }
}
