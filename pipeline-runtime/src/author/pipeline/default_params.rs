//! The params that a pipeline's value carries (`with_params`).

use super::of_type;
use crate::author::params::Params;
use serde_json::Value;
use std::any::TypeId;

/// The params of a run for which none are given.
#[derive(Debug)]
pub(crate) struct DefaultParams {
    /// The params' type, and its name for messages.
    pub(crate) of: (TypeId, &'static str),
    /// The params as JSON, in which params are read and stored, or why they cannot be written as JSON.
    pub(crate) json: Result<Value, String>,
}

impl DefaultParams {
    pub(super) fn new<P: Params>(params: &P) -> Self {
        let json = serde_json::to_value(params).map_err(|error| error.to_string());
        Self { of: of_type::<P>(), json }
    }

    /// The params, if they are of type `P`.
    pub(super) fn of<P: Params>(&self) -> Option<&Value> {
        if self.of.0 == TypeId::of::<P>() { self.json.as_ref().ok() } else { None }
    }
}
