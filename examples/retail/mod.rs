//! A chain of shops, in three pipelines that need one another: what people copy from.
//!
//! | module | subject |
//! |---|---|
//! | `domain` | what flows between the nodes |
//! | `import` | `nightly_import`: each shop's sales of a day, and the prices of that day |
//! | `model` | `demand_model`: begins once both are there |
//! | `report` | `weekly_report`: waits for six days of the one and the last day of the other |
//! | `demo` | a week of them |
//!
//! `docs/retail.md` goes through them line by line.

pub mod demo;
pub mod domain;
pub mod import;
pub mod model;
pub mod report;

use pipeline_runtime::Secret;
use serde::{Deserialize, Serialize};

/// What a run of any of the three may be told with `--param`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The URL of the bucket that sales arrive in, and that all else is written to.
    pub store: String,
    /// The program that asks the portal for prices.
    pub portal: String,
    /// What the portal knows us by: where that is to be found, and never the token itself.
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
