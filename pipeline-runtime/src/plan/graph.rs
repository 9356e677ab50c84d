use super::assets::Assets;
use super::groups::Group;
use super::holdings::Holding;
use super::id::Name;
use super::journaled::JournaledNode;
use super::notifiers::Notifier;
use super::policy::{Policy, PoolSpec, RunPolicy};
use super::teardowns::Teardown;
use crate::author::across::CrossReference;
use crate::author::body::Arg;
use crate::author::context::RunInfo;
use crate::author::definition::{Definition, Task};
use crate::author::draft::{self, Join, Mapping, Part, SourceLocation};
use crate::author::error::cut;
use crate::author::input::{Rule, Source};
use crate::author::keys::ElementKeys;
use crate::author::redaction::redacted;
use crate::author::setting::AnySetting;
use crate::author::value::{Codec, Value as AnyValue};
use crate::schedule::{Schedule, Zone};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A node's index in its plan. Nodes are in wiring order.
pub(crate) type NodeIx = u32;
/// A scope's index in its plan. Scope 0 is the pipeline itself; each other scope is the inside of one `.each`.
pub(crate) type ScopeIx = u32;

/// A pipeline's graph with one set of params.
#[derive(Debug)]
pub struct Plan {
    pub(crate) pipeline: &'static str,
    pub(crate) description: &'static str,
    pub(crate) tags: &'static [&'static str],
    pub(crate) params: Value,
    pub(crate) schedule: Option<Schedule>,
    /// The zone of its dates.
    pub(crate) zone: Zone,
    pub(crate) calendar: Calendar,
    pub(crate) run: RunPolicy,
    pub(crate) nodes: Vec<PlanNode>,
    pub(crate) args: Vec<Arg>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) groups: Vec<Group>,
    /// Sorted by node.
    pub(crate) teardowns: Vec<Teardown>,
    /// In wiring order.
    pub(crate) holdings: Vec<Holding>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) pools: Vec<PoolSpec>,
    pub(crate) notifiers: Vec<Notifier>,
    /// The parts of outputs that are taken.
    pub(crate) parts: Vec<Part>,
    /// Parts that gates take, by the gate and the position among its inputs; for a mapping, its list comes first.
    pub(crate) parts_of_gates: HashMap<(NodeIx, u32), u32>,
    /// The nodes that refer to another pipeline.
    pub(crate) across: BTreeMap<NodeIx, CrossReference>,
    pub(crate) assets: Assets,
    /// The settings that its nodes take.
    pub(crate) settings: Vec<&'static dyn AnySetting>,
    pub(super) by_id: OnceLock<HashMap<String, NodeIx>>,
    pub(super) inbound: OnceLock<Vec<Vec<(NodeIx, EdgeRule)>>>,
}

/// Which intervals of a schedule are run, and how many at a time: for a scheduler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) start: Option<&'static str>,
    pub(crate) end: Option<&'static str>,
    pub(crate) catchup: bool,
    pub(crate) max_active_runs: u32,
    pub(crate) depends_on_past: bool,
    /// True if no process follows the schedule.
    pub(crate) by_hand: bool,
}

#[derive(Debug)]
pub(crate) struct PlanNode {
    pub(crate) what: What,
    pub(crate) at: SourceLocation,
    pub(crate) name: Name,
    pub(crate) scope: ScopeIx,
    /// The node's position among its scope's nodes.
    pub(crate) offset: u32,
    pub(crate) args: Range<u32>,
    /// The range of edges that leave it.
    pub(crate) out: Range<u32>,
    /// The number of edges that must hold before it starts.
    pub(crate) needs: u32,
    pub(crate) policy: u32,
    /// Its position in a topological order.
    pub(crate) rank: u32,
    pub(crate) allow_failure: bool,
    /// True for a task without a time limit: special cases of sensors and branches need not be checked for it.
    pub(crate) is_plain: bool,
}

/// What a node is. All but the first are gates: they have no body, and the engine decides them itself.
#[derive(Debug)]
pub(crate) enum What {
    Body(Arc<Task>),
    /// One arm of a branch: succeeds if the branch took it, otherwise it is skipped.
    Arm {
        branch: NodeIx,
        index: u32,
    },
    /// Succeeds if its node failed, otherwise it is skipped.
    Failure {
        of: NodeIx,
    },
    /// Succeeds with the first of them that does. Boxed twice, which makes every other node smaller.
    FirstOf {
        from: Box<Box<[NodeIx]>>,
    },
    /// Expands a list over a scope, and joins the results.
    Each(Box<Each>),
    /// Joins further results of a mapping, once the mapping has ended.
    Gather(Box<Gather>),
    /// The element of a scope.
    Element {
        each: NodeIx,
    },
    /// A node of a plan that was stored in a journal: it can be shown, but never run.
    Journaled(Box<JournaledNode>),
}

