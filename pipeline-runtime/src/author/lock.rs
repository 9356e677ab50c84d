//! Locks: groups that never run at once, in whatever run or pipeline.

/// What one group at a time holds, over all runs and pipelines of a journal.
///
/// A [group](crate::group) that holds it has it from the start of its first node until its last has ended, or its run has, and until
/// no body that was cut off still blocks. Groups that want it meanwhile wait in the order in which they asked. Two locks of one name are the same.
///
/// ```
/// use pipeline_runtime::Lock;
/// use pipeline_runtime::prelude::*;
///
/// static REFRESH: Lock = Lock::new("refresh");
///
/// #[task] async fn drop_table() -> Result<()> { Ok(()) }
/// #[task] async fn fill() -> Result<()> { Ok(()) }
///
/// #[pipeline]
/// fn nightly() {
///     group("refresh", || chain((drop_table(), fill()))).holding(&REFRESH);
/// }
/// # nightly().check().unwrap();
/// ```
#[derive(Debug)]
pub struct Lock {
    name: &'static str,
}

impl Lock {
    /// The lock of that name.
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
