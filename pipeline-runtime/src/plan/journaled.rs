//! A plan as it was stored in a journal with a run, to show that run even if the code has changed.
//!
//! It has only the nodes, their inputs and the mappings: no bodies, no types, no options. So it can be shown, but never run. For
//! a node that the current plan has under the same id, with the same output, the place and the options come from the current
//! plan.

use super::assets::Assets;
use super::graph::{Calendar, Each, NodeIx, Plan, PlanNode, Scope, ScopeIx, What};
use super::id::Name;
use super::policy::{DEFAULT_PARALLELISM, DEFAULT_POOL, Policy, PoolSpec, RunPolicy, SensorPolicy};
use super::skeleton::{Skeleton, SkeletonNode};
use crate::author::draft::Mapping;
use crate::author::options::{Mode, OnTimeout};
use pipeline_syntax::limits::MAX_ACTIVE_RUNS;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::Location;
use std::sync::OnceLock;
use std::time::Duration;

/// A node about which only the journal's information is known.
#[derive(Debug)]
pub(crate) struct JournaledNode {
    pub(super) is_body: bool,
    pub(super) from: Box<[NodeIx]>,
    /// True if the current plan has the place where it is wired.
    pub(super) is_placed: bool,
}

/// Indices of the default policies.
const TASK: u32 = 0;
const SENSOR: u32 = 1;

impl Plan {
    /// The plan of that skeleton; `None` if it cannot be read. `present` is the current plan of the same pipeline, if there is
    /// one.
    #[expect(clippy::too_many_lines, reason = "two structs of many fields are filled, one line a field")]
    pub(crate) fn from_journal(skeleton: &str, present: Option<&Self>) -> Option<Self> {
        let skeleton_nodes = serde_json::from_str::<Skeleton>(skeleton).ok()?.nodes;
        let ids: HashMap<&str, NodeIx> = skeleton_nodes.iter().map(|node| node.id.as_str()).zip(0..).collect();
        let (mut scopes, of_mapping) = scopes(&skeleton_nodes, &ids)?;
        let mut policies = vec![policy(None), policy(Some(Box::new(sensor())))];
        // Nodes of one task share a policy, as they do in the current plan.
        let mut copied: HashMap<u32, u32> = HashMap::new();
        let mut nodes = Vec::with_capacity(skeleton_nodes.len());
        for (ix, node) in (0..).zip(&skeleton_nodes) {
            let scope_ix = match node.within.as_deref() {
                Some(within) => *of_mapping.get(within)?,
                None => 0,
            };
            let scope = &mut scopes[scope_ix as usize];
            let each = scope.each.filter(|_| scope.nodes.is_empty());
            let offset = u32::try_from(scope.nodes.len()).ok()?;
            scope.nodes.push(ix);
            let from = node.inputs.iter().map(|(id, _)| ids.get(id.as_str()).copied()).collect::<Option<Box<[_]>>>()?;
            let now = present.and_then(|present| Some((present, same(present, node)?)));
            let what = match (each, of_mapping.get(node.id.as_str())) {
                (Some(each), _) => What::Element { each },
                (None, Some(&scope)) => What::Each(Box::new(each_of(from.first().copied()?, scope, ix))),
                (None, None) => {
                    What::Journaled(Box::new(JournaledNode { is_body: node.is_body(), from, is_placed: now.is_some() }))
                }
            };
            let policy = match now {
                Some((present, now)) => *copied.entry(present.node(now).policy).or_insert_with(|| {
                    policies.push(Policy { pool: 0, callbacks: Box::default(), ..present.policy(now).clone() });
                    u32::try_from(policies.len() - 1).unwrap_or(TASK)
                }),
                None => TASK,
            };
            nodes.push(PlanNode {
                what,
                at: now.map_or_else(Location::caller, |(present, now)| present.node(now).at),
                name: Name::Given(node.id.as_str().into()),
                scope: scope_ix,
                offset,
                args: 0..0,
                out: 0..0,
                needs: 0,
                policy,
                rank: 0,
                allow_failure: false,
                is_plain: false,
            });
        }
        Some(Self {
            // The run has the name.
            pipeline: "",
            description: "",
            tags: &[],
            params: Value::Null,
            schedule: None,
            zone: crate::schedule::Zone::UTC,
            calendar: Calendar {
                start: None,
                end: None,
                catchup: false,
                max_active_runs: MAX_ACTIVE_RUNS,
                depends_on_past: false,
                by_hand: false,
            },
            run: RunPolicy::default(),
            nodes,
            args: Vec::new(),
            edges: Vec::new(),
            scopes,
            // The ids already contain the groups.
            groups: Vec::new(),
            teardowns: Vec::new(),
            holdings: Vec::new(),
            policies,
            pools: vec![PoolSpec { name: DEFAULT_POOL, slots: DEFAULT_PARALLELISM }],
            notifiers: Vec::new(),
            parts: Vec::new(),
            parts_of_gates: HashMap::new(),
            across: BTreeMap::new(),
            assets: Assets::default(),
            settings: Vec::new(),
            by_id: OnceLock::new(),
            inbound: OnceLock::new(),
        })
    }

