//! The params that a pipeline's value brings along.

use super::Typed;
use crate::author::params::Params;
use serde_json::Value;

/// What params are where nothing is given for a run.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) of: Typed,
    /// As JSON, by which params are read and kept, or why they have none.
    pub(crate) json: Result<Value, String>,
}

impl Base {
    pub(super) fn new<P: Params>(params: &P) -> Self {
        Self { of: Typed::of::<P>(), json: serde_json::to_value(params).map_err(|error| error.to_string()) }
    }

    /// The params, if they are of that type.
    pub(super) fn of<P: Params>(&self) -> Option<&Value> {
        if self.of.id == Typed::of::<P>().id { self.json.as_ref().ok() } else { None }
    }
}
