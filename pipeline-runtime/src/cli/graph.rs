//! `graph`: draws a plan.

use super::{choose, output};
use crate::Pipeline;
use crate::observe::harmless_json;
use clap::ValueEnum;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// For people: a drawing and a table of nodes
    Text,
    /// A Mermaid flowchart, as Markdown pages render it
    Mermaid,
    /// A picture: a box for each task, sensor and mapping
    Svg,
    /// The whole plan, for programs
    Json,
}

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, format: GraphFormat) -> Result<ExitCode, String> {
    let plan = choose::one(pipelines, id)?.plan(&Value::Null).map_err(|error| error.to_string())?;
    let text = match format {
        GraphFormat::Text => plan.to_text(),
        GraphFormat::Mermaid => plan.to_mermaid(),
        GraphFormat::Svg => plan.to_svg(),
        GraphFormat::Json => harmless_json(&format!("{:#}", plan.to_json())).into_owned(),
    };
    output::to_stdout(text.trim_end());
    Ok(ExitCode::SUCCESS)
}
