//! Lists are inspected independently of their runs, because the inspection is user code.

use super::Engine;
use super::engine::drop_quietly;
use crate::author::keys::{ListInspection, ListSummary};

impl Engine {
    /// Inspects a list, on a task of its own.
    pub(super) fn look_at(&self, number: u64, look: ListInspection) {
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let seen = engine.within(|| look.inspect());
            drop_quietly(look);
            engine.looked(number, seen);
        }));
    }

    fn looked(&self, number: u64, seen: Result<ListSummary, String>) {
        if self.0.interceptor.is_some() {
            return self.put_seen(number, seen);
        }
        let now = self.clock().now();
        self.locked(|state| {
            self.answer_queued(state);
            if !state.stopped {
                state.core.looked(number, seen, now);
            }
            self.flush(state);
        });
    }
}
