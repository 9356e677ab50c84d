//! What a task, a sensor, a branch and a pipeline may return.

use super::branch::Branches;
use super::error::{IntoTaskError, TaskError};
use super::outcome::Poke;

/// What a `#[task]` may return: `Result<T, E>` or nothing.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "expected `Result<T, E>` or `()`",
    note = "write `-> Result<{Self}>`; the error may be any `E: Into<Box<dyn Error + Send + Sync>>`"
)]
pub trait TaskOutput {
    /// What a downstream receives.
    type Value;
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, TaskError>;
}

impl<T, E: IntoTaskError> TaskOutput for Result<T, E> {
    type Value = T;
    fn into_result(self) -> Result<T, TaskError> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl TaskOutput for () {
    type Value = ();
    fn into_result(self) -> Result<(), TaskError> {
        Ok(())
    }
}

/// What a `#[sensor]` may return: `Result<Poke<T>, E>`.
#[diagnostic::on_unimplemented(
    message = "a sensor cannot return `{Self}`",
    label = "expected `Result<Poke<T>>`",
    note = "a sensor answers `Poke::Ready(value)` or `Poke::NotYet`, which an `Option` becomes by `.into()`; the runtime asks it again \
            until its timeout"
)]
pub trait SensorOutput {
    /// What a downstream receives once the sensor is ready.
    type Value;
    #[doc(hidden)]
    fn into_result(self) -> Result<Poke<Self::Value>, TaskError>;
}

impl<T, E: IntoTaskError> SensorOutput for Result<Poke<T>, E> {
    type Value = T;
    fn into_result(self) -> Result<Poke<T>, TaskError> {
        self.map_err(Into::into)
    }
}

/// What a `#[branch]` may return: `Result<B, E>`, where `B` is an enum that derives [`Branch`](macro@crate::Branch).
#[diagnostic::on_unimplemented(
    message = "a branch cannot return `{Self}`",
    label = "expected `Result<B>` where `B` is an enum that derives `Branch`",
    note = "write `#[derive(Branch)] enum Route {{ .. }}` and return `Result<Route>`"
)]
pub trait BranchOutput {
    /// The enum.
    type Value;
    /// Its arms as nodes.
    type Arms;
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, TaskError>;
}

impl<B: Branches, E: IntoTaskError> BranchOutput for Result<B, E> {
    type Value = B;
    type Arms = B::Arms;
    fn into_result(self) -> Result<B, TaskError> {
        self.map_err(Into::into)
    }
}

/// What a `#[pipeline]` may return, and a callback's future: `Result<(), E>` or nothing.
#[diagnostic::on_unimplemented(
    message = "a pipeline cannot return `{Self}`",
    label = "expected nothing or `Result<(), E>`",
    note = "a pipeline only wires tasks: write `fn name()` or `fn name() -> Result<()>`"
)]
pub trait PipelineOutput {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), TaskError>;
}

impl<E: IntoTaskError> PipelineOutput for Result<(), E> {
    fn into_result(self) -> Result<(), TaskError> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl PipelineOutput for () {
    fn into_result(self) -> Result<(), TaskError> {
        Ok(())
    }
}
