//! The outputs of the nodes upstream of a task.

use super::super::names::{mapping_around, task_of};
use super::super::rule::wants_success;
use super::super::wire::{NodeStates, XCom};
use super::Target;
use super::recollect::{Outputs, RecollectError, Recollector};
use super::requirements::Requirements;
use crate::author::value::Value;
use crate::plan::{NodeIx, Plan, What};
use std::collections::{BTreeMap, BTreeSet};

/// Requested outputs, each with its node and element.
type OutputRequests = Vec<((NodeIx, Option<u32>), XCom)>;

impl Recollector<'_> {
    /// Fetches the needed outputs of those of these nodes that succeeded. All requests run concurrently.
    pub(super) fn outputs(
        &self,
        plan: &Plan,
        needed: &Requirements,
        states: &NodeStates,
        nodes: impl Iterator<Item = (NodeIx, Option<u32>)>,
    ) -> Result<Outputs, RecollectError> {
        let mut outputs = Outputs::new();
        let mut by_node: BTreeMap<NodeIx, Vec<Option<u32>>> = BTreeMap::new();
        for (node, element) in nodes.filter(|(node, _)| needed.values.contains(node)) {
            let has_succeeded = task_of(plan, node).is_some_and(|task| states.of(&task, element) == Some("success"));
            if let Some(found) = self.prefetched.borrow_mut().remove(&(node, element)) {
                outputs.insert((node, element), found);
            } else if has_succeeded {
                by_node.entry(node).or_default().push(element);
            }
        }
        let (mut each, mut together) = (Vec::new(), Vec::new());
        for (node, elements) in by_node {
            let Some(task) = task_of(plan, node) else { continue };
            // One request for all elements, if the task has no others. Airflow's answer omits elements without an output,
            // includes outputs that were pushed before their element was cleared, and does not name the elements.
            if elements.len() > 1 && states.are_all_successes(&task, elements.len()) {
                let answer = self.supervisor.outputs(self.dag_run, &task)?;
                together.push((node, task, elements, answer));
            } else {
                self.request_each(node, &task, &elements, &mut each)?;
            }
        }
        for (node, task, elements, answer) in together {
            let values = answer.wait_for_all()?;
            if values.len() == elements.len() {
                outputs.extend(elements.iter().map(|element| (node, *element)).zip(values));
            } else {
                self.request_each(node, &task, &elements, &mut each)?;
            }
        }
        for (of, answer) in each {
            outputs.insert(of, answer.wait()?);
        }
        Ok(outputs)
    }

    fn request_each(
        &self,
        node: NodeIx,
        task: &str,
        elements: &[Option<u32>],
        requests: &mut OutputRequests,
    ) -> Result<(), RecollectError> {
        for &element in elements {
            requests.push(((node, element), self.supervisor.output(self.dag_run, task, element)?));
        }
        Ok(())
    }

    /// Returns whether everything that a task waits for has succeeded, without asking for states: Airflow has started the task by
    /// that rule, and each upstream node has an output. A missing output proves nothing: the file of DAGs may be older than this
    /// program and have another rule.
    pub(super) fn is_success_proven(&self, plan: &Plan, needed: &Requirements) -> Result<bool, RecollectError> {
        let Target::Node(node, index) = self.target else { return Ok(false) };
        let around = mapping_around(plan, node);
        let direct = |of: NodeIx| plan.inbound(of).iter().map(|(from, _)| *from);
        let known: BTreeSet<NodeIx> = direct(node).chain(around.into_iter().flat_map(direct)).collect();
        let is_known = |node: &NodeIx| known.contains(node) && needed.values.contains(node);
        let may_be = wants_success(plan, node)
            && around.is_none_or(|each| wants_success(plan, each))
            && needed.whole_mappings.is_empty()
            && needed.expanded.iter().all(|each| Some(*each) == around)
            && needed.states.iter().all(is_known);
        if !may_be {
            return Ok(false);
        }
        let mut requests = Vec::new();
        for &of in &needed.states {
            let Some(task) = task_of(plan, of) else { return Ok(false) };
            let element = index.filter(|_| plan.node(of).scope != 0);
            self.request_each(of, &task, &[element], &mut requests)?;
        }
        let mut found = self.prefetched.borrow_mut();
        for (of, answer) in requests {
            found.insert(of, answer.wait()?);
        }
        Ok(found.values().all(|output| !output.is_null()))
    }
}

pub(super) fn decode(plan: &Plan, node: NodeIx, id: &str, json: &serde_json::Value) -> Result<Value, RecollectError> {
    let What::Body(task) = &plan.node(node).what else { return Ok(Value::new(())) };
    let text = serde_json::to_vec(json).unwrap_or_default();
    (task.codec.decode)(&text).map_err(|error| {
        let type_name = (task.codec.type_name)();
        RecollectError::Fatal(match json {
            serde_json::Value::Null => format!(
                "Airflow has no output of `{id}`, which is a success and returns a `{type_name}`: was it marked manually, or its XCom deleted? \
                 Clear it, so that it runs again"
            ),
            _ => format!("the output of `{id}` in Airflow is not a valid `{type_name}`: {error}: clear it, so that it runs again"),
        })
    })
}
