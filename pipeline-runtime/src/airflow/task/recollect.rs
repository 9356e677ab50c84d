//! What Airflow knows of a run becomes records, so that the run's state follows from them as anywhere else.
//!
//! A task's process asks how the nodes before it ended and what they returned, and writes down what a journal of ours would have of
//! them. Trigger rules, arms, races and the joins of mappings then are the engine's own.

use super::super::names::{mapping_around, task_of};
use super::super::rule::wants_success;
use super::super::wire::{CallError, NodeStates, Place, ReadError, Supervisor, XCom};
use super::Target;
use super::ended::{self, Ended};
use super::needed::Needed;
use crate::author::value::Value;
use crate::engine::{Entry, ExpansionIx, Output, Position, Record, Run, Skip, Slot};
use crate::plan::{NodeIx, Plan, What};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why it is not known what happened before a task.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something that no further try would mend.
    #[error("{0}")]
    Fatal(String),
}

/// The nodes of which something is known, each with its element.
type Outputs = BTreeMap<(NodeIx, Option<u32>), serde_json::Value>;

pub(super) struct Recollection<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) place: &'a Place,
    pub(super) at: Timestamp,
    /// Whether the run's end is to be decided, and not one node.
    pub(super) is_end: bool,
}

impl Recollection<'_> {
    /// Writes down in `run`, of which nothing has happened yet, what its tasks have come to.
    pub(super) fn recollect(&self, run: &mut Run, target: Target) -> Result<(), Unknown> {
        let plan = Arc::clone(run.plan());
        let needed = Needed::of(&plan, target);
        self.pass_pasts(run, &plan)?;
        if needed.states.is_empty() && needed.whole.is_empty() {
            return Ok(());
        }
        let is_told = |target: Target| matches!(target, Target::Node(node, _) if wants_success(&plan, node));
        let (needed, states) = if is_told(target) { (needed, NodeStates::AllSuccessful) } else { self.states(&plan, needed)? };
        let is_own = |node: &NodeIx| plan.node(*node).scope == 0;
        let outputs =
            self.outputs(&plan, &needed, &states, needed.states.iter().copied().filter(is_own).map(|node| (node, None)))?;
        for &node in needed.states.iter().filter(|node| is_own(node)) {
            let slot = run.seen_from(0, node);
            self.write_down(run, &plan, slot, node, None, &states, &outputs)?;
        }
        for &each in needed.expanded.iter().filter(|each| is_own(each) && !needed.whole.contains(each)) {
            if target != Target::Expand(each) {
                self.expand(run, &plan, each, target, &needed, &states)?;
            }
        }
        for &each in needed.whole.iter().filter(|each| is_own(each) && !target.is_of(**each)) {
            self.elements(run, &plan, run.seen_from(0, each), None, &states)?;
        }
        Ok(())
    }

    /// How the nodes ended. What Airflow has skipped or failed by its own rule says nothing itself: why is asked of what is before it.
    fn states(&self, plan: &Plan, mut needed: Needed) -> Result<(Needed, NodeStates), Unknown> {
        loop {
            let asked: Vec<NodeIx> = needed.states.iter().chain(&needed.whole).copied().collect();
            let tasks: Vec<String> = asked.iter().filter_map(|node| task_of(plan, *node)).collect();
            let states = self.supervisor.states(self.place, &tasks)?;
            let failed = |node: &NodeIx| task_of(plan, *node).is_some_and(|task| states.any(&task, "upstream_failed"));
            for node in asked.iter().copied().filter(failed) {
                needed.wait_of(plan, node);
            }
            if needed.states.len() + needed.whole.len() == asked.len() {
                return Ok((needed, states));
            }
        }
    }

    /// Airflow has seen to it that what depends on its past may begin.
    fn pass_pasts(&self, run: &mut Run, plan: &Plan) -> Result<(), Unknown> {
        let pasts: Vec<NodeIx> = plan.bodies().map(|(node, _)| node).filter(|node| plan.is_past(*node)).collect();
        for node in pasts.into_iter().filter(|node| plan.node(*node).scope == 0) {
            let slot = run.seen_from(0, node);
            self.succeed(run, slot, Value::new(()))?;
        }
        Ok(())
    }

    fn expand(
        &self,
        run: &mut Run,
        plan: &Plan,
        each: NodeIx,
        target: Target,
        needed: &Needed,
        states: &NodeStates,
    ) -> Result<(), Unknown> {
        let What::Each(of) = &plan.node(each).what else { return Ok(()) };
        let Some((expansion, width)) = self.unfold(run, run.seen_from(0, each))? else { return Ok(()) };
        let here = match target {
            Target::Node(node, index) | Target::Whole(node, index) if mapping_around(plan, node) == Some(each) => index,
            _ => None,
        };
        let scope = plan.scope(of.scope);
        for element in 0..width {
            let gate = run.layout().resolve(plan, scope.nodes[0], Position { expansion, element });
            let record = match here {
                // The others are other processes' affair.
                Some(here) if here != element => Record::Skipped { slot: gate, why: Skip::ByHand },
                _ => Record::Succeeded { slot: gate, output: None },
            };
            self.record(run, record)?;
        }
        let elements = here.map_or(0..width, |here| here..here.saturating_add(1).min(width));
        let inner = needed.states.iter().copied().filter(|node| plan.node(*node).scope == of.scope);
        let inner: Vec<(NodeIx, Option<u32>)> =
            inner.flat_map(|node| elements.clone().map(move |element| (node, Some(element)))).collect();
        let outputs = self.outputs(plan, needed, states, inner.iter().copied())?;
        for (node, element) in inner {
            let position = Position { expansion, element: element.unwrap_or_default() };
            let slot = run.layout().resolve(plan, node, position);
            self.write_down(run, plan, slot, node, element, states, &outputs)?;
        }
        for &whole in needed.whole.iter().filter(|whole| plan.node(**whole).scope == of.scope && !target.is_of(**whole)) {
            for element in elements.clone() {
                let slot = run.layout().resolve(plan, whole, Position { expansion, element });
                self.elements(run, plan, slot, Some(element), states)?;
            }
        }
        Ok(())
    }

    /// Expands a mapping over its list, if that is there.
    pub(super) fn unfold(&self, run: &mut Run, each: Slot) -> Result<Option<(ExpansionIx, u32)>, Unknown> {
        let list = run.list_of(each).map(|list| run.node(list).state().is_end() && run.node(list).value().is_some());
        if list != Some(true) {
            // The mapping is skipped or fails with its list, which is for the engine to say.
            return Ok(None);
        }
        let look = run.look(each).ok_or_else(|| Unknown::Fatal(format!("the list of `{}` is not there", run.id(each))))?;
        let seen = look.look().map_err(Unknown::Fatal)?;
        let width = u32::try_from(seen.len).unwrap_or(u32::MAX);
        self.record(run, Record::Unfolded { slot: each, width, keys: seen.keys })?;
        Ok(run.expansion_of(each).map(|expansion| (expansion, width)))
    }

    /// What those of these nodes returned that succeeded, as far as it is needed. All requests are under way at once.
    fn outputs(
        &self,
        plan: &Plan,
        needed: &Needed,
        states: &NodeStates,
        nodes: impl Iterator<Item = (NodeIx, Option<u32>)>,
    ) -> Result<Outputs, Unknown> {
        let mut asked: Vec<(NodeIx, Vec<Option<u32>>, XCom)> = Vec::new();
        let mut by_node: BTreeMap<NodeIx, Vec<Option<u32>>> = BTreeMap::new();
        for (node, element) in nodes.filter(|(node, _)| needed.values.contains(node)) {
            let has_succeeded = task_of(plan, node).is_some_and(|task| states.of(&task, element) == Some("success"));
            if has_succeeded {
                by_node.entry(node).or_default().push(element);
            }
        }
        for (node, elements) in by_node {
            let Some(task) = task_of(plan, node) else { continue };
            let answer = match elements.as_slice() {
                [only] => self.supervisor.output(self.place, &task, *only)?,
                _ => self.supervisor.outputs(self.place, &task)?,
            };
            asked.push((node, elements, answer));
        }
        let mut outputs = Outputs::new();
        for (node, elements, answer) in asked {
            if let [only] = elements.as_slice() {
                outputs.insert((node, *only), answer.wait()?);
                continue;
            }
            let values = answer.wait_for_all()?;
            if values.len() == elements.len() {
                outputs.extend(elements.iter().map(|element| (node, *element)).zip(values));
                continue;
            }
            // Airflow leaves out those that have pushed nothing, such as one that was marked by hand, and says not which.
            let Some(task) = task_of(plan, node) else { continue };
            let asked: Result<Vec<XCom>, CallError> =
                elements.iter().map(|element| self.supervisor.output(self.place, &task, *element)).collect();
            for (element, answer) in elements.iter().zip(asked?) {
                outputs.insert((node, *element), answer.wait()?);
            }
        }
        Ok(outputs)
    }

    /// What happened to one node.
    #[expect(clippy::too_many_arguments, reason = "a node, by its place in the plan and in the run, and what is known")]
    fn write_down(
        &self,
        run: &mut Run,
        plan: &Plan,
        slot: Slot,
        node: NodeIx,
        element: Option<u32>,
        states: &NodeStates,
        outputs: &Outputs,
    ) -> Result<(), Unknown> {
        let Some(task) = task_of(plan, node) else { return Ok(()) };
        if run.node(slot).state().is_end() {
            return Ok(());
        }
        match states.of(&task, element) {
            Some("success") => match outputs.get(&(node, element)) {
                Some(json) => self.success(run, slot, json),
                None => self.succeed(run, slot, Value::new(())),
            },
            Some(state @ ("failed" | "skipped" | "upstream_failed")) => {
                let kept = self.supervisor.xcom(self.place, &task, ended::KEY, element)?.wait()?;
                let ended: Option<Ended> = serde_json::from_value(kept).ok();
                self.not_succeeded(run, plan, slot, state, ended, states)
            }
            Some("removed") => self.record(run, Record::Skipped { slot, why: Skip::ByHand }),
            // It has not ended, as one of those that a race is between.
            _ => Ok(()),
        }
    }

    fn not_succeeded(
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
            // By its own rule, which nobody has been told of yet: the end of the run decides it by ours, and tells.
            ("skipped" | "upstream_failed", None) if self.is_end => Ok(()),
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

    /// How a node ended that says so itself.
    pub(super) fn end(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<(), Unknown> {
        match ended.state.as_str() {
            "skipped" => self.record(run, Record::Skipped { slot, why: Skip::Body(ended.error.as_str().into()) }),
            "upstream_failed" => {
                let cause = self.cause(run, slot, ended)?;
                self.record(run, Record::UpstreamFailed { slot, cause })
            }
            _ => self.fail(run, slot, ended),
        }
    }

    /// The node that a failure comes from, which is written down as failed where it is not yet.
    fn cause(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<Slot, Unknown> {
        let found = run.slots().find(|slot| run.is_body(*slot) && run.id(*slot) == ended.node);
        let Some(cause) = found.filter(|cause| *cause != slot) else { return Ok(slot) };
        if !run.node(cause).state().is_end() {
            self.fail(run, cause, &Ended { state: "failed".to_owned(), ..ended.clone() })?;
        }
        Ok(cause)
    }

    /// The failed node that comes first before one that Airflow has failed with it.
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
                    let kept = self.supervisor.xcom(self.place, &task, ended::KEY, index)?.wait()?;
                    let ended = serde_json::from_value(kept).unwrap_or_else(|_| Ended::unsaid(run.id(cause)));
                    self.fail(run, cause, &ended)?;
                }
                return Ok(cause);
            }
        }
        Ok(slot)
    }

    fn fail(&self, run: &mut Run, slot: Slot, ended: &Ended) -> Result<(), Unknown> {
        // Not of a mapping.
        if run.is_body(slot) {
            self.record(run, Record::Started { slot, attempt: ended.attempts.max(1) })?;
        }
        self.record(run, Record::Failed { slot, error: ended.error.as_str().into(), timed_out: false })
    }

    pub(super) fn success(&self, run: &mut Run, slot: Slot, json: &serde_json::Value) -> Result<(), Unknown> {
        let value = decode(run.plan(), run.ix(slot), &run.id(slot), json)?;
        self.succeed(run, slot, value)
    }

    fn succeed(&self, run: &mut Run, slot: Slot, value: Value) -> Result<(), Unknown> {
        self.record(run, Record::Started { slot, attempt: 1 })?;
        self.record(run, Record::Succeeded { slot, output: Some(Output { value, json: None }) })
    }

    pub(super) fn record(&self, run: &mut Run, record: Record) -> Result<(), Unknown> {
        let written = run.write_down(&Entry { at: self.at, record });
        written.map_err(|illegal| Unknown::Fatal(format!("what Airflow says of this run cannot be: {illegal}")))
    }
}

fn decode(plan: &Plan, node: NodeIx, id: &str, json: &serde_json::Value) -> Result<Value, Unknown> {
    let What::Body(task) = &plan.node(node).what else { return Ok(Value::new(())) };
    let text = serde_json::to_vec(json).unwrap_or_default();
    (task.codec.decode)(&text).map_err(|error| {
        let type_name = (task.codec.type_name)();
        Unknown::Fatal(match json {
            serde_json::Value::Null => format!(
                "Airflow has no output of `{id}`, which is a success and returns a `{type_name}`: was it marked by hand, or its XCom deleted? \
                 Clear it, so that it runs again"
            ),
            _ => format!("the output of `{id}` that Airflow has is no `{type_name}`: {error}: clear it, so that it runs again"),
        })
    })
}
