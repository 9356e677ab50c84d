//! Selects the pipelines that a command is about.

use crate::Pipeline;
use crate::plan::same_id;

/// Returns an error that says what to do unless the ids of the pipelines are distinct.
pub(super) fn distinct(pipelines: &[Pipeline]) -> Result<(), String> {
    if let Some(problem) = same_id(pipelines) {
        return Err(problem);
    }
    if pipelines.is_empty() { Err("this binary has no pipelines: give them to `cli::main`".into()) } else { Ok(()) }
}

/// Returns the pipeline with that id; without an id, the only one.
pub(super) fn one<'a>(pipelines: &'a [Pipeline], id: Option<&str>) -> Result<&'a Pipeline, String> {
    match (id, pipelines) {
        (Some(id), _) => pipelines.iter().find(|pipeline| pipeline.id() == id).ok_or_else(|| unknown(pipelines, id)),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("which pipeline? name one of {}", ids(pipelines))),
    }
}

/// Returns the pipeline with that id; without an id, all.
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