    /// Marks these nodes of such a plan as sensors, unless the current plan has their options.
    pub(crate) fn with_sensors(mut self, sensors: &HashSet<NodeIx>) -> Self {
        for (ix, node) in (0..).zip(&mut self.nodes) {
            if node.policy == TASK && sensors.contains(&ix) {
                node.policy = SENSOR;
            }
        }
        self
    }
}

/// The scopes of mappings, without their nodes, and the scope that each mapping repeats.
fn scopes<'a>(
    skeleton_nodes: &'a [SkeletonNode],
    ids: &HashMap<&str, NodeIx>,
) -> Option<(Vec<Scope>, HashMap<&'a str, ScopeIx>)> {
    let mappings: HashSet<&str> = skeleton_nodes.iter().filter_map(|node| node.within.as_deref()).collect();
    let mut scopes = vec![Scope { parent: 0, each: None, nodes: Vec::new(), imports: Vec::new() }];
    let mut of_mapping: HashMap<&str, ScopeIx> = HashMap::new();
    // A mapping comes after the nodes that it repeats, so in reverse order an outer one comes first.
    for node in skeleton_nodes.iter().rev().filter(|node| mappings.contains(node.id.as_str())) {
        let parent = match node.within.as_deref() {
            Some(within) => *of_mapping.get(within)?,
            None => 0,
        };
        of_mapping.insert(&node.id, u32::try_from(scopes.len()).ok()?);
        scopes.push(Scope { parent, each: Some(*ids.get(node.id.as_str())?), nodes: Vec::new(), imports: Vec::new() });
    }
    Some((scopes, of_mapping))
}

/// The node of the current plan that is the same as a node of the run.
fn same(present: &Plan, node: &SkeletonNode) -> Option<NodeIx> {
    let ix = present.find(&node.id).filter(|_| !node.is_numbered())?;
    node.returns(present.output(ix)).then_some(ix)
}

fn policy(sensor: Option<Box<SensorPolicy>>) -> Policy {
    Policy {
        retries: 0,
        retry_delay: super::policy::Delay::Fixed(Duration::ZERO, Duration::ZERO),
        limit: None,
        pool: 0,
        priority: 0,
        sla: None,
        callbacks: Box::default(),
        sensor,
    }
}

/// A sensor whose timeout is not known.
fn sensor() -> SensorPolicy {
    SensorPolicy {
        timeout: Duration::MAX,
        poke: super::policy::Delay::Fixed(Duration::ZERO, Duration::ZERO),
        on_timeout: OnTimeout::default(),
        mode: Mode::default(),
        is_woken: false,
    }
}

fn each_of(list: NodeIx, scope: ScopeIx, result: NodeIx) -> Each {
    // Never called, because there are no outputs.
    let mapping = Mapping { len: |_| 0, item: |list, _| list.clone() };
    let gathered = Box::default();
    Each { list, scope, result, join: |_| None, gathered, max_active: None, in_order: false, keys: None, mapping }
}
