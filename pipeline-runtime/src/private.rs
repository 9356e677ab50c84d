//! What the macros expand to, and what tests of crashes hook into. Not for use by hand: it changes without notice. It re-exports, and
//! holds next to nothing itself.

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

/// A type as it stands, so that an unknown one is reported once (rustc proposes a generic only outside of `<..>`).
pub type Id<T> = T;

/// Stands for a type that could not be had. Its argument is the error itself, as an error *const*: whatever touches the type is
/// silent.
#[derive(Debug)]
pub struct Poison<const MESSAGE: bool>;

/// Names the mistake of a task's output, which its [`Poison`] reports once, for all that has the output's type.
pub trait Refused {
    /// The `Poison`.
    type Mistake;
}

/// Takes whatever it is given, where a mistake has been reported: rust-analyzer, which knows no error const, would report the callers, too.
pub trait Anything<Mistake> {}

impl<T: ?Sized, Mistake> Anything<Mistake> for T {}

/// Erases what an arm carries.
pub fn value<T: Data>(carried: &T) -> &dyn Datum {
    carried
}

/// A template whose text was checked.
pub const fn template(source: &'static str) -> crate::Template {
    crate::Template::new(source)
}

/// The text of an alert, which was checked.
pub const fn alert(source: &'static str) -> crate::AlertText {
    crate::AlertText::new(source)
}

/// The same with values, whose names were checked, too: made when somebody is told.
pub const fn alert_with(source: &'static str, given: fn() -> Vec<Given>) -> crate::AlertText {
    crate::AlertText::with(source, given)
}

/// What is given to an alert.
pub fn given<const N: usize>(given: [Given; N]) -> Vec<Given> {
    given.into()
}

/// A value that is given by name, as JSON, or why it cannot be.
pub type Given = (&'static str, Result<serde_json::Value, String>);

/// A template with values, whose names were checked, too.
pub fn template_with<const N: usize>(
    source: &'static str,
    given: [(&'static str, Result<serde_json::Value, String>); N],
) -> crate::Template {
    crate::Template::with(source, given.into())
}
