use super::super::graph::{NodeIx, Plan, ScopeIx, What};
use super::super::policy::DEFAULT_POOL;
use super::{ALL_SUCCESS, Input, Link, afters, changed, inputs, kind, links, nodes, notifier_name, time};
use crate::author::input::Rule;
use ascii_dag::render::engine::{NodePaintCtx, NodeRegion};
use ascii_dag::{CustomNode, Direction, Graph, LabelOverflow, LabelPolicy, LayoutConfig, RenderOptions};
use std::fmt::Write;

/// Larger graphs are not drawn: no terminal can show them, and the layout takes seconds.
const MAX_DRAWN: usize = 200;
/// Wider drawings are turned to run from left to right.
const MAX_WIDTH: usize = 160;
/// The maximum number of nodes that are listed for an input.
const MAX_LISTED: usize = 8;
/// The maximum length of a text.
const MAX_TEXT: usize = 60;

impl Plan {
    /// The plan for people: a summary of the pipeline, a drawing of its graph, and a table of its nodes.
    ///
    /// In the drawing, tasks are in brackets, gates, which the engine decides itself, in parentheses, and the nodes of an `.each`
    /// or a group in a frame. Lines without a label have the rule `all_success`. The table leaves out options with their default.
    ///
    /// It needs the feature `graph`, which `cli` enables.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn rows() -> Result<u64> { Ok(1) }
    /// #[task(retries = 2)] async fn load(rows: u64) -> Result<()> { Ok(()) }
    /// #[pipeline(schedule = "@daily")] fn nightly() { load(rows()); }
    ///
    /// let text = nightly().plan(&serde_json::Value::Null)?.to_text();
    /// assert!(text.contains("schedule  @daily, at 00:00 (UTC)"));
    /// assert!(text.contains("[rows]"));
    /// # Ok::<(), pipeline_runtime::PlanError>(())
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = header(self);
        text.push('\n');
        text += &drawing(self);
        text.push('\n');
        text += &table(self);
        text
    }
}

fn header(plan: &Plan) -> String {
    let mut lines = vec![("pipeline", plan.pipeline.to_owned())];
    if let Some(line) = plan.description.lines().find(|line| !line.trim().is_empty()) {
        lines.push(("", line.trim().to_owned()));
    }
    if !plan.tags.is_empty() {
        lines.push(("tags", plan.tags.join(", ")));
    }
    if let Some(schedule) = &plan.schedule {
        lines.push(("schedule", format!("{}, {}", schedule.text(), schedule.describe())));
    }
    if let Some((when, _)) = &plan.assets.when {
        lines.push(("when", when.to_string()));
    }
    if !plan.params.is_null() {
        lines.push(("params", plan.params.to_string()));
    }
    lines.extend(plan.run.timeout.map(|timeout| ("timeout", time(timeout))));
    if let Some(sla) = plan.run.sla.filter(|_| plan.has_run_sla_without_callback()) {
        lines.push(("sla", format!("{}, which nobody is told of", time(sla))));
    }
    for (event, notifier) in &plan.run.callbacks {
        lines.push(("callback", format!("{} {}", event.name(), notifier_name(plan, *notifier))));
    }
    for (after, notifier) in &plan.run.slas {
        let label = notifier_name(plan, *notifier);
        lines.push(("callback", format!("on_sla_miss {label} after {}", time(*after))));
    }
    for pool in plan.pools.iter().filter(|pool| pool.name != DEFAULT_POOL) {
        lines.push(("pool", format!("{}, {} slots", pool.name, pool.slots)));
    }
    for (node, asset, _) in &plan.assets.updates {
        lines.push(("updates", format!("{}, by {}", asset.name, plan.id(*node))));
    }
    for (node, asset) in &plan.assets.reads {
        lines.push(("reads", format!("{}, as {}", asset.name, plan.id(*node))));
    }
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{name:<8}  {value}");
    }
    text
}

