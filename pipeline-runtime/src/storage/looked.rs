//! What a sensor's last poke looks for, which its timeout names.

use crate::engine;

/// A look of a poke that may be its sensor's last.
pub(super) struct Looked(String);

impl Looked {
    /// `name` is what is looked for, with its bucket; a glob where it is more than one key. Of all but the last poke nobody asks.
    pub(super) fn here(name: impl FnOnce() -> String) -> Option<Self> {
        let asked = engine::current(|attempt| attempt.last_seen.is_some()) == Some(true);
        asked.then(|| Self(name()))
    }

    /// So many objects, of so many bytes in all.
    pub(super) fn found(self, objects: usize, bytes: u64) {
        let Self(name) = self;
        // Where the body looks outside of its attempt, as a task that it spawned does, nobody is told.
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
