//! The items that macro expansions and crash tests use. Not a public API: it changes without notice. Almost everything here is
//! re-exported.

pub use crate::author::across::TaskName;
pub use crate::author::asset::When;
pub use crate::author::body::{
    AsBranch, AsSensor, AsTask, Checked, Checks, Erase, Inputs, Labelled, Running, Runtime, Start, Takes, Wires, body0, body1,
    body2, body3, body4, body5, body6, branch_output, drive, drive_blocking, input, sensor, sensor_output, task, task_output,
    wire,
};
pub use crate::author::branch::{Arms, BranchHandle, arm, branch_of};
pub use crate::author::constant;
pub use crate::author::definition::{Definition, Kind};
pub use crate::author::equality::{Compare, Equality};
pub use crate::author::error::ThreadSafeError;
pub use crate::author::no_value::{Awaits, Indexes, Orders, Prints};
pub use crate::author::options::names as options;
pub use crate::author::options::{Defaults, Mode, OnTimeout, PipelineOptions, TaskOptions};
pub use crate::author::pipeline::{PipelineDefinition, with_params as pipeline1, without_params as pipeline0};
pub use crate::author::template::TemplateValue;
pub use crate::author::value::{Data, Datum};
#[cfg(feature = "sqlite")]
pub use crate::journal::stage as commits;
pub use crate::schedule::{Cron, Every};
pub use crate::{Backoff, Branch, Context, IntoInput, Nobody, Node, Notify, Pipeline, Pool};
pub use pipeline_macros::{checked_alert, checked_cron, checked_defaults, checked_every, checked_template};
pub use std::convert::Infallible;

/// The type itself, inside of `<..>`: only there rustc proposes a generic for an unknown type, and equal messages become one.
pub type Id<T> = T;

/// Replaces an invalid type. Its argument is the error itself, as an error *const*: rustc reports nothing about uses of such a
/// type.
#[derive(Debug)]
pub struct Poison<const MESSAGE: bool>;

/// Names the mistake in a task's output. The [`Poison`] stands only here and is reported once; all other code uses this name.
pub trait Refused {
    /// The `Poison`.
    type Mistake;
}

/// Accepts any argument for a parameter with a mistake. rust-analyzer does not know error consts and would report the callers.
pub trait Anything<Mistake> {}

impl<T: ?Sized, Mistake> Anything<Mistake> for T {}

/// Erases the type of an arm's value.
pub fn value<T: Data>(carried: &T) -> &dyn Datum {
    carried
}

/// A template whose text the macro has checked.
pub const fn template(source: &'static str) -> crate::Template {
    crate::Template::new(source)
}

/// The text of an alert, which the macro has checked.
pub const fn alert(source: &'static str) -> crate::AlertText {
    crate::AlertText::new(source)
}

/// Like [`alert`], with values whose names are checked, too. The values are made when an alert is sent.
pub const fn alert_with(source: &'static str, given: fn() -> Vec<Given>) -> crate::AlertText {
    crate::AlertText::with(source, given)
}

/// The values that are given to an alert.
pub fn given<const N: usize>(given: [Given; N]) -> Vec<Given> {
    given.into()
}

/// A named value as JSON, or why it cannot be written as JSON.
pub type Given = (&'static str, Result<serde_json::Value, String>);

/// Like [`template`], with values whose names are checked, too.
pub fn template_with<const N: usize>(
    source: &'static str,
    given: [(&'static str, Result<serde_json::Value, String>); N],
) -> crate::Template {
    crate::Template::with(source, given.into())
}
