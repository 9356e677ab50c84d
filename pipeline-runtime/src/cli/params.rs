//! Params as the command line gives them.

use super::args::Given;
use crate::author::params;
use crate::author::pipeline::WireError;
use crate::{ParamsError, Pipeline, PlanError};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::Path;

/// What `--params` and `--param` set; all else has its default.
pub(super) fn given(pipeline: &Pipeline, from: &Given) -> Result<Value, String> {
    let mut given = match &from.file {
        Some(file) => from_file(file)?,
        None => Map::new(),
    };
    if !from.params.is_empty() {
        let defaults = pipeline.default_params().map_err(|error| error.to_string())?;
        for (key, text) in &from.params {
            params::set(&mut given, &defaults, key, text);
        }
    }
    Ok(if given.is_empty() { Value::Null } else { Value::Object(given) })
}

fn from_file(file: &Path) -> Result<Map<String, Value>, String> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let most = params::MAX_BYTES;
    let read = std::fs::File::open(file).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("--params: cannot read `{shown}`: {error}"))?;
    if bytes.len() > most {
        let limit = most >> 20;
        return Err(format!(
            "--params: {shown} has more than {limit} MiB, which is the limit of a run's params: put what is large in a bucket, and give its key"
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(format!("--params: {shown}: the params are an object, as in {{\"region\": \"eu\"}}")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            Err(format!("--params: {shown}:{line}:{column}: this is no JSON: {what}"))
        }
    }
}

/// What is wrong with a pipeline that has no plan with those params: the argument, if it is one that does not fit.
pub(super) fn blame(pipeline: &Pipeline, from: &Given, error: &PlanError) -> String {
    let PlanError::Wire(WireError::Params(params_error)) = error else { return error.to_string() };
    let argument = match params_error {
        ParamsError::Unknown { key, .. } => named(from, key),
        ParamsError::Invalid { .. } => unfit(pipeline, from),
        ParamsError::TooLarge { .. } => None,
        ParamsError::None { .. } => from.params.first().map(|(key, value)| format!("--param {key}={value}: ")),
    };
    let argument = argument.or_else(|| from.file.as_ref().map(|file| format!("--params {}: ", file.display())));
    format!("{}{params_error}", argument.unwrap_or_default())
}

fn named(from: &Given, key: &str) -> Option<String> {
    let (key, value) = from.params.iter().rev().find(|(given, _)| given == key)?;
    Some(format!("--param {key}={value}: "))
}

/// The first param that does not fit even alone. serde names the value but not its key.
fn unfit(pipeline: &Pipeline, from: &Given) -> Option<String> {
    let defaults = pipeline.default_params().ok()?;
    let fits = |(key, value): &&(String, String)| {
        let mut alone = Map::new();
        params::set(&mut alone, &defaults, key, value);
        !matches!(pipeline.draft(&Value::Object(alone)), Err(WireError::Params(_)))
    };
    let (key, value) = from.params.iter().find(|param| !fits(param))?;
    Some(format!("--param {key}={value}: "))
}
