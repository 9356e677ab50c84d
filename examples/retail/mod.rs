//! A chain of shops, in three pipelines that depend on one another. Copy from here.
//!
//! | module | subject |
//! |---|---|
//! | `domain` | the values that are passed between the nodes |
//! | `import` | `nightly_import`: each shop's sales of a day, and the prices of that day |
//! | `model` | `demand_model`: begins once both are updated |
//! | `report` | `weekly_report`: waits for six days of imports and for the model of the last day |
//! | `demo` | a week of them |
//!
//! `docs/retail.md` explains them.

pub mod demo;
pub mod domain;
pub mod import;
pub mod model;
pub mod report;

use pipeline_runtime::Secret;
use serde::{Deserialize, Serialize};

/// The params of a run of any of the three, which `--param` sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL of the bucket in which sales arrive, and to which everything else is written.
    pub store: String,
    /// The program that gets prices from the portal.
    pub portal: String,
    /// A reference to the portal's token: where it is stored, never the token itself.
    pub portal_token: Secret,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store: "file:///tmp/mock-s3/retail".into(),
            portal: "retail-portal".into(),
            portal_token: Secret::env("RETAIL_PORTAL_TOKEN"),
        }
    }
}
