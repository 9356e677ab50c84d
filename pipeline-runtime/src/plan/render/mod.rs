//! Renderings of a plan: for people, for documents, for programs. All show the same nodes and inputs, which are collected here.

mod drawing;
mod json;
mod mermaid;
mod svg;
#[cfg(feature = "graph")]
mod text;

pub(crate) use drawing::PlanDrawing;

use super::graph::{EdgeRule, NodeIx, Plan, What};
use super::policy::{Delay, Levels, NotifierIx};
use crate::author::definition::Kind;
use crate::author::input::{Rule, Source};
use crate::author::options::{Mode, OnTimeout, TaskOptions};
use crate::author::secret::Secret;
use crate::author::template::Template;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// The source of one parameter of a node, or of a gate.
struct Input<'a> {
    name: &'static str,
    kind: &'static str,
    from: Vec<NodeIx>,
    /// Airflow's name of the trigger rule; `None` if the source is not a node.
    rule: Option<&'static str>,
    /// The text, if it is one.
    text: Option<Cow<'a, str>>,
}

impl Input<'_> {
    fn nodes(name: &'static str, kind: &'static str, from: Vec<NodeIx>, rule: &'static str) -> Self {
        Self { name, kind, from, rule: Some(rule), text: None }
    }
}

const ALL_SUCCESS: &str = Rule::AllSuccess.name();

/// The inputs of a node in their order, without `.after`.
fn inputs(plan: &Plan, node: NodeIx) -> Vec<Input<'_>> {
    let gate = |name, kind, from: &[NodeIx], rule| vec![Input::nodes(name, kind, from.to_vec(), rule)];
    match &plan.node(node).what {
        What::Body(task) => {
            let labelled = task.inputs.iter().zip(plan.args(node));
            labelled.map(|(name, arg)| input(name, &arg.source)).collect()
        }
        What::Arm { branch, .. } => gate("branch", "node", &[*branch], ALL_SUCCESS),
        What::Failure { of } => gate("of", "node", &[*of], "all_failed"),
        What::FirstOf { from } => gate("nodes", "nodes", from, "one_success"),
        What::Each(each) => vec![
            Input::nodes("list", "node", vec![each.list], ALL_SUCCESS),
            Input::nodes("results", "elements", vec![each.result], ALL_SUCCESS),
        ],
        What::Gather(gather) => vec![
            Input::nodes("mapping", "node", vec![gather.each], Rule::AllDone.name()),
            Input::nodes("results", "elements", vec![gather.result], ALL_SUCCESS),
        ],
        What::Journaled(_) => Vec::new(),
        What::Element { each } => match &plan.node(*each).what {
            What::Each(of) => gate("list", "node", &[of.list], ALL_SUCCESS),
            _ => Vec::new(),
        },
    }
}

fn input<'a>(name: &'static str, source: &'a Source<crate::author::body::Plain>) -> Input<'a> {
    let text = |kind, text: Option<Cow<'a, str>>| Input { name, kind, from: Vec::new(), rule: None, text };
    match source {
        Source::Plain(_) => text("plain", None),
        Source::Text(plain) => text("plain", Some(Cow::Borrowed(plain))),
        Source::Secrets(secrets) => {
            let references: Vec<_> = secrets.iter().map(Secret::reference).collect();
            text("secret", Some(Cow::Owned(references.join(", "))))
        }
        Source::Template(template) => text("template", Some(Cow::Borrowed(template.source()))),
        Source::Templates(templates) => {
            let sources: Vec<&str> = templates.iter().map(Template::source).collect();
            text("templates", Some(Cow::Owned(sources.join(", "))))
        }
        Source::Setting(setting) => text("setting", Some(Cow::Borrowed(setting.name()))),
        Source::Node(from, rule) => Input::nodes(name, "node", vec![from.index()], rule.name()),
        Source::Nodes(from, rule) => {
            let from = from.iter().map(|node| node.index()).collect();
            Input::nodes(name, "nodes", from, rule.name())
        }
        Source::Elements(from, rule) => Input::nodes(name, "elements", vec![from.index()], rule.name()),
    }
}

/// For each node, the nodes that it is wired `.after`, with how they must have ended: the edges that are not inputs.
fn afters(plan: &Plan) -> Vec<Vec<(NodeIx, Rule)>> {
    let mut afters: Vec<Vec<(NodeIx, Rule)>> = vec![Vec::new(); plan.nodes.len()];
    for from in nodes(plan) {
        for edge in plan.out(from) {
            if let EdgeRule::Upstream(rule) | EdgeRule::Elements(rule) = edge.rule {
                afters[edge.to as usize].push((from, rule));
            }
        }
    }
    for node in nodes(plan) {
        let after = &mut afters[node as usize];
        if after.is_empty() {
            continue;
        }
        let mut explained: HashMap<(NodeIx, &str), usize> = HashMap::new();
        match &plan.node(node).what {
            What::Body(_) => {
                for input in inputs(plan, node) {
                    for from in input.from {
                        *explained.entry((from, input.rule.unwrap_or_default())).or_default() += 1;
                    }
                }
            }
            What::Each(each) => *explained.entry((each.list, ALL_SUCCESS)).or_default() += 1,
            _ => {}
        }
        after.retain(|(from, rule)| match explained.get_mut(&(*from, rule.name())) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        });
    }
    afters
}

fn nodes(plan: &Plan) -> impl Iterator<Item = NodeIx> {
    (0..).take(plan.nodes.len())
}

/// A line of a drawing.
struct Link {
    from: NodeIx,
    to: NodeIx,
    rule: &'static str,
    after: bool,
}

