//! Builds the plan from the draft.
//!
//! A [`Sketch`] is filled in first: a plan that may have mistakes. `plan/check` then looks for these.

mod edges;
mod names;
mod tables;

use super::assets::Assets;
use super::check;
use super::graph::{Calendar, Each, EdgeRule, Gather, NodeIx, Plan, PlanNode, Scope, What};
use super::groups;
use super::holdings;
use super::past;
use super::policy::Policy;
use super::problem::PlanError;
use super::teardowns::{self, LateInput};
use crate::author::across::CrossReference;
use crate::author::definition::Kind;
use crate::author::draft::{self, Draft, DraftOrder, Handle, Misuse, Overrides, SourceLocation};
use crate::author::options::PipelineOptions;
use crate::author::params::{Fields, Source};
use crate::author::pipeline::{Pipeline, PipelineDraft};
use crate::schedule::ScheduleError;
use edges::connect;
use names::{Names, name};
use pipeline_syntax::limits::MAX_ACTIVE_RUNS;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;
use tables::Tables;

impl Pipeline {
    /// Builds the plan with the default params and drops it, to check that the graph is sound. Test this first.
    ///
    /// # Errors
    ///
    /// All mistakes that types cannot prevent, each with the place where it was wired.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task] async fn rows() -> Result<u64> { Ok(1) }
    /// #[pipeline] fn nightly() { rows().named("a"); rows().named("a"); }
    ///
    /// let error = nightly().check().unwrap_err();
    /// assert!(error.to_string().contains("two nodes have the id `a`"));
    /// ```
    pub fn check(&self) -> Result<(), PlanError> {
        self.plan(&Value::Null)?.check_upstream().map(drop)
    }

    /// Builds the plan. `params` may be incomplete: missing ones have their default.
    ///
    /// # Errors
    ///
    /// All mistakes that types cannot prevent, or the error that the pipeline function returned.
    pub fn plan(&self, params: &Value) -> Result<Plan, PlanError> {
        self.plan_with(Source::Given(params, &[]))
    }

    /// Builds the plan of a run that was started with these params.
    pub(crate) fn plan_of_run(&self, params: &Value) -> Result<Plan, PlanError> {
        self.plan_with(Source::Stored(params))
    }

    fn plan_with(&self, params: Source<'_>) -> Result<Plan, PlanError> {
        let PipelineDraft { draft, params, fields } = self.describe(params)?;
        let invalid = |problems| PlanError::Invalid { pipeline: self.id(), problems };
        let foreign = check::handles(&draft);
        if !foreign.is_empty() {
            return Err(invalid(foreign));
        }
        let mut sketch = Sketch::of(self, draft, params, fields);
        let (order, problems) = check::all(&sketch, self);
        if !problems.is_empty() {
            return Err(invalid(problems));
        }
        if let Some(order) = order {
            for (rank, node) in (0..).zip(order) {
                sketch.plan.nodes[node as usize].rank = rank;
            }
        }
        Ok(sketch.plan)
    }
}

/// `.after(..)`: a node, the node that it waits for, and how that must have ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) node: NodeIx,
    pub(super) upstream: NodeIx,
    pub(super) rule: EdgeRule,
    pub(super) at: SourceLocation,
}

/// What occurs in a plan. Checks of things that do not occur are skipped, as each iterates over up to a million nodes.
#[derive(Debug, Default, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each occurs or does not, whatever else does")]
pub(super) struct Features {
    /// Nodes without a body.
    pub(super) gates: bool,
    /// Inputs that are values from the pipeline function, or templates.
    pub(super) values: bool,
    /// Inputs that are the elements of a mapping.
    pub(super) elements: bool,
    /// A node that waits for one that was wired later.
    pub(super) backward_edges: bool,
}

/// A plan that may have mistakes, with the data that only the checks need.
#[derive(Debug)]
pub(super) struct Sketch {
    pub(super) plan: Plan,
    pub(super) features: Features,
    pub(super) overrides: Vec<(NodeIx, Box<Overrides>)>,
    /// The overrides of groups.
    pub(super) of_groups: Vec<Overrides>,
    /// The nodes with `.fails_run()`, and where it was called.
    pub(super) fails_run: Vec<(NodeIx, SourceLocation)>,
    pub(super) orders: Vec<Order>,
    /// Inputs of a teardown that may not be available when it has to run.
    pub(super) late: Vec<LateInput>,
    pub(super) misuses: Vec<Misuse>,
    pub(super) max_active: Vec<(NodeIx, usize, SourceLocation)>,
    /// The mappings with `.in_order()`, and where it was called.
    pub(super) in_order: Vec<(NodeIx, SourceLocation)>,
    pub(super) schedule_error: Option<ScheduleError>,
    pub(super) fields: Fields,
}