fn drawing(plan: &Plan) -> String {
    let links = links(plan);
    let size = plan.nodes.len().max(links.len() / 3);
    if size > MAX_DRAWN {
        return format!("(not drawn: {} nodes and {} edges; at most {MAX_DRAWN} nodes are)\n", plan.nodes.len(), links.len());
    }
    let labels: Vec<String> = nodes(plan).map(|ix| label(plan, ix)).collect();
    let titles: Vec<String> = nodes(plan).map(|ix| title(plan, ix)).collect();
    let graph = graph(plan, &labels, &titles, &links);
    let down = render(&graph, Direction::TopDown);
    let width = |drawing: &str| drawing.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    if width(&down) <= MAX_WIDTH {
        return down;
    }
    let right = render(&graph, Direction::LeftRight);
    if width(&right) < width(&down) { right } else { down }
}

/// A node's id; for an element, its frame shows whose it is.
fn label(plan: &Plan, node: NodeIx) -> String {
    match plan.node(node).what {
        What::Element { .. } => "(element)".to_owned(),
        What::Body(_) => format!("[{}]", plan.id(node)),
        _ => format!("({})", plan.id(node)),
    }
}

/// The title of a frame, for the gathering node.
fn title(plan: &Plan, node: NodeIx) -> String {
    match &plan.node(node).what {
        What::Each(each) => format!("each element of {}", plan.id(each.list)),
        _ => String::new(),
    }
}

fn graph<'a>(plan: &'a Plan, labels: &'a [String], titles: &'a [String], links: &[Link]) -> Graph<'a> {
    fn paint(region: &mut NodeRegion<'_, '_>, ctx: NodePaintCtx<'_>) {
        region.write_str(0, 0, ctx.label);
    }
    let mut graph = Graph::new();
    for (ix, label) in labels.iter().enumerate() {
        graph.add_node(ix, CustomNode { label, width: label.chars().count(), height: 1, painter: Some(paint), payload: "" });
    }
    let mut drawn: Vec<(NodeIx, NodeIx)> = Vec::new();
    for link in links {
        // Two lines between the same nodes would overlap; the table has both.
        if !drawn.contains(&(link.from, link.to)) {
            drawn.push((link.from, link.to));
            let rule = Some(link.rule).filter(|rule| *rule != ALL_SUCCESS && plan.node(link.to).is_body());
            graph.add_edge(link.from as usize, link.to as usize, rule);
        }
    }
    let mut of_scopes = vec![None; plan.scopes.len()];
    for (scope, of) in plan.scopes.iter().enumerate() {
        of_scopes[scope] = of.each.map(|each| graph.add_subgraph(&titles[each as usize]));
    }
    let of_groups: Vec<_> = plan.groups.iter().map(|group| graph.add_subgraph(&group.id)).collect();
    // All nodes and frames belong to this graph, and frames do not nest in a cycle, so these calls cannot fail.
    for (group, frame) in (0..).zip(&of_groups) {
        let outer = plan.group_around(group).map(|outer| of_groups[outer as usize]);
        if let Some(outer) = outer.or(of_scopes[plan.groups[group as usize].scope as usize]) {
            let _ = graph.put_subgraphs(&[*frame]).inside(outer);
        }
    }
    let around = |node: NodeIx| {
        let group = plan.group_of(node).map(|group| of_groups[group as usize]);
        group.or(of_scopes[plan.node(node).scope as usize])
    };
    for (scope, frame) in plan.scopes.iter().zip(&of_scopes) {
        if let (Some(each), Some(frame)) = (scope.each, frame)
            && let Some(outer) = around(each)
        {
            let _ = graph.put_subgraphs(&[*frame]).inside(outer);
        }
    }
    for node in nodes(plan) {
        if let Some(frame) = around(node) {
            let _ = graph.put_nodes(&[node as usize]).inside(frame);
        }
    }
    graph
}

