//! Where the writer is with a commit: what tests of crashes hook into. Without a hook it is one load.

use std::sync::OnceLock;

/// How far a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its transaction is open.
    Begun,
    /// All its rows are written, and it is about to be kept.
    Written,
    /// It is kept, and nothing that follows from it has happened.
    Kept,
}

static HOOK: OnceLock<fn(Stage)> = OnceLock::new();

/// Calls `hook` on the writer's thread at each stage of each commit of records, and of each that deletes old runs. Only the first call in a process counts.
pub fn watch(hook: fn(Stage)) {
    // The first one stays.
    let _ = HOOK.set(hook);
}

pub(super) fn reach(stage: Stage) {
    if let Some(hook) = HOOK.get() {
        hook(stage);
    }
}
