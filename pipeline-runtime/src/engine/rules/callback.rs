//! Callbacks: who is notified of what, and when a notification is delivered.
//!
//! A due callback is recorded under the notifier's stable name. The process that delivers it looks that name up in its own plan.
//! If the name is missing there, the process gives the callback up and records that reason.

use super::super::effects::{Action, DeliveryError};
use super::super::execution::Timer;
use super::super::ids::Slot;
use super::super::log::Record;
use super::super::states::NodeState;
use super::RunContext;
use crate::author::error::cut;
use crate::author::keys::without_key;
use crate::author::notify::{Event, Notification};
use crate::plan::NotifierIx;
use pipeline_syntax::duration;
use std::sync::Arc;

/// The most failed nodes that a notification names.
const MOST_NAMED: usize = 10;
/// The most bytes of each node's error, so that the errors of all fit together.
const MOST_OF_AN_ERROR: usize = 1000;

impl RunContext<'_> {
    /// A node has reached a state that notifiers may be registered for.
    #[inline]
    pub(super) fn callback(&mut self, slot: Slot, event: Event) {
        self.callback_with(slot, event, None);
    }

    #[inline]
    pub(super) fn callback_with(&mut self, slot: Slot, event: Event, error: Option<&str>) {
        if !self.run.plan().notifiers.is_empty() {
            self.call_back(slot, event, error);
        }
    }

    fn call_back(&mut self, slot: Slot, event: Event, error: Option<&str>) {
        let recipients = self.run.plan().recipients(event, Some(self.run.ix(slot)));
        if !recipients.is_empty() {
            let notification = Arc::new(self.about_node(slot, event, error));
            self.due(&positions(recipients), &notification);
        }
    }

    /// Notifies of failures that an earlier process recorded without notifying anybody.
    #[cfg(feature = "airflow")]
    pub(crate) fn notify_failures(&mut self, failed: &[Slot]) {
        for &slot in failed {
            if self.run.is_body(slot) {
                self.callback(slot, Event::OnFailure);
            }
        }
    }

    pub(super) fn run_callback(&mut self, event: Event) {
        let recipients = self.run.plan().recipients(event, None);
        if !recipients.is_empty() {
            let notification = Arc::new(self.about_run(event));
            self.due(&positions(recipients), &notification);
        }
    }

    /// Makes a notification due for notifiers, each with its position among those for the event.
    pub(super) fn due(&mut self, notifiers: &[(NotifierIx, u32)], notification: &Arc<Notification>) {
        for &(notifier, position) in notifiers {
            let id = self.run.callbacks().next_id();
            let recipient = self.run.plan().recipient(notifier, position);
            self.record(Record::CallbackDue { id, recipient, notification: Arc::clone(notification) });
            self.delivery.push(notifier, id);
        }
        self.deliver();
    }

    /// Delivers the callbacks that are due and not under way.
    pub(crate) fn deliver(&mut self) {
        let (callbacks, now) = (self.run.callbacks(), self.now);
        let is_due = |id| callbacks.get(id).is_some_and(|due| due.next.is_none_or(|next| next <= now));
        for (notifier, id) in self.delivery.begin(now, is_due) {
            if let Some(notification) = self.run.callbacks().get(id).map(|due| Arc::clone(&due.notification)) {
                self.act(Action::Deliver { run: self.ix, id, notifier, notification });
            }
        }
    }

    /// Takes over the deliveries that earlier processes left.
    pub(super) fn resume_deliveries(&mut self) {
        let mut given_up = Vec::new();
        let due: Vec<_> = self.run.callbacks().due().map(|(id, due)| (id, due.clone())).collect();
        for (id, due) in due {
            let plan = self.run.plan();
            let node = due.notification.node.as_deref().map(|id| plan.find(without_key(id)));
            // Nobody is notified about a node that no longer exists.
            let notifier = match node {
                Some(None) => None,
                node => plan.find_recipient(&due.recipient, due.notification.event, node.flatten()),
            };
            match notifier {
                Some(notifier) => {
                    self.delivery.push(notifier, id);
                    if let Some(at) = due.taken_up(self.now) {
                        self.delivery.take_up(id, at);
                        self.timer(at.max(self.now), Timer::Callback(id));
                    }
                }
                None => given_up.push((id, due.recipient.label)),
            }
        }
        for (id, label) in given_up {
            let who = label.map_or_else(|| "the notifier".into(), |label| format!("the notifier `{label}`"));
            let error = format!("{who} is no longer among the callbacks for this event, since the code has changed");
            self.record(Record::CallbackFailed { id, next: None, error: error.into() });
        }
        self.deliver();
    }

    /// A delivery has ended.
    pub(crate) fn delivered(&mut self, id: u32, result: Result<(), DeliveryError>) {
        match result {
            Ok(()) => {
                self.delivery.end(id, false);
                self.record(Record::CallbackTold { id });
            }
            Err(DeliveryError { error, after, is_final }) => {
                let next = if is_final { None } else { self.run.callbacks().next_try(id, self.now, after) };
                self.delivery.end(id, next.is_some());
                self.record(Record::CallbackFailed { id, next, error: cut(error).into() });
                if let Some(next) = next {
                    self.timer(next, Timer::Callback(id));
                }
            }
        }
        self.deliver();
    }

    pub(super) fn about_run(&self, event: Event) -> Notification {
        let error = (event == Event::OnFailure).then(|| self.failed_nodes().or_else(|| self.ran_out_of_time())).flatten();
        Notification { error, ..self.notification(event) }
    }

    /// Returns the failed nodes and their errors, if there are any.
    fn failed_nodes(&self) -> Option<String> {
        let mut failed = self.run.slots().filter(|&slot| self.run.node(slot).state() == NodeState::Failed);
        let why = |slot| {
            let error = self.run.node(slot).failure().map_or("", |failure| failure.error());
            let end = error.floor_char_boundary(MOST_OF_AN_ERROR);
            format!("`{}` failed: {}{}", self.run.id(slot), &error[..end], if end < error.len() { "…" } else { "" })
        };
        let named: Vec<String> = failed.by_ref().take(MOST_NAMED).map(why).collect();
        let more = match failed.count() {
            0 => String::new(),
            more => format!("; and {more} more failed"),
        };
        (!named.is_empty()).then(|| format!("{}{more}", named.join("; ")))
    }

    /// Returns the error of a run that failed although none of its nodes did.
    fn ran_out_of_time(&self) -> Option<String> {
        let limit = self.run.plan().run.timeout?;
        Some(format!("it took longer than its `timeout` of {}", duration::show(limit)))
    }

    fn notification(&self, event: Event) -> Notification {
        let info = &self.run.spec().info;
        Notification {
            event,
            pipeline: info.pipeline.clone(),
            run_id: info.run_id.clone(),
            logical_date: info.interval.start,
            at: self.now.to_utc(),
            node: None,
            state: Some(self.run.state().name().to_owned()),
            attempt: None,
            attempts: None,
            pokes: None,
            error: None,
            elapsed: Some(self.now.since(self.run.began())),
            budget_left: None,
            inputs: Vec::new(),
            run: None,
        }
    }

    fn about_node(&self, slot: Slot, event: Event, error: Option<&str>) -> Notification {
        let (node, policy, id) = (self.run.node(slot), self.policy(slot), self.run.id(slot));
        let failure = node.failure();
        let of_upstream = |failure: &crate::Failure| match node.state() {
            NodeState::UpstreamFailed => format!("`{}` failed: {}", failure.node(), failure.error()),
            _ => failure.error().to_owned(),
        };
        let state = if event == Event::OnRetry { NodeState::UpForRetry } else { node.state() };
        Notification {
            state: Some(state.name().to_owned()),
            attempt: Some(node.attempt()),
            attempts: Some(policy.retries.saturating_add(1)),
            pokes: policy.sensor.as_ref().map(|_| node.pokes()),
            error: error.map(str::to_owned).or_else(|| failure.map(of_upstream)).map(cut),
            elapsed: node.first_start().map(|start| self.now.since(start)),
            budget_left: policy.sensor.as_ref().and_then(|sensor| node.budget_left(sensor, self.now)),
            inputs: self.run.plan().texts(self.run.ix(slot), &self.run.spec().info, &id, node.attempt()),
            node: Some(id),
            ..self.notification(event)
        }
    }
}

/// Pairs notifiers with their positions in the list.
fn positions(recipients: Vec<NotifierIx>) -> Vec<(NotifierIx, u32)> {
    recipients.into_iter().zip(0..).collect()
}
