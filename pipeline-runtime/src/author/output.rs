//! What a task, a sensor, a branch and a pipeline may return.

use super::branch::Branch;
use super::error::{IntoTaskError, TaskError};
use super::outcome::Poke;
use super::seal::Seal;

/// What a `#[task]` may return: `Result<T, E>` or nothing. The trait is sealed.
///
/// ```compile_fail,E0050
/// # use pipeline_runtime::{TaskError, TaskOutput};
/// struct Mine;
/// impl TaskOutput for Mine {
///     type Value = u64;
///     fn into_result(self) -> Result<u64, TaskError> { Ok(1) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "expected `Result<T, E>` or `()`",
    note = "write `-> Result<{Self}>`; the error may be any `E: Into<Box<dyn Error + Send + Sync>>`"
)]
pub trait TaskOutput {
    /// What a downstream receives.
    type Value;
    #[doc(hidden)]
    fn into_result(self, seal: Seal) -> Result<Self::Value, TaskError>;
}

impl<T, E: IntoTaskError> TaskOutput for Result<T, E> {
    type Value = T;
    fn into_result(self, _: Seal) -> Result<T, TaskError> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl TaskOutput for () {
    type Value = ();
    fn into_result(self, _: Seal) -> Result<(), TaskError> {
        Ok(())
    }
}

/// What a `#[sensor]` may return: `Result<Poke<T>, E>`. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "a sensor cannot return `{Self}`",
    label = "expected `Result<Poke<T>>`",
    note = "return `Poke::Ready(value)` or `Poke::NotYet`, or convert an `Option` with `.into()`; the sensor is poked again until its timeout"
)]
pub trait SensorOutput {
    /// What a downstream receives once the sensor is ready.
    type Value;
    #[doc(hidden)]
    fn into_result(self, seal: Seal) -> Result<Poke<Self::Value>, TaskError>;
}

impl<T, E: IntoTaskError> SensorOutput for Result<Poke<T>, E> {
    type Value = T;
    fn into_result(self, _: Seal) -> Result<Poke<T>, TaskError> {
        self.map_err(Into::into)
    }
}

/// What a `#[branch]` may return: `Result<B, E>`, where `B` is an enum that derives [`Branch`](macro@crate::Branch). The trait is
/// sealed.
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
    fn into_result(self, seal: Seal) -> Result<Self::Value, TaskError>;
}

impl<B: Branch, E: IntoTaskError> BranchOutput for Result<B, E> {
    type Value = B;
    type Arms = B::Arms;
    fn into_result(self, _: Seal) -> Result<B, TaskError> {
        self.map_err(Into::into)
    }
}

/// What a `#[pipeline]` or a callback's future may return: `Result<(), E>` or nothing. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "a pipeline cannot return `{Self}`",
    label = "expected nothing or `Result<(), E>`",
    note = "a pipeline only wires tasks: write `fn name()` or `fn name() -> Result<()>`"
)]
pub trait PipelineOutput {
    #[doc(hidden)]
    fn into_result(self, seal: Seal) -> Result<(), TaskError>;
}

impl<E: IntoTaskError> PipelineOutput for Result<(), E> {
    fn into_result(self, _: Seal) -> Result<(), TaskError> {
        self.map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl PipelineOutput for () {
    fn into_result(self, _: Seal) -> Result<(), TaskError> {
        Ok(())
    }
}
