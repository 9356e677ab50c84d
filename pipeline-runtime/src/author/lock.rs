//! Locks: groups that never run at the same time, in any run or pipeline.

/// A lock that one group at a time holds, over all runs and pipelines of a journal.
///
/// A [group](crate::group) holds it from the start of its first node until its last node or its run has ended, and no body of it
/// that was stopped is still blocking a thread. Groups that want it meanwhile wait in the order in which they asked. Two locks
/// with the same name are the same lock.
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
    /// The lock with that name.
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}