impl Sketch {
    #[expect(clippy::too_many_lines, reason = "three structs of many fields are filled, one line a field")]
    fn of(pipeline: &Pipeline, draft: Draft, params: Value, fields: Fields) -> Self {
        let options = pipeline.options();
        let (schedule, schedule_error) =
            options.timetable().map_or_else(|error| (None, Some(error)), |schedule| (schedule, None));
        let groups = groups::of_draft(&draft.groups, &draft.reads);
        let holdings = holdings::of_draft(&draft.groups);
        let teardowns = teardowns::of_draft(draft.teardowns);
        let torn_down: HashSet<NodeIx> = teardowns.iter().map(|teardown| teardown.node).collect();
        let fails_run: Vec<(NodeIx, SourceLocation)> = draft.fails_run.iter().map(|(node, at)| (node.index(), *at)).collect();
        let mut tables = Tables::new(options);
        let run = tables.run(options);
        let mut names = Names::default();
        let mut scopes: Vec<Scope> =
            draft.scopes.iter().map(|&parent| Scope { parent, each: None, nodes: Vec::new(), imports: Vec::new() }).collect();
        let mut nodes = Vec::with_capacity(draft.nodes.len());
        let mut parts_of_gates = HashMap::new();
        let (mut overrides, mut max_active, mut in_order) = (Vec::new(), Vec::new(), Vec::new());
        let across: BTreeMap<NodeIx, CrossReference> = draft.across.into_iter().collect();
        let pasts: BTreeMap<NodeIx, NodeIx> = draft.pasts.into_iter().collect();
        let woken = past::woken(&across, &pasts);
        for (ix, drafted) in (0..).zip(draft.nodes) {
            let around: Vec<u32> = if groups.is_empty() { Vec::new() } else { groups::around(&groups, ix).collect() };
            let in_groups = || around.iter().map(|group| &draft.groups[*group as usize]);
            let is_teardown = !torn_down.is_empty() && torn_down.contains(&ix);
            let policy = tables.policy(&drafted, in_groups(), is_teardown, || woken.contains(&ix));
            let scope = &mut scopes[drafted.scope as usize];
            let offset = u32::try_from(scope.nodes.len()).unwrap_or(u32::MAX);
            scope.nodes.push(ix);
            if let draft::What::Each(each) = &drafted.what {
                scopes[each.scope as usize].each = Some(ix);
                max_active.extend(each.max_active.map(|(elements, at)| (ix, elements, at)));
                in_order.extend(each.in_order.map(|at| (ix, at)));
            }
            let is_forgiven = is_teardown && !fails_run.iter().any(|(node, _)| *node == ix);
            let allow_failure = is_forgiven || drafted.allow_failure || in_groups().any(|group| group.allow_failure);
            let name = name(&drafted, around.first().copied(), &mut names);
            overrides.extend(drafted.overrides.map(|given| (ix, given)));
            gather_parts(ix, &drafted.what, &mut parts_of_gates);
            nodes.push(PlanNode {
                is_plain: is_plain(&drafted.what, &tables.policies[policy as usize]),
                what: what(drafted.what),
                at: drafted.at,
                name,
                scope: drafted.scope,
                offset,
                args: drafted.args,
                out: 0..0,
                needs: 0,
                policy,
                rank: ix,
                allow_failure,
            });
        }
        link_mappings(&mut nodes, &scopes);
        let when = options.when.clone().map(|when| (when, pipeline.definition().at));
        let mut plan = Plan {
            pipeline: pipeline.id(),
            description: pipeline.description(),
            calendar: calendar(options),
            tags: pipeline.tags(),
            params,
            schedule,
            zone: pipeline.zone(),
            run,
            nodes,
            args: draft.args,
            edges: Vec::new(),
            scopes,
            groups,
            teardowns,
            holdings,
            policies: tables.policies,
            pools: tables.pools,
            notifiers: tables.notifiers,
            parts: draft.parts,
            parts_of_gates,
            across,
            assets: Assets::new(draft.updates, draft.reads, when),
            settings: draft.settings,
            by_id: OnceLock::new(),
            inbound: OnceLock::new(),
        };
        past::name(&mut plan, &pasts, pipeline);
        let (orders, late) = orders(&plan, draft.orders, &torn_down, &pasts);
        let features = connect(&mut plan, &orders);
        shrink(&mut plan);
        let of_groups = draft.groups.into_iter().filter_map(|group| group.overrides).map(|given| *given).collect();
        Self {
            plan,
            features,
            overrides,
            of_groups,
            fails_run,
            orders,
            late,
            misuses: draft.misuses,
            max_active,
            in_order,
            schedule_error,
            fields,
        }
    }
}

