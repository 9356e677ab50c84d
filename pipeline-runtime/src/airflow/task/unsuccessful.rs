//! Records the nodes upstream of a task that ended without success.

use super::super::names::task_of;
use super::super::wire::NodeStates;
use super::end_report::{self, EndReport};
use super::recollect::{RecollectError, Recollector};
use crate::engine::{NodeState, Record, Run, Skip, Slot};
use crate::plan::{NodeIx, Plan};
use std::collections::BTreeSet;

impl Recollector<'_> {
    /// Records a node that Airflow has in another state than `success`. `report` is its own report, if there is one.
    pub(super) fn record_unsuccessful(
        &self,
        run: &mut Run,
        plan: &Plan,
        slot: Slot,
        state: &str,
        report: Option<EndReport>,
        states: &NodeStates,
    ) -> Result<(), RecollectError> {
        match (state, report) {
            (_, Some(report)) => self.record_end(run, slot, &report),
            // Airflow decided this by its own rule, and no callback was called. The end of the run decides it by the engine's
            // rules, and notifies.
            ("skipped" | "upstream_failed", None) if self.is_end() => Ok(()),
            ("skipped", None) => self.record(run, Record::Skipped { slot, why: Skip::Body("Airflow skipped it".into()) }),
            ("upstream_failed", None) => {
                let cause = self.find_cause_upstream(run, plan, slot, states)?;
                self.record(run, Record::UpstreamFailed { slot, cause })
            }
            (_, None) => {
                let report = EndReport::unexplained(run.id(slot));
                self.record_failure(run, slot, &report)
            }
        }
    }

    /// Records the end that a node has reported itself.
    pub(super) fn record_end(&self, run: &mut Run, slot: Slot, report: &EndReport) -> Result<(), RecollectError> {
        match report.state.as_str() {
            "skipped" => self.record(run, Record::Skipped { slot, why: Skip::Body(report.error.as_str().into()) }),
            "upstream_failed" => {
                let cause = self.find_cause(run, slot, report)?;
                let has_failed = matches!(run.node(cause).state(), NodeState::Failed | NodeState::UpstreamFailed);
                if self.is_end() && !has_failed {
                    // That node was cleared on its own since, so nothing else makes the run fail.
                    return self.record_failure(run, slot, report);
                }
                self.record(run, Record::UpstreamFailed { slot, cause })
            }
            _ => self.record_failure(run, slot, report),
        }
    }

    /// The node that a failure comes from. It is recorded as failed unless it has already ended.
    fn find_cause(&self, run: &mut Run, slot: Slot, report: &EndReport) -> Result<Slot, RecollectError> {
        let found = run.slots().find(|slot| (run.is_body(*slot) || run.each(*slot).is_some()) && run.id(*slot) == report.node);
        let Some(cause) = found.filter(|cause| *cause != slot) else { return Ok(slot) };
        // A mapping that has elements takes its state from them.
        if !run.node(cause).state().is_end() && run.expansion_of(cause).is_none() {
            self.record_failure(run, cause, &EndReport { state: "failed".to_owned(), ..report.clone() })?;
        }
        Ok(cause)
    }

    /// The first failed node upstream of one that Airflow has set to `upstream_failed`.
    fn find_cause_upstream(&self, run: &mut Run, plan: &Plan, slot: Slot, states: &NodeStates) -> Result<Slot, RecollectError> {
        let position = run.layout().position(slot);
        let mut to_visit: Vec<NodeIx> = vec![run.ix(slot)];
        let mut visited: BTreeSet<NodeIx> = to_visit.iter().copied().collect();
        while let Some(node) = to_visit.pop() {
            for &(from, _) in plan.inbound(node).iter().filter(|(from, _)| visited.insert(*from)) {
                to_visit.push(from);
                let is_visible = plan.node(from).scope == 0 || plan.node(from).scope == plan.node(run.ix(slot)).scope;
                let Some(task) = task_of(plan, from).filter(|_| is_visible) else { continue };
                let cause = run.layout().resolve(plan, from, position);
                let index = (plan.node(from).scope != 0).then_some(position.element);
                if !run.is_body(cause) || states.of(&task, index) != Some("failed") {
                    continue;
                }
                if !run.node(cause).state().is_end() {
                    let report =
                        self.reported_end(&task, index, "failed")?.unwrap_or_else(|| EndReport::unexplained(run.id(cause)));
                    self.record_failure(run, cause, &report)?;
                }
                return Ok(cause);
            }
        }
        Ok(slot)
    }

    /// Records a mapping whose task has not expanded the list, or has run none of its elements.
    pub(super) fn record_without_elements(
        &self,
        run: &mut Run,
        each: Slot,
        task: &str,
        index: Option<u32>,
        state: &str,
    ) -> Result<(), RecollectError> {
        if run.node(each).state().is_end() {
            return Ok(());
        }
        match (self.reported_end(task, index, state)?, state) {
            (Some(report), _) if report.state == NodeState::Failed.name() => self.record_end(run, each, &report),
            (None, "failed") => self.record_end(run, each, &EndReport::unexplained(run.id(each))),
            (None, _) if self.has_list(run, each)? => self.record(run, Record::Skipped { slot: each, why: Skip::ByHand }),
            // The upstream nodes have decided it, and the engine comes to the same decision.
            _ => Ok(()),
        }
    }

    /// How a task reported its end, if that matches the state in Airflow.
    pub(super) fn reported_end(&self, task: &str, index: Option<u32>, state: &str) -> Result<Option<EndReport>, RecollectError> {
        let stored = self.supervisor.xcom(self.dag_run, task, end_report::XCOM_KEY, index)?.wait()?;
        Ok(serde_json::from_value(stored).ok().filter(|report: &EndReport| report.matches(state)))
    }

    /// Records the failure of a node, and that its callbacks are still due.
    pub(super) fn record_failure(&self, run: &mut Run, slot: Slot, report: &EndReport) -> Result<(), RecollectError> {
        // A mapping has no attempts.
        if run.is_body(slot) {
            self.record(run, Record::Started { slot, attempt: report.attempts.max(1) })?;
        }
        if self.is_end() && !report.notified {
            self.unnotified.borrow_mut().push(slot);
        }
        self.record(run, Record::Failed { slot, error: report.error.as_str().into(), timed_out: false })
    }
}
