//! Converts what Airflow knows of a run into records, so that the run's state follows from them as it does elsewhere.
//!
//! A task's process asks how the upstream nodes ended and what they returned, and records that as a journal would. Trigger rules,
//! arms, races and the joins of mappings are then decided by the engine.

use super::super::names::{END, mapping_around, task_of};
use super::super::rule::racing_tasks;
use super::super::wire::{CallError, DagRunKey, NodeStates, ReadError, Supervisor};
use super::Target;
use super::end_report::EndReport;
use super::outputs::decode;
use super::requirements::Requirements;
use crate::author::value::Value;
use crate::engine::{Entry, ExpansionIx, NodeState, Output, Position, Record, Run, Skip, Slot, Verdict};
use crate::plan::{EdgeRule, NodeIx, Plan, What};
use crate::time::Timestamp;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why the state before a task cannot be determined.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecollectError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another try would not help.
    #[error("{0}")]
    Fatal(String),
}

/// The known outputs, by node and element.
pub(super) type Outputs = BTreeMap<(NodeIx, Option<u32>), serde_json::Value>;

/// Asks Airflow how the upstream nodes ended, and records that.
pub(super) struct Recollector<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) dag_run: &'a DagRunKey,
    pub(super) at: Timestamp,
    pub(super) target: Target,
    /// Outputs that were fetched before the states of the nodes were known: a proof that all succeeded.
    pub(super) prefetched: RefCell<Outputs>,
    /// The failed nodes whose callbacks were not called.
    pub(super) unnotified: RefCell<Vec<Slot>>,
    /// Why the run cannot have succeeded, whatever its nodes report.
    pub(super) contradictions: RefCell<Vec<String>>,
}

impl<'a> Recollector<'a> {
    pub(super) fn new(supervisor: &'a Supervisor, dag_run: &'a DagRunKey, at: Timestamp, target: Target) -> Self {
        Self {
            supervisor,
            dag_run,
            at,
            target,
            prefetched: RefCell::default(),
            unnotified: RefCell::default(),
            contradictions: RefCell::default(),
        }
    }
}

