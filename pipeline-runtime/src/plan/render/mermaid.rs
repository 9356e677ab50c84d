use super::super::graph::{NodeIx, Plan, ScopeIx};
use super::{ALL_SUCCESS, kind, links};
use crate::author::across::Role;
use std::fmt::Write;

impl Plan {
    /// The plan as a [Mermaid](https://mermaid.js.org) flowchart, which code hosts draw in their documents.
    ///
    /// Tasks are boxes, sensors hexagons, branches diamonds, gates rounded; the inside of a mapping and of a group is in a frame.
    /// A dotted line is an `.after`, or leads to and from an asset; a line without a label has the rule `all_success`. Assets,
    /// and other pipelines whose runs are awaited or started, are cylinders.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// #[task] async fn rows() -> Result<u64> { Ok(1) }
    /// #[task] async fn notify(rows: Outcome<u64>) -> Result<()> { Ok(()) }
    /// #[pipeline] fn nightly() { notify(rows()); }
    ///
    /// let chart = nightly().plan(&serde_json::Value::Null)?.to_mermaid();
    /// assert!(chart.contains(r#"n0 -->|"all_done"| n1"#));
    /// # Ok::<(), pipeline_runtime::PlanError>(())
    /// ```
    pub fn to_mermaid(&self) -> String {
        let mut chart = format!("---\ntitle: {}\n---\nflowchart TD\n", serde_json::Value::from(self.pipeline));
        frame(self, 0, 1, &mut chart);
        for link in links(self) {
            let arrow = match (link.after, link.rule) {
                (true, ALL_SUCCESS) => "-.->".to_owned(),
                (true, rule) => format!("-.->|\"{rule}\"|"),
                (false, ALL_SUCCESS) => "-->".to_owned(),
                (false, rule) => format!("-->|\"{rule}\"|"),
            };
            line(&mut chart, 1, &format!("n{} {arrow} n{}", link.from, link.to));
        }
        others(self, &mut chart);
        assets(self, &mut chart);
        chart
    }
}

/// The assets, each once, with the nodes that update and read it. An asset that the pipeline waits for has a note.
fn assets(plan: &Plan, chart: &mut String) {
    let mut known: Vec<&str> = Vec::new();
    for (asset, ..) in plan.uses() {
        if known.contains(&asset.name) {
            continue;
        }
        let begins = plan.assets.awaited().iter().any(|awaited| awaited.name == asset.name);
        let rule = plan.assets.when.as_ref().filter(|_| begins).map_or("", |(when, _)| when.rule.name());
        let rule = if rule.is_empty() { String::new() } else { format!(" (when {rule})") };
        line(chart, 1, &format!("a{}[(\"{}{rule}\")]", known.len(), escaped(asset.name)));
        known.push(asset.name);
    }
    let number = |name: &str| known.iter().position(|known| *known == name).unwrap_or_default();
    for (node, asset, _) in &plan.assets.updates {
        line(chart, 1, &format!("n{node} -.->|\"updates\"| a{}", number(asset.name)));
    }
    for (node, asset) in &plan.assets.reads {
        line(chart, 1, &format!("a{} -.-> n{node}", number(asset.name)));
    }
}

/// The nodes of a scope; those within its mappings are in frames. Mappings nest only as deep as they were written.
fn frame(plan: &Plan, scope: ScopeIx, depth: usize, chart: &mut String) {
    // The open groups of this scope, the innermost last.
    let mut groups: Vec<u32> = Vec::new();
    for &ix in &plan.scope(scope).nodes {
        let mut around: Vec<u32> = std::iter::successors(plan.group_of(ix), |group| plan.group_around(*group)).collect();
        around.reverse();
        while !around.starts_with(&groups) {
            groups.pop();
            line(chart, depth + groups.len(), "end");
        }
        for group in around.drain(groups.len()..) {
            let id = escaped(&plan.groups[group as usize].id);
            line(chart, depth + groups.len(), &format!("subgraph g{group}[\"{id}\"]"));
            groups.push(group);
        }
        let depth = depth + groups.len();
        line(chart, depth, &format!("n{ix}{}", node(plan, ix)));
        if let super::What::Each(each) = &plan.node(ix).what {
            line(chart, depth, &format!("subgraph s{}[\"each element of {}\"]", each.scope, escaped(&plan.id(each.list))));
            frame(plan, each.scope, depth + 1, chart);
            line(chart, depth, "end");
        }
    }
    for inner in (0..groups.len()).rev() {
        line(chart, depth + inner, "end");
    }
}

/// Other pipelines, each once: a thick line leads from one whose run is awaited, and to one whose run is started.
fn others(plan: &Plan, chart: &mut String) {
    let mut known: Vec<&str> = Vec::new();
    for (ix, across) in &plan.across {
        let id = across.pipeline.id();
        let number = known.iter().position(|known| *known == id).unwrap_or_else(|| {
            line(chart, 1, &format!("p{}[(\"{}\")]", known.len(), escaped(id)));
            known.push(id);
            known.len() - 1
        });
        match &across.role {
            Role::Awaits(_) => line(chart, 1, &format!("p{number} ==> n{ix}")),
            Role::Starts(_) => line(chart, 1, &format!("n{ix} ==> p{number}")),
            // It takes an output of a run that another node waits for.
            Role::Takes(_) | Role::Past(_) => {}
        }
    }
}

fn node(plan: &Plan, ix: NodeIx) -> String {
    let id = escaped(&plan.id(ix));
    match kind(plan, ix) {
        "task" => format!("[\"{id}\"]"),
        "sensor" => format!("{{{{\"{id}\"}}}}"),
        "branch" => format!("{{\"{id}\"}}"),
        "each" => format!("[[\"{id}\"]]"),
        _ => format!("([\"{id}\"])"),
    }
}

fn line(chart: &mut String, depth: usize, text: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(chart, "{:depth$}{text}", "", depth = depth * 4);
}

/// The text for a label in quotes. Possible markup is written as character references: Mermaid interprets some Markdown there, in
/// which an underscore at the edge of a word starts emphasis.
fn escaped(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let emphasis = words.any(|word| word.starts_with('_') || word.ends_with('_'));
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = c.is_alphanumeric() || matches!(c, '-' | '.' | '(' | ')' | ' ') || (c == '_' && !emphasis);
        if plain {
            escaped.push(c);
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}
