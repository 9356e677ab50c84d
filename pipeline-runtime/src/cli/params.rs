//! Params from the command line.

use super::common_args::ParamArgs;
use crate::author::params::{self, Source};
use crate::author::pipeline::WireError;
use crate::{ParamsError, Pipeline, PlanError};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::Path;

/// Returns what `--params` and `--param` set, parsed by the pipeline's params type; everything else has its default.
pub(super) fn parse(pipeline: &Pipeline, args: &ParamArgs) -> Result<Value, String> {
    let file = match &args.file {
        Some(file) => Value::Object(from_file(file)?),
        None => Value::Null,
    };
    let given = pipeline.given(Source::Given(&file, &args.params));
    given.map_err(|error| describe_error(args, &PlanError::Wire(WireError::Params(error))))
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
            "--params: {shown} has more than {limit} MiB, which is the limit for a run's params: store large data in a bucket and pass its key"
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(format!("--params: {shown}: the params must be an object, as in {{\"region\": \"eu\"}}")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            Err(format!("--params: {shown}:{line}:{column}: this is not valid JSON: {what}"))
        }
    }
}

/// Describes why a pipeline has no plan with these params, and names the argument that is wrong, if it is one.
pub(super) fn describe_error(args: &ParamArgs, error: &PlanError) -> String {
    let PlanError::Wire(WireError::Params(params_error)) = error else { return error.to_string() };
    let argument = match params_error {
        ParamsError::Unknown { key, .. } | ParamsError::Invalid { param: Some(key), .. } => {
            argument_of(args, key).map(|(key, value)| format!("--param {key}={value}: "))
        }
        // The given value may be the secret itself.
        ParamsError::BareSecret { param, .. } => {
            let named = param.as_ref().and_then(|key| argument_of(args, key));
            named.map(|(key, _)| format!("--param {key}=…: "))
        }
        ParamsError::Invalid { param: None, .. } | ParamsError::TooLarge { .. } => None,
        ParamsError::None { .. } => args.params.first().map(|(key, value)| format!("--param {key}={value}: ")),
    };
    let argument = argument.or_else(|| args.file.as_ref().map(|file| format!("--params {}: ", file.display())));
    format!("{}{params_error}", argument.unwrap_or_default())
}

/// Returns the last argument that sets a param, an object that contains it, or a part of it.
fn argument_of<'a>(args: &'a ParamArgs, param: &str) -> Option<&'a (String, String)> {
    let is_in =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    args.params.iter().rev().find(|(key, _)| is_in(param, key) || is_in(key, param))
}