impl Recollector<'_> {
    /// Returns whether this task decides the end of the run, and does not run a node.
    pub(super) fn is_end(&self) -> bool {
        self.target == Target::End
    }

    /// Records in `run`, which has no records yet, how its tasks have ended.
    pub(super) fn recollect(&self, run: &mut Run) -> Result<(), RecollectError> {
        let plan = Arc::clone(run.plan());
        let needed = Requirements::of(&plan, self.target);
        self.record_past_checks(run, &plan)?;
        if needed.states.is_empty() && needed.whole_mappings.is_empty() {
            return Ok(());
        }
        let is_success_proven = self.is_success_proven(&plan, &needed)?;
        let (needed, states) = if is_success_proven { (needed, NodeStates::AllSuccessful) } else { self.states(&plan, needed)? };
        let is_own = |node: &NodeIx| plan.node(*node).scope == 0;
        if self.is_end() {
            self.check_tasks(run, &plan, &states)?;
        }
        let outputs =
            self.outputs(&plan, &needed, &states, needed.states.iter().copied().filter(is_own).map(|node| (node, None)))?;
        for node in needed.in_order(&plan, 0) {
            let slot = run.seen_from(0, node);
            match &plan.node(node).what {
                What::Body(_) => self.record_node(run, &plan, slot, node, None, &states, &outputs)?,
                _ if self.target == Target::Expand(node) || self.target.is_of(node) => {}
                _ if needed.whole_mappings.contains(&node) => self.recollect_elements(run, &plan, slot, None, &states)?,
                _ => self.recollect_mapping(run, &plan, node, &needed, &states)?,
            }
        }
        for contradiction in self.contradictions.borrow().iter() {
            tracing::error!("{contradiction}");
            run.must_fail();
        }
        Ok(())
    }

    /// Handles a contradiction. The task that decides the end of the run lets the run fail; any other task fails itself.
    pub(super) fn contradict(&self, contradiction: String) -> Result<(), RecollectError> {
        if !self.is_end() {
            return Err(RecollectError::Fatal(contradiction));
        }
        self.contradictions.borrow_mut().push(contradiction);
        Ok(())
    }

    /// Fetches how the nodes ended. A task that Airflow set to `upstream_failed` by its own rule reports no cause, so its
    /// upstream nodes are fetched as well.
    fn states(&self, plan: &Plan, mut needed: Requirements) -> Result<(Requirements, NodeStates), RecollectError> {
        loop {
            let requested: BTreeSet<NodeIx> =
                needed.states.iter().chain(&needed.whole_mappings).chain(&needed.expanded).copied().collect();
            let tasks: Vec<String> = requested.iter().filter_map(|node| task_of(plan, *node)).collect();
            let states = self.supervisor.states(self.dag_run, (!self.is_end()).then_some(tasks.as_slice()))?;
            let failed = |node: &NodeIx| task_of(plan, *node).is_some_and(|task| states.any(&task, "upstream_failed"));
            for node in requested.iter().copied().filter(failed) {
                needed.add_upstreams(plan, node);
            }
            if needed.states.iter().chain(&needed.whole_mappings).chain(&needed.expanded).all(|node| requested.contains(node)) {
                return Ok((needed, states));
            }
        }
    }

    /// The run's tasks come from a file of DAGs, which may not be the export of this program. A task that is missing from the
    /// file has not run.
    fn check_tasks(&self, run: &mut Run, plan: &Plan, states: &NodeStates) -> Result<(), RecollectError> {
        const STALE: &str = "the DAG file that started this run is not an export of this program: export it again";
        let tasks: BTreeMap<String, NodeIx> =
            (0..).zip(&plan.nodes).filter_map(|(node, _)| Some((task_of(plan, node)?, node))).collect();
        for (task, &node) in tasks.iter().filter(|(_, node)| plan.node(**node).scope == 0) {
            if states.of(task, None).is_none() {
                let (slot, why) = (run.seen_from(0, node), format!("Airflow has no task `{task}` in this run: {STALE}"));
                self.record_failure(run, slot, &EndReport::failed(run.id(slot), why.clone()))?;
                self.contradict(why)?;
            }
        }
        let known = |name: &str| {
            let element = name.rsplit_once('_').filter(|(_, index)| index.bytes().all(|byte| byte.is_ascii_digit()));
            tasks.get_key_value(name).or_else(|| tasks.get_key_value(element?.0)).map(|(task, _)| task)
        };
        let racing_tasks = racing_tasks(plan);
        for (name, state) in states.iter().filter(|(name, _)| *name != END) {
            match (known(name), state) {
                (_, "success" | "skipped" | "removed") | (Some(_), "failed" | "upstream_failed") => {}
                (None, _) => self.contradict(format!("`{name}` is {state}, but this program has no such task: {STALE}"))?,
                (Some(task), _) if racing_tasks.contains(task) => {}
                (Some(_), state) => {
                    self.contradict(format!(
                        "`{name}` has not ended (it is {state}): clear `{END}` together with everything upstream"
                    ))?;
                }
            }
        }
        Ok(())
    }

    /// Records the checks of past runs as successes: Airflow has made them before it started this task.
    fn record_past_checks(&self, run: &mut Run, plan: &Plan) -> Result<(), RecollectError> {
        let pasts: Vec<NodeIx> = plan.bodies().map(|(node, _)| node).filter(|node| plan.is_past(*node)).collect();
        for node in pasts.into_iter().filter(|node| plan.node(*node).scope == 0) {
            let slot = run.seen_from(0, node);
            self.record_success(run, slot, Value::new(()))?;
        }
        Ok(())
    }

    /// Records a mapping that Airflow expands, with its elements.
    fn recollect_mapping(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: NodeIx,
        needed: &Requirements,
        states: &NodeStates,
    ) -> Result<(), RecollectError> {
        let What::Each(of) = &plan.node(each).what else { return Ok(()) };
        let slot = run.seen_from(0, each);
        let task = task_of(plan, each).unwrap_or_default();
        match states.of(&task, None) {
            Some("success") => {}
            Some(state @ ("failed" | "skipped")) => return self.record_without_elements(run, slot, &task, None, state),
            // Airflow's rule has decided, and the engine comes to the same; or the task has not ended.
            _ => return Ok(()),
        }
        let Some((expansion, width)) = self.expand_list(run, slot)? else { return Ok(()) };
        let here = match self.target {
            Target::Node(node, index) | Target::WholeMapping(node, index) if mapping_around(plan, node) == Some(each) => index,
            _ => None,
        };
        let inner_tasks = plan.scope(of.scope).nodes.iter().filter_map(|node| task_of(plan, *node));
        let is_other = |elements: &usize| here.is_none() && *elements != width as usize;
        if let Some(elements) = inner_tasks.filter_map(|task| states.elements(&task)).find(is_other) {
            self.contradict(format!(
                "the list of `{task}` has {width} elements now, but it was expanded over {elements}: clear it with everything downstream"
            ))?;
        }
        let scope = plan.scope(of.scope);
        for element in 0..width {
            let gate = run.layout().resolve(plan, scope.nodes[0], Position { expansion, element });
            let record = match here {
                // Other processes run the other elements.
                Some(here) if here != element => Record::Skipped { slot: gate, why: Skip::ByHand },
                _ => Record::Succeeded { slot: gate, output: None },
            };
            self.record(run, record)?;
        }
        let elements = here.map_or(0..width, |here| here..here.saturating_add(1).min(width));
        let inner = needed.in_order(plan, of.scope);
        let requested = inner.iter().flat_map(|node| elements.clone().map(move |element| (*node, Some(element))));
        let outputs = self.outputs(plan, needed, states, requested)?;
        for (node, element) in inner.into_iter().flat_map(|node| elements.clone().map(move |element| (node, element))) {
            let slot = run.layout().resolve(plan, node, Position { expansion, element });
            match &plan.node(node).what {
                What::Body(_) => self.record_node(run, plan, slot, node, Some(element), states, &outputs)?,
                _ if self.target.is_of(node) => {}
                _ => self.recollect_elements(run, plan, slot, Some(element), states)?,
            }
        }
        Ok(())
    }

    /// Expands a mapping over its list, if the list is available.
    pub(super) fn expand_list(&self, run: &mut Run, each: Slot) -> Result<Option<(ExpansionIx, u32)>, RecollectError> {
        if !self.has_list(run, each)? {
            // The mapping is skipped or fails with its list, which the engine decides.
            return Ok(None);
        }
        let handle = run.look(each).ok_or_else(|| RecollectError::Fatal(format!("the list of `{}` is missing", run.id(each))))?;
        let list = handle.inspect().map_err(RecollectError::Fatal)?;
        let width = u32::try_from(list.len).unwrap_or(u32::MAX);
        self.record(run, Record::Unfolded { slot: each, width, keys: list.keys })?;
        Ok(run.expansion_of(each).map(|expansion| (expansion, width)))
    }

    /// Returns whether the list of a mapping is available.
    pub(super) fn has_list(&self, run: &mut Run, each: Slot) -> Result<bool, RecollectError> {
        let Some(list) = run.list_of(each) else { return Ok(false) };
        self.decide(run, list)?;
        Ok(run.node(list).state().is_end() && run.node(list).value().is_some())
    }

    /// Decides a list that is not the output of a task, such as that of a taken arm.
    fn decide(&self, run: &mut Run, slot: Slot) -> Result<(), RecollectError> {
        if run.node(slot).state().is_end() {
            return Ok(());
        }
        let before: Vec<Slot> = match run.what(slot) {
            What::Arm { branch, .. } => vec![run.seen_from(slot, *branch)],
            What::FirstOf { from } => from.iter().map(|from| run.seen_from(slot, *from)).collect(),
            What::Each(_) | What::Gather(_) => run.results(slot).into_iter().flatten().collect(),
            _ => return Ok(()),
        };
        for before in &before {
            self.decide(run, *before)?;
        }
        let is_there = match run.what(slot) {
            What::Arm { .. } => {
                let holds = |(from, rule): &(NodeIx, EdgeRule)| run.verdict(run.seen_from(slot, *from), *rule) == Verdict::Holds;
                run.plan().inbound(run.ix(slot)).iter().all(holds)
            }
            What::FirstOf { .. } => run.winner(slot).is_some(),
            _ => run.results(slot).is_some() && before.iter().all(|result| run.node(*result).state() == NodeState::Success),
        };
        if is_there { self.record(run, Record::Succeeded { slot, output: None }) } else { Ok(()) }
    }

    /// Records what happened to one node.
    #[expect(clippy::too_many_arguments, reason = "a node, by its place in the plan and in the run, and what is known")]
    fn record_node(
        &self,
        run: &mut Run,
        plan: &Plan,
        slot: Slot,
        node: NodeIx,
        element: Option<u32>,
        states: &NodeStates,
        outputs: &Outputs,
    ) -> Result<(), RecollectError> {
        let Some(task) = task_of(plan, node) else { return Ok(()) };
        if run.node(slot).state().is_end() {
            return Ok(());
        }
        match states.of(&task, element) {
            Some("success") => match outputs.get(&(node, element)) {
                Some(json) => self.record_output(run, slot, json),
                None => self.record_success(run, slot, Value::new(())),
            },
            Some(state @ ("failed" | "skipped" | "upstream_failed")) => {
                let report = self.reported_end(&task, element, state)?;
                self.record_unsuccessful(run, plan, slot, state, report, states)
            }
            Some("removed") => self.record(run, Record::Skipped { slot, why: Skip::ByHand }),
            // It has not ended; it may have lost a race.
            _ => Ok(()),
        }
    }

    /// Records a success with the output that Airflow stores as JSON.
    pub(super) fn record_output(&self, run: &mut Run, slot: Slot, json: &serde_json::Value) -> Result<(), RecollectError> {
        match decode(run.plan(), run.ix(slot), &run.id(slot), json) {
            Ok(value) => self.record_success(run, slot, value),
            // The run still ends, and its callbacks have to be called.
            Err(RecollectError::Fatal(why)) if self.is_end() => {
                self.record_failure(run, slot, &EndReport::failed(run.id(slot), why))
            }
            Err(error) => Err(error),
        }
    }

    /// Records a success with that output.
    fn record_success(&self, run: &mut Run, slot: Slot, value: Value) -> Result<(), RecollectError> {
        self.record(run, Record::Started { slot, attempt: 1 })?;
        self.record(run, Record::Succeeded { slot, output: Some(Output { value, json: None }) })
    }

    /// Adds a record to the run.
    pub(super) fn record(&self, run: &mut Run, record: Record) -> Result<(), RecollectError> {
        let written = run.write_down(&Entry { at: self.at, record });
        written.map_err(|illegal| RecollectError::Fatal(format!("the state of this run in Airflow is inconsistent: {illegal}")))
    }
}
