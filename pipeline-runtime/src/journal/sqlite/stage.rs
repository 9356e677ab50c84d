//! The stages of a commit, which crash tests hook into. Without a hook a stage costs one load.

use std::sync::OnceLock;

/// The stage of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its transaction is open.
    Begun,
    /// All its rows are written, and it is about to become durable.
    Written,
    /// It is durable, and nothing that follows from it has happened.
    Kept,
}

static HOOK: OnceLock<fn(Stage)> = OnceLock::new();

/// Calls `hook` on the writer's thread at each stage of each commit of records, and of each commit that deletes old runs. Only
/// the first call in a process counts.
pub fn watch(hook: fn(Stage)) {
    // The first hook stays.
    let _ = HOOK.set(hook);
}

pub(super) fn reach(stage: Stage) {
    if let Some(hook) = HOOK.get() {
        hook(stage);
    }
}
