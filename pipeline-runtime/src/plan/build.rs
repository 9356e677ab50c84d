//! Builds the plan from the draft.

use super::assets::Assets;
use super::check;
use super::graph::{Calendar, Each, Edge, EdgeRule, Gather, NodeIx, Plan, PlanNode, Scope, What};
use super::groups;
use super::holdings;
use super::id::Name;
use super::notifiers::Notifier;
use super::past;
use super::policy::{DEFAULT_PARALLELISM, DEFAULT_POOL, Levels, NotifierIx, Policy, PoolIx, PoolSpec, RunPolicy};
use super::problem::PlanError;
use super::teardowns::{self, Late};
use crate::author::across::Across;
use crate::author::definition::{Kind, Task};
use crate::author::draft::{self, Draft, DraftGroup, DraftNode, DraftOrder, Handle, Misuse, Overrides, Place};
use crate::author::error::cut_shared;
use crate::author::input::{self, Rule};
use crate::author::notify::{Callback, Event, Identity};
use crate::author::options::{PipelineOptions, TaskOptions};
use crate::author::params::{Fields, Source};
use crate::author::past::is_wait;
use crate::author::pipeline::{Described, Pipeline};
use crate::schedule::ScheduleError;
use pipeline_syntax::limits::{MAX_ACTIVE_RUNS, TEARDOWN_TIMEOUT};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

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
        self.plan_with(Source::Kept(params))
    }

    fn plan_with(&self, params: Source<'_>) -> Result<Plan, PlanError> {
        let Described { draft, params, fields } = self.describe(params)?;
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
    pub(super) at: Place,
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
    pub(super) fails_run: Vec<(NodeIx, Place)>,
    pub(super) orders: Vec<Order>,
    /// Inputs of a teardown that may not be available when it has to run.
    pub(super) late: Vec<Late>,
    pub(super) misuses: Vec<Misuse>,
    pub(super) max_active: Vec<(NodeIx, usize, Place)>,
    /// The mappings with `.in_order()`, and where it was called.
    pub(super) in_order: Vec<(NodeIx, Place)>,
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
        let fails_run: Vec<(NodeIx, Place)> = draft.fails_run.iter().map(|(node, at)| (node.index(), *at)).collect();
        let mut tables = Tables::new(options);
        let run = tables.run(options);
        let mut names = Names::default();
        let mut scopes: Vec<Scope> =
            draft.scopes.iter().map(|&parent| Scope { parent, each: None, nodes: Vec::new(), imports: Vec::new() }).collect();
        let mut nodes = Vec::with_capacity(draft.nodes.len());
        let mut parts_of_gates = HashMap::new();
        let (mut overrides, mut max_active, mut in_order) = (Vec::new(), Vec::new(), Vec::new());
        let across: BTreeMap<NodeIx, Across> = draft.across.into_iter().collect();
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
) -> (Vec<Order>, Vec<Late>) {
    let of_pasts = past::orders(plan, pasts, &drafted);
    let mut orders = groups::orders(plan, drafted, torn_down);
    orders.extend(of_pasts);
    orders.extend(teardowns::orders(plan));
    let late = teardowns::secure(plan, &mut orders);
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

/// The number of nodes of a name so far, for each group separately. Most nodes are in no group.
#[derive(Default)]
struct Names {
    counts: Vec<u32>,
    /// The indices into `counts`.
    of_none: HashMap<&'static str, usize>,
    of_group: HashMap<(u32, &'static str), u32>,
    /// The last name that was requested outside of groups, because successive nodes often share a task.
    last: Option<(&'static str, usize)>,
}

impl Names {
    fn next(&mut self, name: &'static str, group: Option<u32>) -> u32 {
        let count = if let Some(group) = group {
            self.of_group.entry((group, name)).or_default()
        } else {
            let at = match self.last {
                Some((last, at)) if std::ptr::eq(last, name) => at,
                _ => *self.of_none.entry(name).or_insert_with(|| {
                    self.counts.push(0);
                    self.counts.len() - 1
                }),
            };
            self.last = Some((name, at));
            &mut self.counts[at]
        };
        *count += 1;
        *count
    }
}

fn name(node: &DraftNode, group: Option<u32>, names: &mut Names) -> Name {
    if let Some(name) = &node.name {
        return Name::Given(name.clone());
    }
    let default = match &node.what {
        draft::What::Body(task) => task.definition.name,
        draft::What::FirstOf { .. } => "first_of",
        // The ids of other gates are derived from the node that they belong to.
        _ => return Name::Default(1),
    };
    Name::Default(names.next(default, group))
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

/// Fills in the edges. Returns what occurs among them and among the inputs.
fn connect(plan: &mut Plan, orders: &[Order]) -> Features {
    let mut features = Features::default();
    let mut edges: Vec<(NodeIx, Edge)> = Vec::with_capacity(plan.args.len() + orders.len());
    for (to, node) in (0..).zip(&plan.nodes) {
        features.gates |= !matches!(node.what, What::Body(_));
        let mut edge = |from: NodeIx, rule: EdgeRule| edges.push((from, Edge { to, offset: Edge::INWARDS, rule }));
        match &node.what {
            What::Body(_) => {
                for arg in &plan.args[node.args.start as usize..node.args.end as usize] {
                    let (from, rule): (&[Handle], EdgeRule) = match &arg.source {
                        input::Source::Plain(_)
                        | input::Source::Text(_)
                        | input::Source::Template(_)
                        | input::Source::Templates(_) => {
                            features.values = true;
                            continue;
                        }
                        input::Source::Secrets(_) | input::Source::Setting(_) => continue,
                        input::Source::Node(from, rule) => (std::slice::from_ref(from), EdgeRule::Upstream(*rule)),
                        input::Source::Nodes(from, rule) => (from, EdgeRule::Upstream(*rule)),
                        input::Source::Elements(from, rule) => {
                            features.elements = true;
                            (std::slice::from_ref(from), EdgeRule::Elements(*rule))
                        }
                    };
                    for from in from {
                        edge(from.index(), rule);
                    }
                }
            }
            // No real enum has more variants than a `u16` holds.
            What::Arm { branch, index } => edge(*branch, EdgeRule::Arm(u16::try_from(*index).unwrap_or(u16::MAX))),
            What::Failure { of } => edge(*of, EdgeRule::Failure),
            What::FirstOf { from } => from.iter().for_each(|from| edge(*from, EdgeRule::Race)),
            What::Each(each) => edge(each.list, EdgeRule::Upstream(Rule::AllSuccess)),
            What::Gather(gather) => edge(gather.each, EdgeRule::Gather),
            // `Recalled` does not occur in a plan that is built.
            What::Element { .. } | What::Recalled(_) => {}
        }
    }
    edges.extend(orders.iter().map(|order| (order.upstream, Edge { to: order.node, offset: Edge::INWARDS, rule: order.rule })));
    for teardown in &plan.teardowns {
        let edge = Edge { to: teardown.node, offset: Edge::INWARDS, rule: EdgeRule::Teardown };
        edges.extend(plan.inside(teardown).map(|from| (from, edge)));
    }
    sort_into(plan, edges, &mut features);
    features
}

/// Puts the edges into the plan, sorted by their source; edges of one source keep their order. It is a counting sort, as there
/// may be millions.
fn sort_into(plan: &mut Plan, edges: Vec<(NodeIx, Edge)>, features: &mut Features) {
    for (from, edge) in &edges {
        plan.nodes[*from as usize].out.end += 1;
        plan.nodes[edge.to as usize].needs += 1;
        features.backward_edges |= *from >= edge.to;
    }
    let mut begin = 0;
    for node in &mut plan.nodes {
        let count = node.out.end;
        node.out = begin..begin;
        begin += count;
    }
    let none = Edge { to: 0, offset: Edge::INWARDS, rule: EdgeRule::Failure };
    plan.edges = vec![none; edges.len()];
    for (from, mut edge) in edges {
        let (scope, offset) = (plan.node(edge.to).scope, plan.node(edge.to).offset);
        let from = &mut plan.nodes[from as usize];
        if scope == from.scope {
            edge.offset = offset;
        }
        plan.edges[from.out.end as usize] = edge;
        from.out.end += 1;
    }
    if plan.scopes.len() > 1 {
        gather_imports(plan);
    }
}

/// Collects the edges from one scope into another.
fn gather_imports(plan: &mut Plan) {
    for (ix, node) in (0..).zip(&plan.nodes) {
        for edge in &plan.edges[node.out.start as usize..node.out.end as usize] {
            let target = plan.nodes[edge.to as usize].scope;
            if node.scope != target {
                plan.scopes[target as usize].imports.push((ix, *edge));
            }
        }
    }
}

/// What nodes share, each stored once: policies, pools and notifiers.
struct Tables<'a> {
    defaults: &'a TaskOptions,
    policies: Vec<Policy>,
    pools: Vec<PoolSpec>,
    notifiers: Vec<Notifier>,
    /// Nodes of the same task without overrides share a policy,
    of_task: HashMap<*const Task, u32>,
    last: Option<(*const Task, u32)>,
    /// but in a group with overrides, and as teardowns, they share another one.
    of_task_within: HashMap<(*const Task, Option<*const Overrides>, bool), u32>,
    of_notifier: HashMap<Identity, NotifierIx>,
}

impl<'a> Tables<'a> {
    fn new(options: &'a PipelineOptions) -> Self {
        // Gates take the first policy: no retries, no limit, no callbacks.
        let gate = TaskOptions::default();
        let levels = [&gate];
        let levels = Levels::new(&levels, 0);
        let policy = Policy {
            retries: 0,
            retry_delay: levels.retry_delay(Kind::Task),
            limit: None,
            pool: 0,
            priority: 0,
            sla: None,
            callbacks: Box::default(),
            sensor: None,
        };
        Self {
            defaults: &options.defaults,
            policies: vec![policy],
            pools: vec![PoolSpec { name: DEFAULT_POOL, slots: DEFAULT_PARALLELISM }],
            notifiers: Vec::new(),
            of_task: HashMap::new(),
            last: None,
            of_task_within: HashMap::new(),
            of_notifier: HashMap::new(),
        }
    }

    /// `groups` are the enclosing groups, the innermost first. `is_woken` returns whether the run's host wakes the node.
    fn policy<'g>(
        &mut self,
        node: &DraftNode,
        groups: impl ExactSizeIterator<Item = &'g DraftGroup>,
        is_teardown: bool,
        is_woken: impl FnOnce() -> bool,
    ) -> u32 {
        let draft::What::Body(task) = &node.what else { return 0 };
        // The case of most nodes: everything else is too slow for a plan of a million nodes.
        let is_plain = groups.len() == 0 && !is_teardown;
        if is_plain && node.overrides.is_none() {
            let task = Arc::as_ptr(task);
            if let Some((_, known)) = self.last.filter(|(last, _)| *last == task) {
                return known;
            }
            if let Some(&known) = self.of_task.get(&task) {
                self.last = Some((task, known));
                return known;
            }
        }
        let of_groups: Vec<&Overrides> = groups.filter_map(|group| group.overrides.as_deref()).collect();
        // The groups around the innermost one are always the same, so it is enough as a key.
        let within = (Arc::as_ptr(task), of_groups.first().map(|nearest| std::ptr::from_ref(*nearest)), is_teardown);
        if !is_plain
            && node.overrides.is_none()
            && let Some(&known) = self.of_task_within.get(&within)
        {
            return known;
        }
        let mut levels: Vec<&TaskOptions> =
            node.overrides.as_deref().into_iter().chain(of_groups).map(|overrides| &overrides.options).collect();
        let wired = levels.len();
        levels.push(&task.options);
        // The sensor that waits for a node's past is implicit: nobody is notified about it, and it must not take a slot of a
        // user's pool.
        if !is_wait(task) {
            levels.push(self.defaults);
        }
        let levels = Levels::new(&levels, wired);
        let kind = task.definition.kind;
        let sensor = levels.sensor(kind, is_woken);
        let policy = Policy {
            retries: levels.first(|options| options.retries).unwrap_or(0),
            retry_delay: levels.retry_delay(kind),
            limit: levels.limit(sensor.as_deref()).or(is_teardown.then_some(TEARDOWN_TIMEOUT)),
            pool: levels.first(|options| options.pool).map_or(0, |pool| self.pool(pool.name, pool.slots)),
            priority: levels.first(|options| options.priority).unwrap_or(0),
            sla: levels.first(|options| options.sla),
            callbacks: self.callbacks(&levels),
            sensor,
        };
        let ix = u32::try_from(self.policies.len()).unwrap_or(u32::MAX);
        self.policies.push(policy);
        if node.overrides.is_none() {
            if is_plain {
                self.of_task.insert(within.0, ix);
            } else {
                self.of_task_within.insert(within, ix);
            }
        }
        ix
    }

    fn callbacks(&mut self, levels: &Levels<'_>) -> Box<[(Event, NotifierIx)]> {
        let events =
            [Event::OnFailure, Event::OnUpstreamFailed, Event::OnRetry, Event::OnSuccess, Event::OnSkipped, Event::OnSlaMiss];
        let all = events.into_iter().flat_map(|event| levels.callbacks(event));
        all.map(|callback| (callback.event, self.notifier(callback))).collect()
    }

    fn notifier(&mut self, callback: &Callback) -> NotifierIx {
        let next = u32::try_from(self.notifiers.len()).unwrap_or(u32::MAX);
        *self.of_notifier.entry(callback.identity()).or_insert_with(|| {
            let notify = Arc::clone(&callback.notifier);
            self.notifiers.push(Notifier { label: cut_shared(notify.label().into()), notify });
            next
        })
    }

    fn pool(&mut self, name: &'static str, slots: u32) -> PoolIx {
        // Two pools with the same name and different slots are a mistake, which the check finds in this list.
        let spec = PoolSpec { name, slots };
        let known = self.pools.iter().position(|known| *known == spec);
        let ix = known.unwrap_or_else(|| {
            self.pools.push(spec);
            self.pools.len() - 1
        });
        u32::try_from(ix).unwrap_or(u32::MAX)
    }

    fn run(&mut self, options: &PipelineOptions) -> RunPolicy {
        let mut slas: Vec<_> = Vec::new();
        for (after, callback) in &options.escalation {
            slas.push((*after, self.notifier(callback)));
        }
        let mut callbacks = Vec::new();
        for callback in options.callbacks.iter().filter(|callback| !callback.is_nobody()) {
            let notifier = self.notifier(callback);
            match (callback.event, options.sla) {
                (Event::OnSlaMiss, Some(sla)) => slas.push((sla, notifier)),
                (Event::OnSlaMiss, None) => {}
                (event, _) => callbacks.push((event, notifier)),
            }
        }
        slas.sort_by_key(|(after, _)| *after);
        RunPolicy { timeout: options.timeout, sla: options.sla, slas, callbacks }
    }
}