/// The order of nodes by `.after` and by teardowns, and the inputs that a teardown takes too late.
fn orders(
    plan: &Plan,
    drafted: Vec<DraftOrder>,
    torn_down: &HashSet<NodeIx>,
    pasts: &BTreeMap<NodeIx, NodeIx>,
) -> (Vec<Order>, Vec<LateInput>) {
    let of_pasts = past::orders(plan, pasts, &drafted);
    let mut orders = groups::orders(plan, drafted, torn_down);
    orders.extend(of_pasts);
    orders.extend(teardowns::orders(plan));
    let late = teardowns::order_setups(plan, &mut orders);
    (orders, late)
}

fn calendar(options: &PipelineOptions) -> Calendar {
    Calendar {
        start: options.start,
        end: options.end,
        catchup: options.catchup,
        max_active_runs: options.max_active_runs.unwrap_or(MAX_ACTIVE_RUNS),
        depends_on_past: options.depends_on_past,
        by_hand: options.by_hand,
    }
}

/// A mapping learns its other results, and an element its mapping, only once all nodes are created.
fn link_mappings(nodes: &mut [PlanNode], scopes: &[Scope]) {
    if scopes.len() == 1 {
        return;
    }
    let gathered = |node: &PlanNode| if let What::Gather(of) = &node.what { Some((of.each, of.result)) } else { None };
    for (each, result) in nodes.iter().filter_map(gathered).collect::<Vec<_>>() {
        if let What::Each(each) = &mut nodes[each as usize].what {
            each.gathered = each.gathered.iter().copied().chain([result]).collect();
        }
    }
    for scope in scopes {
        if let (Some(each), Some(&element)) = (scope.each, scope.nodes.first()) {
            nodes[element as usize].what = What::Element { each };
        }
    }
}

/// A plan lives as long as its runs, and may have a million nodes.
fn shrink(plan: &mut Plan) {
    plan.args.shrink_to_fit();
    plan.edges.shrink_to_fit();
    for scope in &mut plan.scopes {
        scope.nodes.shrink_to_fit();
    }
}

fn is_plain(what: &draft::What, policy: &Policy) -> bool {
    let is_task = matches!(what, draft::What::Body(task) if task.definition.kind == Kind::Task);
    is_task && policy.limit.is_none()
}

fn what(drafted: draft::What) -> What {
    match drafted {
        draft::What::Body(task) => What::Body(task),
        draft::What::Arm { branch, index } => What::Arm { branch, index },
        draft::What::Failure { of } => What::Failure { of: of.index() },
        draft::What::FirstOf { from } => What::FirstOf { from: Box::new(from.iter().map(|node| node.index()).collect()) },
        draft::What::Each(each) => What::Each(Box::new(Each {
            list: each.list.index(),
            scope: each.scope,
            result: each.result.node.index(),
            join: each.result.join,
            gathered: Box::default(),
            max_active: each.max_active.map(|(elements, _)| u32::try_from(elements).unwrap_or(u32::MAX)),
            in_order: each.in_order.is_some(),
            keys: each.keys,
            mapping: each.mapping,
        })),
        draft::What::Gather(gather) => {
            let draft::Gather { each, result } = *gather;
            What::Gather(Box::new(Gather { each: each.index(), result: result.node.index(), join: result.join }))
        }
        draft::What::Element { list } => What::Element { each: list.index() },
    }
}

/// The parts of outputs that a gate takes.
fn gather_parts(gate: NodeIx, what: &draft::What, parts: &mut HashMap<(NodeIx, u32), u32>) {
    let taken: Vec<Handle> = match what {
        draft::What::FirstOf { from } => from.to_vec(),
        draft::What::Each(each) => vec![each.list, each.result.node],
        draft::What::Gather(gather) => vec![gather.each, gather.result.node],
        draft::What::Body(_) | draft::What::Arm { .. } | draft::What::Failure { .. } | draft::What::Element { .. } => return,
    };
    parts.extend(taken.into_iter().zip(0..).filter_map(|(handle, place)| Some(((gate, place), handle.part()?))));
}
