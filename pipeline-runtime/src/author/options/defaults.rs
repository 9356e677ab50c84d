//! Options for all nodes, as a value.

use super::TaskOptions;

/// Options for all nodes of a pipeline as the value of a constant, checked at compile time: a [`Defaults`].
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const TEAM: Defaults = defaults!(retries = 2, retry_delay = "5m");
/// # let _ = TEAM;
/// ```
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// const TEAM: Defaults = defaults!(retrys = 2); // unknown option `retrys`; did you mean `retries`?
/// ```
#[macro_export]
macro_rules! defaults {
    ($($options:tt)*) => {
        $crate::__private::checked_defaults!($crate, $($options)*)
    };
}

/// Options for all nodes of a pipeline, to share between pipelines: a value of [`defaults!`](crate::defaults!).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// async fn page(n: Notification) -> Result<()> {
///     eprintln!("{} failed", n.pipeline());
///     Ok(())
/// }
///
/// const TEAM: Defaults = defaults!(retries = 2, retry_delay = "5m", on_failure = page);
///
/// #[task] async fn load() {}
/// #[pipeline(schedule = "@daily", defaults = TEAM)] fn orders() { load(); }
/// #[pipeline(schedule = "@hourly", defaults = TEAM)] fn visits() { load(); }
/// # orders().check()?; visits().check()?;
/// # Ok::<(), pipeline_runtime::PlanError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Defaults(fn(TaskOptions) -> TaskOptions);

impl Defaults {
    /// What the macros expand to.
    #[doc(hidden)]
    pub const fn new(options: fn(TaskOptions) -> TaskOptions) -> Self {
        Self(options)
    }

    pub(crate) fn options(self) -> TaskOptions {
        (self.0)(TaskOptions::default())
    }
}
