use crate::plan::NotifierIx;
use std::collections::{BTreeMap, VecDeque};

/// The callbacks of one run that are to be delivered, in the order of each notifier.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    queues: BTreeMap<NotifierIx, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    ids: VecDeque<u32>,
    /// The first is being delivered.
    is_under_way: bool,
}

impl Delivery {
    /// A callback is due.
    pub(crate) fn push(&mut self, notifier: NotifierIx, id: u32) {
        self.queues.entry(notifier).or_default().ids.push_back(id);
    }

    /// The first of each notifier that is not being delivered yet, if `may` allows it; they are from now on.
    pub(crate) fn begin(&mut self, may: impl Fn(u32) -> bool) -> Vec<(NotifierIx, u32)> {
        let mut begun = Vec::new();
        for (notifier, queue) in &mut self.queues {
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

    /// A delivery has come to its end; with `again` it is tried once more.
    pub(crate) fn end(&mut self, id: u32, again: bool) {
        if let Some(queue) = self.queues.values_mut().find(|queue| queue.ids.front() == Some(&id)) {
            queue.is_under_way = false;
            if !again {
                queue.ids.pop_front();
            }
        }
    }
}
