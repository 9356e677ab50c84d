//! Which pipeline is meant.

use crate::Pipeline;

/// Whether each has an id of its own; else what to do about it.
pub(super) fn distinct(pipelines: &[Pipeline]) -> Result<(), String> {
    for (n, second) in pipelines.iter().enumerate() {
        if let Some(first) = pipelines[..n].iter().find(|first| first.id() == second.id()) {
            let (id, first, second) = (second.id(), first.definition().at, second.definition().at);
            return Err(format!(
                "two pipelines have the id `{id}`\n  --> {first}: the first\n  --> {second}: the second\n  \
                 = help: give one of them another, as in `#[pipeline(id = \"{id}_2\")]`, or list it once"
            ));
        }
    }
    if pipelines.is_empty() { Err("this binary has no pipelines: give them to `cli::main`".into()) } else { Ok(()) }
}

/// The pipeline of that id, or the only one.
pub(super) fn one<'a>(pipelines: &'a [Pipeline], id: Option<&str>) -> Result<&'a Pipeline, String> {
    match (id, pipelines) {
        (Some(id), _) => pipelines.iter().find(|pipeline| pipeline.id() == id).ok_or_else(|| unknown(pipelines, id)),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("which pipeline? name one of {}", ids(pipelines))),
    }
}

/// The pipeline of that id, or all.
pub(super) fn some<'a>(pipelines: &'a [Pipeline], id: Option<&str>) -> Result<Vec<&'a Pipeline>, String> {
    match id {
        Some(_) => Ok(vec![one(pipelines, id)?]),
        None => Ok(pipelines.iter().collect()),
    }
}

fn unknown(pipelines: &[Pipeline], id: &str) -> String {
    format!("no pipeline has the id `{id}`; there is {}", ids(pipelines))
}

fn ids(pipelines: &[Pipeline]) -> String {
    let ids: Vec<String> = pipelines.iter().map(|pipeline| format!("`{}`", pipeline.id())).collect();
    ids.join(", ")
}