fn render(graph: &Graph<'_>, direction: Direction) -> String {
    let mut layout = LayoutConfig::quality();
    layout.direction = direction;
    let mut options = RenderOptions::plain();
    options.plan = options.plan.with_label_policy(LabelPolicy::new().with_overflow(LabelOverflow::Legend));
    options.emit = options.emit.with_render_legend(true);
    let drawing = graph.compute_layout_with_config(&layout).render_string(&options);
    let mut text = String::with_capacity(drawing.len());
    for line in drawing.trim_end().lines() {
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A row of the table: its cells, each with several lines.
type Row = [Vec<String>; 5];

fn table(plan: &Plan) -> String {
    let afters = afters(plan);
    let mut rows: Vec<Row> = vec![["node", "kind", "inputs", "options", "wired at"].map(|title| vec![title.to_owned()])];
    list(plan, 0, 0, &afters, &mut rows);
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.iter().map(|line| line.chars().count()).fold(*width, usize::max);
        }
    }
    let mut text = String::new();
    for row in &rows {
        for at in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                // Writing to a `String` cannot fail.
                let _ = write!(line, "{:<width$}  ", cell.get(at).map_or("", String::as_str));
            }
            text += line.trim_end();
            text.push('\n');
        }
    }
    text
}

/// The rows of a scope; those within a mapping follow it. Arms, failures and elements have no rows: inputs name them.
fn list(plan: &Plan, scope: ScopeIx, depth: usize, afters: &[Vec<(NodeIx, Rule)>], rows: &mut Vec<Row>) {
    for &ix in &plan.scope(scope).nodes {
        let what = &plan.node(ix).what;
        if !matches!(what, What::Arm { .. } | What::Failure { .. } | What::Element { .. }) {
            let mut from: Vec<String> = inputs(plan, ix).iter().map(|input| source(plan, input)).collect();
            from.extend(after(plan, &afters[ix as usize]));
            from.extend(plan.teardown(ix).map(|teardown| format!("tears down: {}", plan.id(teardown.setup))));
            from.extend(plan.across.get(&ix).map(|across| format!("{} {}", across.role.words(), across.pipeline.id())));
            let options = changed(plan, ix).into_iter().map(|(name, value)| format!("{name} {value}").trim_end().to_owned());
            let at = plan.node(ix).at;
            let id = format!("{:indent$}{}", "", plan.id(ix), indent = 2 * depth);
            rows.push([
                vec![id],
                vec![kind(plan, ix).to_owned()],
                from,
                options.collect(),
                vec![format!("{}:{}", at.file(), at.line())],
            ]);
        }
        if let What::Each(each) = what {
            list(plan, each.scope, depth + 1, afters, rows);
        }
    }
}

/// The nodes that a node is wired `.after`: one line for each rule.
fn after<'a>(plan: &'a Plan, after: &'a [(NodeIx, Rule)]) -> impl Iterator<Item = String> + 'a {
    [Rule::AllSuccess, Rule::NoneFailed, Rule::AllDone].into_iter().filter_map(|rule| {
        let by_rule: Vec<NodeIx> = after.iter().filter(|(_, of)| *of == rule).map(|(from, _)| *from).collect();
        let note = if rule == Rule::AllSuccess { String::new() } else { format!(" ({})", rule.name()) };
        (!by_rule.is_empty()).then(|| format!("after: {}{note}", ids(plan, &by_rule)))
    })
}

fn source(plan: &Plan, input: &Input<'_>) -> String {
    let text = |text: &str| {
        let short: String = text.chars().take(MAX_TEXT).collect();
        if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
    };
    let source = match (input.kind, &input.text) {
        ("template", Some(template)) => format!("template {}", text(template)),
        (_, Some(literal)) => text(literal),
        ("plain", None) => "(value)".to_owned(),
        // The results of a mapping come from a node inside it.
        ("elements", None) if input.rule != Some(ALL_SUCCESS) => format!("elements of {}", ids(plan, &input.from)),
        _ => ids(plan, &input.from),
    };
    match input.rule {
        Some(rule) if rule != ALL_SUCCESS => format!("{}: {source} ({rule})", input.name),
        _ => format!("{}: {source}", input.name),
    }
}

fn ids(plan: &Plan, nodes: &[NodeIx]) -> String {
    let mut ids: Vec<String> = nodes.iter().take(MAX_LISTED).map(|node| plan.id(*node)).collect();
    if nodes.len() > MAX_LISTED {
        ids.push(format!("… ({} in all)", nodes.len()));
    }
    ids.join(", ")
}
