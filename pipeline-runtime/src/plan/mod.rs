//! The plan: a pipeline's graph, checked and immutable, with dense ids.
//!
//! A plan is built from the draft that the pipeline function recorded, with one set of params. All mistakes that types cannot
//! prevent are found here, all at once, each with the places where it was wired. The engine needs no further checks.
//!
//! # Why gates are nodes
//!
//! An arm of a branch, `x.failure()`, `first_of`, a mapping and its element are nodes without a body. So a rule, an override and
//! a report mean the same everywhere, and no edge needs a port.
//!
//! # Why the plan has the schedule
//!
//! A schedule is as immutable as the plan, and pure: nothing in `schedule` reads a clock. So that folder precedes `author` and
//! `plan`.

#[cfg(any(feature = "cli", feature = "dashboard"))]
mod alterations;
mod asset_condition;
mod assets;
mod build;
mod check;
mod cross_check;
mod graph;
mod groups;
mod holdings;
mod id;
mod journaled;
pub(crate) mod layout;
mod notifiers;
mod past;
mod pipeline_options;
mod policy;
mod problem;
mod render;
mod secrets;
mod settings;
mod skeleton;
mod sla;
mod teardowns;
mod templates;
#[cfg(test)]
mod tests;
mod upstream;

#[cfg(test)]
pub(crate) use asset_condition::steps;
pub(crate) use asset_condition::{AssetCondition, PendingUpdates};
pub(crate) use assets::Use;
#[cfg(test)]
use cross_check::never_updated;
pub(crate) use cross_check::{check_all_together, check_together, same_id};
pub use graph::Plan;
pub(crate) use graph::{Each, Edge, EdgeRule, NodeIx, ScopeIx, What};
#[cfg(feature = "airflow")]
pub(crate) use holdings::Holding;
pub(crate) use holdings::HoldingIx;
pub(crate) use notifiers::{Notifier, Recipient};
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) use policy::Delay;
pub(crate) use policy::{DEFAULT_PARALLELISM, DEFAULT_POOL, NotifierIx, Policy, PoolSpec, SensorPolicy};
pub use problem::{PlanError, Problem};
pub(crate) use settings::{named as setting_named, settings};
pub use skeleton::PlanChanged;
pub(crate) use skeleton::{Accepts, Remap, depth};
