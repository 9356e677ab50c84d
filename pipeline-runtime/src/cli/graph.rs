//! `graph`

use super::args::Format;
use super::{choose, output};
use crate::Pipeline;
use crate::observe::harmless_json;
use serde_json::Value;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], id: Option<&str>, format: Format) -> Result<ExitCode, String> {
    let plan = choose::one(pipelines, id)?.plan(&Value::Null).map_err(|error| error.to_string())?;
    let text = match format {
        Format::Text => plan.to_text(),
        Format::Mermaid => plan.to_mermaid(),
        Format::Svg => plan.to_svg(),
        Format::Json => harmless_json(&format!("{:#}", plan.to_json())).into_owned(),
    };
    output::to_stdout(text.trim_end());
    Ok(ExitCode::SUCCESS)
}
