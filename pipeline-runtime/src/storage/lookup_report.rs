//! What a sensor's last poke looked for; its timeout message names it.

use crate::engine;

/// A lookup during a poke that may be its sensor's last.
pub(super) struct LookupReport(String);

impl LookupReport {
    /// `name` is what the poke looks for, with its bucket; a glob for more than one key. Returns `None` unless the poke may be
    /// its sensor's last, because only that one is reported.
    pub(super) fn of_last_poke(name: impl FnOnce() -> String) -> Option<Self> {
        let asked = engine::current(|attempt| attempt.last_seen.is_some()) == Some(true);
        asked.then(|| Self(name()))
    }

    /// Reports how many objects were found, and their size in all.
    pub(super) fn found(self, objects: usize, bytes: u64) {
        let Self(name) = self;
        // Outside of its attempt, as in a task that the body spawned, there is nobody to report to.
        engine::current(|attempt| {
            let Some(seen) = &attempt.last_seen else { return };
            match objects {
                0 => seen.found_nothing(name),
                1 => seen.found(format!("{name} ({bytes} bytes)")),
                several => seen.found(format!("{name} ({several} objects, {bytes} bytes)")),
            }
        });
    }
}
