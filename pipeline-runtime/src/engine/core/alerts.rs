//! Callbacks: who is to be told what, until they were.
//!
//! A callback is recorded as due before anybody is told, so that a crash cannot lose it. Those of one run to one notifier are
//! told in the order in which they became due; the run itself never waits.

use super::super::record::{Entry, Record};
use crate::author::notify::{Event, Notification};
use crate::plan::NotifierIx;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long somebody who cannot be told is tried again.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

#[derive(Debug, Default)]
pub(crate) struct Alerts {
    due: BTreeMap<u32, DueCallback>,
    /// The due callbacks of each notifier, in order.
    queues: BTreeMap<NotifierIx, VecDeque<u32>>,
    next_id: u32,
    /// How many rungs of the run's ladder were climbed, and which nodes missed their SLA: each fires once in a run's life.
    rungs: u32,
    late: BTreeSet<String>,
}

/// Somebody is to be told.
#[derive(Debug, Clone)]
pub(crate) struct DueCallback {
    pub(crate) notifier: NotifierIx,
    pub(crate) notification: Arc<Notification>,
    since: Timestamp,
    tries: u32,
    next: Option<Timestamp>,
    in_flight: bool,
}

impl Alerts {
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
    }

    pub(crate) fn apply(&mut self, entry: &Entry) {
        match &entry.record {
            Record::CallbackDue { id, notifier, notification } => {
                self.next_id = self.next_id.max(*id + 1);
                match (notification.event, &notification.node) {
                    (Event::OnSlaMiss, Some(node)) => drop(self.late.insert(node.clone())),
                    (Event::OnSlaMiss, None) => self.rungs += 1,
                    _ => {}
                }
                let notification = Arc::clone(notification);
                let (notifier, since) = (*notifier, entry.at);
                self.queues.entry(notifier).or_default().push_back(*id);
                self.due.insert(*id, DueCallback { notifier, notification, since, tries: 0, next: None, in_flight: false });
            }
            Record::CallbackFailed { id, next: Some(next), error: _ } => {
                if let Some(due) = self.due.get_mut(id) {
                    due.tries += 1;
                    due.next = Some(*next);
                    due.in_flight = false;
                }
            }
            Record::CallbackTold { id } | Record::CallbackFailed { id, next: None, .. } => {
                if let Some(queue) = self.due.remove(id).and_then(|due| self.queues.get_mut(&due.notifier)) {
                    // Only the first is ever told.
                    queue.pop_front();
                }
            }
            _ => {}
        }
    }

    /// Those that nobody is being told yet, the first of each notifier alone, if it is not waiting for another try.
    pub(crate) fn take_tellable(&mut self, now: Timestamp) -> Vec<(u32, NotifierIx, Arc<Notification>)> {
        let mut tellable = Vec::new();
        for first in self.queues.values().filter_map(VecDeque::front) {
            if let Some(due) = self.due.get_mut(first)
                && !due.in_flight
                && due.next.is_none_or(|next| next <= now)
            {
                due.in_flight = true;
                tellable.push((*first, due.notifier, Arc::clone(&due.notification)));
            }
        }
        tellable
    }

    /// How many rungs of the run's ladder were climbed.
    pub(crate) fn rungs(&self) -> u32 {
        self.rungs
    }

    /// Whether the node of that id has missed its SLA already.
    pub(crate) fn is_late(&self, id: &str) -> bool {
        self.late.contains(id)
    }

    /// When to try again after a failure; `None` when to give up.
    pub(crate) fn next_try(&self, id: u32, now: Timestamp) -> Option<Timestamp> {
        let due = self.due.get(&id)?;
        let wait = FIRST_WAIT.saturating_mul(2u32.saturating_pow(due.tries)).min(LONGEST_WAIT);
        let next = now + wait;
        (next.since(due.since) <= GIVE_UP_AFTER).then_some(next)
    }

    /// When each that waits for another try is due.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (u32, Timestamp)> {
        self.due.iter().filter_map(|(id, due)| Some((*id, due.next?)))
    }

    /// What nobody has been told yet, in order.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &DueCallback> {
        self.due.values()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}