/// The lines of a drawing, each once. The inside of a mapping is between its list and the gathering node.
fn links(plan: &Plan) -> Vec<Link> {
    let mut links = Vec::new();
    for (to, after) in nodes(plan).zip(afters(plan)) {
        for input in inputs(plan, to).into_iter().skip(usize::from(plan.node(to).is_each())) {
            let rule = input.rule.unwrap_or(ALL_SUCCESS);
            links.extend(input.from.into_iter().map(|from| Link { from, to, rule, after: false }));
        }
        links.extend(after.into_iter().map(|(from, rule)| Link { from, to, rule: rule.name(), after: true }));
        if let Some(teardown) = plan.teardown(to) {
            let ends = plan.ends_inside(teardown).into_iter();
            links.extend(ends.map(|from| Link { from, to, rule: Rule::AllDone.name(), after: true }));
        }
    }
    let mut seen = std::collections::HashSet::new();
    links.retain(|link| seen.insert((link.from, link.to, link.rule, link.after)));
    links
}

/// The kind of a node, in one word.
fn kind(plan: &Plan, node: NodeIx) -> &'static str {
    match &plan.node(node).what {
        What::Body(task) => match task.definition.kind {
            Kind::Task => "task",
            Kind::Sensor => "sensor",
            Kind::Branch => "branch",
        },
        What::Arm { .. } => "arm",
        What::Failure { .. } => "failure",
        What::FirstOf { .. } => "first_of",
        What::Each(_) | What::Gather(_) => "each",
        What::Element { .. } => "element",
        What::Journaled(_) => "node",
    }
}

/// The options that differ from the documented defaults, as texts.
fn changed(plan: &Plan, node: NodeIx) -> Vec<(&'static str, String)> {
    let mut changed = Vec::new();
    match &plan.node(node).what {
        What::Body(task) => of_policy(plan, task.definition.kind, node, &mut changed),
        What::Each(each) => {
            changed.extend(each.max_active.map(|n| ("max_active", n.to_string())));
            changed.extend(each.keys.as_ref().map(|_| ("keyed", String::new())));
            changed.extend(each.in_order.then(|| ("in_order", String::new())));
        }
        _ => {}
    }
    if plan.node(node).allow_failure {
        changed.push(("allow_failure", String::new()));
    }
    changed
}

fn of_policy(plan: &Plan, kind: Kind, ix: NodeIx, changed: &mut Vec<(&'static str, String)>) {
    let policy = plan.policy(ix);
    let none = TaskOptions::default();
    let levels = [&none];
    let levels = Levels::new(&levels, 0);
    if policy.retries > 0 {
        changed.push(("retries", policy.retries.to_string()));
    }
    if policy.retry_delay != levels.retry_delay(kind) {
        changed.push(delay("retry_delay", policy.retry_delay));
    }
    let sensor = policy.sensor.as_deref();
    if let (Some(sensor), Some(default)) = (sensor, levels.sensor(kind, || false)) {
        // A wait for the past has no timeout of its own.
        if sensor.timeout != default.timeout && !plan.is_past(ix) {
            changed.push(("timeout", time(sensor.timeout)));
        }
        if sensor.poke != default.poke && !plan.is_woken(ix) {
            changed.push(delay("poke", sensor.poke));
        }
    }
    if policy.limit != levels.limit(sensor) {
        let name = if sensor.is_some() { "poke_timeout" } else { "timeout" };
        changed.extend(policy.limit.map(|limit| (name, time(limit))));
    }
    if let Some(sensor) = sensor {
        if sensor.on_timeout != OnTimeout::default() {
            changed.push(("on_timeout", on_timeout(sensor.on_timeout).to_owned()));
        }
        if sensor.mode != Mode::default() {
            changed.push(("mode", mode(sensor.mode).to_owned()));
        }
    }
    if policy.pool != 0 {
        changed.push(("pool", plan.pools[policy.pool as usize].name.to_owned()));
    }
    if policy.priority != 0 {
        changed.push(("priority", policy.priority.to_string()));
    }
    let unheard = if policy.has_sla_without_callback() { ", which nobody is told of" } else { "" };
    changed.extend(policy.sla.map(|sla| ("sla", time(sla) + unheard)));
    for (event, notifier) in &policy.callbacks {
        changed.push((event.name(), notifier_name(plan, *notifier)));
    }
}

/// A notifier's label; if it is a path, only the last part.
fn notifier_name(plan: &Plan, notifier: NotifierIx) -> String {
    let label = &plan.notifiers[notifier as usize].label;
    let is_path = label.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
    label.rsplit("::").next().filter(|_| is_path).unwrap_or(label).to_owned()
}

fn delay(name: &'static str, delay: Delay) -> (&'static str, String) {
    let (name, mut text, jitter) = match delay {
        Delay::Fixed(wait, jitter) => (name, time(wait), jitter),
        Delay::Growing(backoff) => {
            let text = format!("{} to {}, x {}", time(backoff.start()), time(backoff.max()), backoff.factor());
            ("backoff", text, backoff.jitter())
        }
    };
    if !jitter.is_zero() {
        text.push_str(" + up to ");
        text.push_str(&time(jitter));
    }
    (name, text)
}

fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn on_timeout(what: OnTimeout) -> &'static str {
    match what {
        OnTimeout::Fail => "fail",
        OnTimeout::Skip => "skip",
        OnTimeout::Retry => "retry",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Poke => "poke",
        Mode::Reschedule => "reschedule",
    }
}