#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) list: NodeIx,
    pub(crate) scope: ScopeIx,
    pub(crate) result: NodeIx,
    pub(crate) join: Join,
    /// The further results that leave the scope as lists.
    pub(crate) gathered: Box<[NodeIx]>,
    pub(crate) max_active: Option<u32>,
    /// Each element waits for the one before it.
    pub(crate) in_order: bool,
    /// How the elements' keys are made; without it, elements are identified by their indices.
    pub(crate) keys: Option<ElementKeys>,
    pub(crate) mapping: Mapping,
}

#[derive(Debug)]
pub(crate) struct Gather {
    pub(crate) each: NodeIx,
    pub(crate) result: NodeIx,
    pub(crate) join: Join,
}

/// An edge from a node to another that waits for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) to: NodeIx,
    /// The offset of its target, if that is in the same scope; otherwise [`Edge::INWARDS`].
    pub(crate) offset: u32,
    pub(crate) rule: EdgeRule,
}

impl Edge {
    /// The edge leads into a mapping.
    pub(crate) const INWARDS: u32 = u32::MAX;
}

/// When an edge holds, and what its target becomes if it never can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EdgeRule {
    /// A trigger rule over the upstream itself.
    Upstream(Rule),
    /// A trigger rule over the elements of a mapping.
    Elements(Rule),
    /// From a branch to its arm with that index.
    Arm(u16),
    /// From a node to its failure gate.
    Failure,
    /// From a node to a `first_of` gate.
    Race,
    /// From a node to the teardown of the setup that it works with.
    Teardown,
    /// From a mapping to a further list of its results.
    Gather,
}

#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) parent: ScopeIx,
    /// The mapping that repeats it; `None` for scope 0.
    pub(crate) each: Option<NodeIx>,
    /// Its nodes, by offset.
    pub(crate) nodes: Vec<NodeIx>,
    /// The edges that lead into it from enclosing scopes.
    pub(crate) imports: Vec<(NodeIx, Edge)>,
}

impl Plan {
    #[inline]
    pub(crate) fn node(&self, node: NodeIx) -> &PlanNode {
        &self.nodes[node as usize]
    }

    #[inline]
    pub(crate) fn policy(&self, node: NodeIx) -> &Policy {
        &self.policies[self.node(node).policy as usize]
    }

    #[inline]
    pub(crate) fn out(&self, node: NodeIx) -> &[Edge] {
        let out = &self.node(node).out;
        &self.edges[out.start as usize..out.end as usize]
    }

    #[inline]
    pub(crate) fn args(&self, node: NodeIx) -> &[Arg] {
        let args = &self.node(node).args;
        &self.args[args.start as usize..args.end as usize]
    }

    #[inline]
    pub(crate) fn scope(&self, scope: ScopeIx) -> &Scope {
        &self.scopes[scope as usize]
    }

    /// True if a failure of the node counts for an element of a mapping of that scope; with `None`, for the run.
    pub(crate) fn counts_within(&self, node: NodeIx, scope: Option<ScopeIx>) -> bool {
        let around = std::iter::successors(Some(node), |node| self.scope(self.node(*node).scope).each);
        around.map(|node| self.node(node)).take_while(|node| Some(node.scope) != scope).all(|node| !node.allow_failure)
    }

    /// True if `inner` is `outer` or within it.
    pub(crate) fn lies_within(&self, inner: ScopeIx, outer: ScopeIx) -> bool {
        let mut scope = inner;
        while scope != outer {
            if scope == 0 {
                return false;
            }
            scope = self.scope(scope).parent;
        }
        true
    }

    /// The node's id, without the index of an element.
    pub(crate) fn id(&self, node: NodeIx) -> String {
        super::id::render(&self.nodes, &self.groups, node)
    }

    /// The node of that id.
    pub(crate) fn find(&self, id: &str) -> Option<NodeIx> {
        let all = || (0..).zip(&self.nodes).map(|(ix, _): (NodeIx, _)| (self.id(ix), ix)).collect();
        self.by_id.get_or_init(all).get(id).copied()
    }

    /// The edges that lead to a node, including `.after`. Only retries and races need them, so they are computed at the first
    /// call.
    pub(crate) fn inbound(&self, node: NodeIx) -> &[(NodeIx, EdgeRule)] {
        let all = self.inbound.get_or_init(|| {
            let mut inbound = vec![Vec::new(); self.nodes.len()];
            for (from, _) in (0..).zip(&self.nodes) {
                for edge in self.out(from) {
                    inbound[edge.to as usize].push((from, edge.rule));
                }
            }
            inbound
        });
        &all[node as usize]
    }

    /// True if the run's host wakes the node, so that its sensor has no ticks.
    pub(crate) fn is_woken(&self, node: NodeIx) -> bool {
        self.policy(node).sensor.as_ref().is_some_and(|sensor| sensor.is_woken)
    }

