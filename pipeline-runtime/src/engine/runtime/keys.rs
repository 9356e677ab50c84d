//! The keys of lists are made apart from their runs: what makes them is the user's code.

use super::super::ids::Keys;
use super::Engine;
use super::engine::drop_quietly;
use crate::author::keys::ElementKeys;
use crate::author::value::Value;

impl Engine {
    /// Makes the keys of a list, on a task of its own.
    pub(super) fn make_keys(&self, number: u64, keys: ElementKeys, list: Value) {
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let made = engine.within(|| keys.of(&list));
            drop(list);
            drop_quietly(keys);
            engine.keys_made(number, made);
        }));
    }

    fn keys_made(&self, number: u64, keys: Result<Keys, String>) {
        if self.0.interceptor.is_some() {
            return self.put_keys(number, keys);
        }
        let now = self.clock().now();
        self.locked(|state| {
            self.answer_queued(state);
            if !state.stopped {
                state.core.keys_made(number, keys, now);
            }
            self.flush(state);
        });
    }
}
