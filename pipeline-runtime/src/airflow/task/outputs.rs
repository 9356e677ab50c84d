//! What the nodes before a task returned.

use super::super::names::{mapping_around, task_of};
use super::super::rule::wants_success;
use super::super::wire::{NodeStates, XCom};
use super::Target;
use super::needed::Needed;
use super::recollect::{Outputs, Recollection, Unknown};
use crate::author::value::Value;
use crate::plan::{NodeIx, Plan, What};
use std::collections::{BTreeMap, BTreeSet};

/// Outputs that were asked for, each with its element.
type Asked = Vec<((NodeIx, Option<u32>), XCom)>;

impl Recollection<'_> {
    /// What those of these nodes returned that succeeded, as far as it is needed. All requests are under way at once.
    pub(super) fn outputs(
        &self,
        plan: &Plan,
        needed: &Needed,
        states: &NodeStates,
        nodes: impl Iterator<Item = (NodeIx, Option<u32>)>,
    ) -> Result<Outputs, Unknown> {
        let mut outputs = Outputs::new();
        let mut by_node: BTreeMap<NodeIx, Vec<Option<u32>>> = BTreeMap::new();
        for (node, element) in nodes.filter(|(node, _)| needed.values.contains(node)) {
            let has_succeeded = task_of(plan, node).is_some_and(|task| states.of(&task, element) == Some("success"));
            if let Some(found) = self.found.borrow_mut().remove(&(node, element)) {
                outputs.insert((node, element), found);
            } else if has_succeeded {
                by_node.entry(node).or_default().push(element);
            }
        }
        let (mut each, mut together) = (Vec::new(), Vec::new());
        for (node, elements) in by_node {
            let Some(task) = task_of(plan, node) else { continue };
            // One request for all of them, if it has no others: Airflow leaves out those that have pushed nothing, and does not leave out those that
            // were pushed before the element was cleared, and says of neither which element it is.
            if elements.len() > 1 && states.are_all_successes(&task, elements.len()) {
                let answer = self.supervisor.outputs(self.place, &task)?;
                together.push((node, task, elements, answer));
            } else {
                self.ask_each(node, &task, &elements, &mut each)?;
            }
        }
        for (node, task, elements, answer) in together {
            let values = answer.wait_for_all()?;
            if values.len() == elements.len() {
                outputs.extend(elements.iter().map(|element| (node, *element)).zip(values));
            } else {
                self.ask_each(node, &task, &elements, &mut each)?;
            }
        }
        for (of, answer) in each {
            outputs.insert(of, answer.wait()?);
        }
        Ok(outputs)
    }

    fn ask_each(&self, node: NodeIx, task: &str, elements: &[Option<u32>], asked: &mut Asked) -> Result<(), Unknown> {
        for &element in elements {
            asked.push(((node, element), self.supervisor.output(self.place, task, element)?));
        }
        Ok(())
    }

    /// Whether all that a task waits for has succeeded, without asking: Airflow starts it by that, and each has an output. One without an output
    /// proves nothing: the file of DAGs may be an older one than this program, and have another rule.
    pub(super) fn is_proven(&self, plan: &Plan, needed: &Needed) -> Result<bool, Unknown> {
        let Target::Node(node, index) = self.target else { return Ok(false) };
        let around = mapping_around(plan, node);
        let direct = |of: NodeIx| plan.inbound(of).iter().map(|(from, _)| *from);
        let known: BTreeSet<NodeIx> = direct(node).chain(around.into_iter().flat_map(direct)).collect();
        let is_known = |node: &NodeIx| known.contains(node) && needed.values.contains(node);
        let may_be = wants_success(plan, node)
            && around.is_none_or(|each| wants_success(plan, each))
            && needed.whole.is_empty()
            && needed.expanded.iter().all(|each| Some(*each) == around)
            && needed.states.iter().all(is_known);
        if !may_be {
            return Ok(false);
        }
        let mut asked = Vec::new();
        for &of in &needed.states {
            let Some(task) = task_of(plan, of) else { return Ok(false) };
            let element = index.filter(|_| plan.node(of).scope != 0);
            self.ask_each(of, &task, &[element], &mut asked)?;
        }
        let mut found = self.found.borrow_mut();
        for (of, answer) in asked {
            found.insert(of, answer.wait()?);
        }
        Ok(found.values().all(|output| !output.is_null()))
    }
}

pub(super) fn decode(plan: &Plan, node: NodeIx, id: &str, json: &serde_json::Value) -> Result<Value, Unknown> {
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
