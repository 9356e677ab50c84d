//! The history of a run's callbacks.

use crate::author::notify::{Event, Notification};
use std::collections::VecDeque;
use std::time::Duration;

/// The history of one callback.
#[derive(Debug, Clone)]
pub(crate) struct CallbackHistory {
    pub(crate) id: u32,
    pub(crate) event: Event,
    pub(crate) notifier: String,
    pub(crate) node: Option<String>,
    pub(crate) at: Duration,
    pub(crate) delivered_at: Option<Duration>,
    pub(crate) tries: u32,
    /// No further delivery is tried.
    pub(crate) given_up: bool,
}

impl CallbackHistory {
    fn is_open(&self) -> bool {
        self.delivered_at.is_none() && !self.given_up
    }
}

/// A run's callbacks, in the order in which they became due.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callbacks {
    list: VecDeque<CallbackHistory>,
    /// How many delivered or abandoned callbacks were dropped from the list.
    dropped: usize,
}

impl Callbacks {
    pub(super) fn due(&mut self, id: u32, notifier: String, notification: &Notification, at: Duration) {
        let (event, node) = (notification.event, notification.node.clone());
        self.list.push_back(CallbackHistory { id, event, notifier, node, at, delivered_at: None, tries: 0, given_up: false });
    }

    pub(super) fn delivered(&mut self, id: u32, at: Duration) {
        if let Some(callback) = self.find_mut(id) {
            callback.tries += 1;
            callback.delivered_at = Some(at);
        }
    }

    pub(super) fn failed(&mut self, id: u32, is_last: bool) {
        if let Some(callback) = self.find_mut(id) {
            callback.tries += 1;
            callback.given_up |= is_last;
        }
    }

    /// Drops the oldest settled callbacks until at most `most` are left, or none is settled.
    pub(super) fn limit_to(&mut self, most: usize) {
        while self.list.len() > most
            && let Some(oldest) = self.list.iter().position(|callback| !callback.is_open())
        {
            self.list.remove(oldest);
            self.dropped += 1;
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &CallbackHistory> {
        self.list.iter()
    }

    /// Returns the number of dropped callbacks.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// Returns the callbacks that are neither delivered nor given up.
    pub(crate) fn open(&self) -> impl Iterator<Item = &CallbackHistory> {
        self.list.iter().filter(|callback| callback.is_open())
    }

    pub(crate) fn find(&self, id: u32) -> Option<&CallbackHistory> {
        // Ids are assigned in order.
        self.list.binary_search_by_key(&id, |callback| callback.id).ok().map(|at| &self.list[at])
    }

    fn find_mut(&mut self, id: u32) -> Option<&mut CallbackHistory> {
        self.list.binary_search_by_key(&id, |callback| callback.id).ok().map(|at| &mut self.list[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_are_settled_are_forgotten_and_the_open_ones_never() {
        let notification = Notification::for_test(crate::Event::OnSuccess).with_run_id("nightly", "run");
        let mut callbacks = Callbacks::default();
        for id in 0..10 {
            callbacks.due(id, "pager".into(), &notification, Duration::ZERO);
            match id {
                0 | 4 => {}
                1 => callbacks.failed(id, true),
                _ => callbacks.delivered(id, Duration::ZERO),
            }
            callbacks.limit_to(4);
        }
        let ids: Vec<u32> = callbacks.iter().map(|callback| callback.id).collect();
        assert_eq!((ids, callbacks.dropped()), (vec![0, 4, 8, 9], 6));
        assert!(callbacks.find(4).is_some_and(|callback| callback.tries == 0) && callbacks.find(5).is_none());
    }
}
