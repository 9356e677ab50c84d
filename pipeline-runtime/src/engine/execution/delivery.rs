use crate::plan::NotifierIx;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// The callbacks of one run that are still to be delivered, in order for each notifier.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    queues: BTreeMap<NotifierIx, Queue>,
    /// When this process tries callbacks that an earlier process left, if that is sooner than their next try.
    taken_up: BTreeMap<u32, Timestamp>,
}

#[derive(Debug, Default)]
struct Queue {
    ids: VecDeque<u32>,
    /// The first is being delivered.
    is_under_way: bool,
}

impl Delivery {
    /// Queues a callback.
    pub(crate) fn push(&mut self, notifier: NotifierIx, id: u32) {
        self.queues.entry(notifier).or_default().ids.push_back(id);
    }

    /// Lets a callback that another process left be tried at `at`, if it is not due earlier.
    pub(crate) fn take_up(&mut self, id: u32, at: Timestamp) {
        self.taken_up.insert(id, at);
    }

    /// Starts and returns the first callback of each notifier that has none under way, if that callback is due or taken up by
    /// now.
    pub(crate) fn begin(&mut self, now: Timestamp, is_due: impl Fn(u32) -> bool) -> Vec<(NotifierIx, u32)> {
        let Self { queues, taken_up } = self;
        let may = |id| is_due(id) || taken_up.get(&id).is_some_and(|at| *at <= now);
        let mut begun = Vec::new();
        for (notifier, queue) in queues {
            if let Some(&id) = queue.ids.front()
                && !queue.is_under_way
                && may(id)
            {
                queue.is_under_way = true;
                begun.push((*notifier, id));
            }
        }
        begun
    }

    /// Ends a delivery. With `again` it stays queued for another try.
    pub(crate) fn end(&mut self, id: u32, again: bool) {
        self.taken_up.remove(&id);
        if let Some(queue) = self.queues.values_mut().find(|queue| queue.ids.front() == Some(&id)) {
            queue.is_under_way = false;
            if !again {
                queue.ids.pop_front();
            }
        }
    }
}