    /// Where the first node of a pool is wired.
    pub(super) fn first_in_pool(&self, pool: usize) -> Option<SourceLocation> {
        let (ix, _) = self.bodies().find(|(ix, _)| self.policy(*ix).pool as usize == pool)?;
        Some(self.node(ix).at)
    }

    /// The nodes that have a body, in wiring order.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (NodeIx, &'static Definition)> {
        (0..).zip(&self.nodes).filter_map(|(ix, node)| match &node.what {
            What::Body(task) => Some((ix, task.definition)),
            _ => None,
        })
    }

    /// How the output of a node with a body is read.
    pub(crate) fn codec(&self, node: NodeIx) -> Option<&'static Codec> {
        match &self.node(node).what {
            What::Body(task) => Some(task.codec),
            _ => None,
        }
    }

    /// The nodes whose outputs a node takes, without `.after`.
    pub(crate) fn upstreams(&self, node: NodeIx) -> impl Iterator<Item = NodeIx> {
        let of_gate: Vec<NodeIx> = match &self.node(node).what {
            What::Body(_) => Vec::new(),
            What::Arm { branch, .. } => vec![*branch],
            What::Failure { of } => vec![*of],
            What::FirstOf { from } => from.to_vec(),
            What::Each(each) => vec![each.list],
            What::Gather(gather) => vec![gather.each],
            What::Element { each } => vec![*each],
            What::Journaled(node) => node.from.to_vec(),
        };
        let of_args = self.args(node).iter().flat_map(|arg| draft::handles(&arg.source)).map(|handle| handle.index());
        of_gate.into_iter().chain(of_args)
    }

    /// The value as a consumer of that part sees it.
    pub(crate) fn part(&self, whole: AnyValue, part: Option<u32>) -> AnyValue {
        let Some(part) = part.and_then(|part| self.parts.get(part as usize)) else { return whole };
        // A part of a part was created later, so the recursion ends.
        part.projection.of(self.part(whole, part.of))
    }

    /// The part that a gate takes of its input at that position.
    pub(crate) fn part_of_gate(&self, gate: NodeIx, place: u32) -> Option<u32> {
        if self.parts_of_gates.is_empty() {
            return None;
        }
        self.parts_of_gates.get(&(gate, place)).copied()
    }

    /// The node's inputs as texts, for an alert: those that come from a template or the params.
    pub(crate) fn texts(&self, node: NodeIx, run: &RunInfo, id: &str, attempt: u32) -> Vec<(String, String)> {
        let What::Body(task) = &self.node(node).what else { return Vec::new() };
        let text = |arg: &Arg| match &arg.source {
            // A text from the code may be confidential.
            Source::Text(text) => has_text(&run.params, text).then(|| text.to_string()),
            Source::Template(template) => template.render(run, id, attempt, self.zone).ok(),
            Source::Templates(templates) => {
                let texts: Option<Vec<String>> =
                    templates.iter().map(|template| template.render(run, id, attempt, self.zone).ok()).collect();
                texts.map(|texts| texts.join(", "))
            }
            Source::Plain(_)
            | Source::Secrets(_)
            | Source::Setting(_)
            | Source::Node(..)
            | Source::Nodes(..)
            | Source::Elements(..) => None,
        };
        let labelled = task.inputs.iter().zip(self.args(node));
        labelled.filter_map(|(label, arg)| Some(((*label).to_owned(), cut(redacted(&text(arg)?).into_owned())))).collect()
    }
}

/// True if a text is one of the params.
fn has_text(params: &Value, text: &str) -> bool {
    match params {
        Value::String(param) => param == text,
        Value::Array(items) => items.iter().any(|item| has_text(item, text)),
        Value::Object(fields) => fields.values().any(|field| has_text(field, text)),
        _ => false,
    }
}

impl PlanNode {
    #[inline]
    pub(crate) fn is_body(&self) -> bool {
        match &self.what {
            What::Body(_) => true,
            What::Journaled(node) => node.is_body,
            _ => false,
        }
    }

    /// True if it starts and ends as a unit: a body, or a mapping with everything that it repeats.
    pub(crate) fn is_step(&self) -> bool {
        matches!(self.what, What::Body(_) | What::Each(_))
    }

    /// Where it was wired; `None` if no plan has that information any more.
    pub(crate) fn place(&self) -> Option<SourceLocation> {
        match &self.what {
            What::Journaled(node) if !node.is_placed => None,
            _ => Some(self.at),
        }
    }

    /// The name of a branch's arm.
    pub(crate) fn arm(&self, index: u32) -> Option<&'static str> {
        match &self.what {
            What::Body(task) => task.branch.as_ref()?.arms.get(index as usize).copied(),
            _ => None,
        }
    }

    /// True if it is a list of a mapping's results.
    pub(crate) fn is_each(&self) -> bool {
        matches!(self.what, What::Each(_) | What::Gather(_))
    }
}
