//! Due callbacks: which notifier must be notified of what, until it has been.
//!
//! A callback is recorded as due before its notifier is called, so that a crash cannot lose it. The callbacks of one run to one
//! notifier are delivered in the order in which they became due. The run itself never waits for them.

use super::super::log::{Entry, Record};
use crate::author::notify::{Event, Notification};
use crate::plan::Recipient;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// A restarted process tries again within this time: the failure may have been fixed, and a process with nothing else to do ends
/// after half a minute.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(10);
/// The longest wait that a notifier may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// How long a failing notifier is tried again.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    due: BTreeMap<u32, DueCallback>,
    next_id: u32,
    /// The number of steps of the run's SLA escalation that have fired, and the nodes that missed their SLA. Each fires once in a run's
    /// life.
    escalations: u32,
    late: BTreeSet<String>,
}

/// A notification that is still to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct DueCallback {
    pub(crate) recipient: Recipient,
    pub(crate) notification: Arc<Notification>,
    since: Timestamp,
    tries: u32,
    /// When the next try is due, after one that failed.
    pub(crate) next: Option<Timestamp>,
    /// The notifier asked not to be called earlier.
    is_asked: bool,
}

impl DueCallback {
    /// When a process that takes the callback over tries it: within [`TAKEN_UP_WITHIN`], however long the last process was going
    /// to wait, unless the notifier asked for that wait.
    pub(crate) fn taken_up(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.next?;
        Some(if self.is_asked { next } else { next.min(now + TAKEN_UP_WITHIN) })
    }
}

/// The wait after that many failed tries, unless the notifier asks for a longer one.
fn wait(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2u32.saturating_pow(tries)).min(LONGEST_WAIT)
}

impl Callbacks {
    pub(super) fn apply(&mut self, entry: &Entry) {
        match &entry.record {
            Record::CallbackDue { id, recipient, notification } => {
                self.next_id = self.next_id.max(id.saturating_add(1));
                match (notification.event, &notification.node) {
                    (Event::OnSlaMiss, Some(node)) => drop(self.late.insert(node.clone())),
                    (Event::OnSlaMiss, None) => self.escalations += 1,
                    _ => {}
                }
                let (recipient, notification) = (recipient.clone(), Arc::clone(notification));
                self.due
                    .insert(*id, DueCallback { recipient, notification, since: entry.at, tries: 0, next: None, is_asked: false });
            }
            Record::CallbackFailed { id, next: Some(next), error: _ } => {
                if let Some(due) = self.due.get_mut(id) {
                    due.is_asked = next.since(entry.at) > wait(due.tries);
                    due.tries += 1;
                    due.next = Some(*next);
                }
            }
            Record::CallbackTold { id } | Record::CallbackFailed { id, next: None, .. } => drop(self.due.remove(id)),
            _ => {}
        }
    }

    /// The run starts another life, and its SLA escalation starts from the first step.
    pub(super) fn reopened(&mut self) {
        self.escalations = 0;
    }

    /// A node was retried, and its SLA counts from then on.
    pub(super) fn cleared(&mut self, id: impl FnOnce() -> String) {
        if !self.late.is_empty() {
            self.late.remove(&id());
        }
    }

    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
    }

    /// The due callbacks, in the order in which they became due.
    pub(crate) fn due(&self) -> impl Iterator<Item = (u32, &DueCallback)> {
        self.due.iter().map(|(id, due)| (*id, due))
    }

    pub(crate) fn get(&self, id: u32) -> Option<&DueCallback> {
        self.due.get(&id)
    }

    /// The number of steps of the run's SLA escalation that have fired.
    pub(crate) fn escalations(&self) -> u32 {
        self.escalations
    }

    /// True if the node of that id has already missed its SLA.
    pub(crate) fn is_late(&self, id: &str) -> bool {
        self.late.contains(id)
    }

    /// When to try again after a failure, if the notifier asked for a pause of `after`; `None` to give up.
    pub(crate) fn next_try(&self, id: u32, now: Timestamp, after: Option<Duration>) -> Option<Timestamp> {
        let due = self.due.get(&id)?;
        let next = now + wait(due.tries).max(after.unwrap_or_default().min(LONGEST_ASKED));
        (next.since(due.since) <= GIVE_UP_AFTER).then_some(next)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}
