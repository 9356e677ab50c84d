//! The params that a pipeline's value brings along.

use super::of_type;
use crate::author::params::Params;
use serde_json::Value;
use std::any::TypeId;

/// What params are where nothing is given for a run.
#[derive(Debug)]
pub(crate) struct Base {
    /// Their type, and its name for messages.
    pub(crate) of: (TypeId, &'static str),
    /// As JSON, by which params are read and kept, or why they have none.
    pub(crate) json: Result<Value, String>,
}

impl Base {
    pub(super) fn new<P: Params>(params: &P) -> Self {
        let json = serde_json::to_value(params).map_err(|error| error.to_string());
        Self { of: of_type::<P>(), json }
    }

    /// The params, if they are of that type.
    pub(super) fn of<P: Params>(&self) -> Option<&Value> {
        if self.of.0 == TypeId::of::<P>() { self.json.as_ref().ok() } else { None }
    }
}
