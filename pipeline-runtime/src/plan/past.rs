//! The sensors that wait for a node's past: their names, and what they wait for.

use super::build::Order;
use super::graph::{EdgeRule, NodeIx, Plan, What};
use super::groups::{self, Group};
use super::id::Name;
use crate::author::across::{CrossReference, Role};
use crate::author::draft::{DraftOrder, NodeOrGroup};
use crate::author::input::Rule;
use crate::author::pipeline::Pipeline;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The sensors without ticks, which the host wakes.
pub(super) fn woken(across: &BTreeMap<NodeIx, CrossReference>, pasts: &BTreeMap<NodeIx, NodeIx>) -> HashSet<NodeIx> {
    let waiting = across.iter().filter(|(_, across)| matches!(across.role, Role::Awaits(_)));
    waiting.map(|(node, _)| *node).chain(pasts.keys().copied()).collect()
}

/// Names each sensor after its node, `load.past`.
pub(super) fn name(plan: &mut Plan, pasts: &BTreeMap<NodeIx, NodeIx>, pipeline: &Pipeline) {
    for (&sensor, &node) in pasts {
        let id = plan.id(node);
        plan.nodes[sensor as usize].name = Name::Given(format!("{id}.past").into());
        let across = CrossReference { pipeline: pipeline.clone(), role: Role::Past(id.into()) };
        plan.across.insert(sensor, across);
    }
}

/// Further orders by pasts: a group that holds locks starts only once all pasts have passed that its nodes wait for. Otherwise it
/// would hold its locks while it waits for a run that needs them.
pub(super) fn orders(plan: &Plan, pasts: &BTreeMap<NodeIx, NodeIx>, drafted: &[DraftOrder]) -> Vec<Order> {
    if plan.holdings.is_empty() || pasts.is_empty() {
        return Vec::new();
    }
    let between = groups::between(plan, drafted);
    let mut orders = Vec::new();
    for holding in &plan.holdings {
        let needed = needed(plan, plan.holder(holding), drafted);
        let first = groups::first(plan, holding.group, &between);
        for (&upstream, _) in pasts.iter().filter(|(_, node)| needed.contains(node)) {
            // If a user skips the wait, only its own node is affected.
            let rule = EdgeRule::Upstream(Rule::NoneFailed);
            orders.extend(first.iter().map(|&node| Order { node, upstream, rule, at: holding.at }));
        }
    }
    orders
}

/// The nodes of a group, and everything that they wait for.
fn needed(plan: &Plan, group: &Group, drafted: &[DraftOrder]) -> HashSet<NodeIx> {
    let of = |party: NodeOrGroup| match party {
        NodeOrGroup::Node(node) => vec![node.index()],
        NodeOrGroup::Group(group) => plan.groups[group.index() as usize].nodes().collect(),
    };
    let mut after: HashMap<NodeIx, Vec<NodeIx>> = HashMap::new();
    for order in drafted {
        for node in of(order.node) {
            after.entry(node).or_default().extend(of(order.upstream));
        }
    }
    let mut needed: HashSet<NodeIx> = HashSet::new();
    let mut to_visit: Vec<NodeIx> = group.nodes().collect();
    while let Some(node) = to_visit.pop() {
        if needed.insert(node) {
            to_visit.extend(plan.upstreams(node));
            to_visit.extend(after.get(&node).into_iter().flatten());
            // Repeated nodes are part of their mapping.
            to_visit.extend(plan.scope(plan.node(node).scope).each);
            if let What::Each(each) = &plan.node(node).what {
                to_visit.extend(&plan.scope(each.scope).nodes);
            }
        }
    }
    needed
}

impl Plan {
    /// True if a node is the sensor before one that depends on its past.
    pub(crate) fn is_past(&self, node: NodeIx) -> bool {
        self.past_of(node).is_some()
    }

    /// The node whose past a sensor waits for.
    pub(crate) fn past_of(&self, sensor: NodeIx) -> Option<&str> {
        self.across.get(&sensor).and_then(|across| if let Role::Past(node) = &across.role { Some(&**node) } else { None })
    }

    /// Warns if a past is awaited that the pipeline's runs do not have. That is not a mistake: several pipelines may share a
    /// task, and a pipeline that gets its schedule elsewhere may be built without one.
    pub(super) fn warn_of_no_past(&self, warnings: &mut Vec<String>) {
        if self.schedule.is_some() || self.calendar.by_hand {
            return;
        }
        let (pipeline, help) = (self.pipeline, "  = help: give the pipeline a `schedule`, or leave `depends_on_past` out");
        if self.calendar.depends_on_past {
            warnings.push(format!(
                "pipeline `{pipeline}` depends on its past, and has no schedule: its runs wait for nothing\n{help}"
            ));
        }
        if let Some(node) = self.depending_on_past().next() {
            warnings.push(format!(
                "`{node}` depends on its past, and pipeline `{pipeline}` has no schedule: its runs wait for nothing\n{help}"
            ));
        }
    }

    /// The nodes that depend on their past.
    pub(crate) fn depending_on_past(&self) -> impl Iterator<Item = &str> {
        self.across.values().filter_map(|across| if let Role::Past(node) = &across.role { Some(&**node) } else { None })
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;
    use crate::prelude::*;
    use serde_json::{Value, json};

    #[task(depends_on_past = true)]
    async fn load() -> Result<u64> {
        Ok(1)
    }

    #[task]
    async fn report() -> Result<u64> {
        Ok(1)
    }

    #[pipeline]
    fn loads() {
        load();
    }

    fn plan(pipeline: &Pipeline) -> Plan {
        pipeline.plan(&Value::Null).unwrap()
    }

    #[test]
    fn a_past_that_no_run_has_is_warned_of() {
        #[pipeline(depends_on_past = true)]
        fn whole() {
            report();
        }
        let help = "its runs wait for nothing\n  = help: give the pipeline a `schedule`, or leave `depends_on_past` out";
        let of_node = format!("`load` depends on its past, and pipeline `loads` has no schedule: {help}");
        let of_pipeline = format!("pipeline `whole` depends on its past, and has no schedule: {help}");
        assert_eq!(plan(&loads()).warnings(), [of_node]);
        assert_eq!(plan(&whole()).warnings(), [of_pipeline]);
        for pipeline in [loads(), whole()] {
            let daily = pipeline.clone().schedule(cron!("@daily")).unscheduled_unless(true);
            assert!(plan(&daily).warnings().is_empty());
            // In another place it has a schedule.
            assert!(plan(&pipeline.schedule(cron!("@daily")).unscheduled_unless(false)).warnings().is_empty());
        }
    }

    #[test]
    fn what_takes_the_id_of_a_wait_is_told_what_has_it() {
        #[pipeline(schedule = "@daily")]
        fn taken() {
            report().named("load.past");
            load();
        }
        let refused = taken().check().unwrap_err().to_string();
        assert!(
            refused.contains("`load.past` is the id of the sensor that waits for the past of `load`, and of another node"),
            "{refused}"
        );
    }

    #[test]
    fn a_wait_is_of_no_authors_making() {
        async fn page(_: Notification) {}
        #[pipeline(schedule = "@daily", timeout = "1h", defaults(retries = 2, timeout = "5m", sla = "1m", on_failure = page, on_sla_miss = page))]
        fn with_defaults() {
            load();
        }
        let plan = plan(&with_defaults());
        let json = plan.to_json();
        let nodes = json["nodes"].as_array().unwrap();
        let node = |id: &str| nodes.iter().find(|node| node["id"] == id).unwrap();
        assert_eq!(node("load")["options"]["callbacks"].as_array().unwrap().len(), 2, "{json}");
        let wait = &node("load.past")["options"];
        assert_eq!(wait["callbacks"], json!([]), "{wait}");
        assert_eq!((&wait["timeout_ms"], &wait["poke"]), (&Value::Null, &Value::Null), "{wait}");
    }
}
