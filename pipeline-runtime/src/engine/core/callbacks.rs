//! What callbacks are told, and when.

use super::super::record::{Record, Slot};
use super::super::state::NodeState;
use super::Action;
use super::desk::Desk;
use super::timers::Due;
use crate::author::notify::{Event, Notification};
use crate::plan::NotifierIx;
use std::sync::Arc;

/// How many failed nodes a notification names.
const MOST_NAMED: usize = 10;

impl Desk<'_> {
    /// A node came to a state that somebody may want to know of.
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
        let of_node = self.policy(slot).callbacks.iter().filter(|(of, _)| *of == event).map(|(_, notifier)| *notifier);
        // A run has neither retries nor skips, so its pipeline's callbacks for those are told of its nodes'.
        let is_body = self.run.plan().node(self.run.ix(slot)).is_body();
        let of_run = self
            .run
            .plan()
            .run
            .callbacks
            .iter()
            .filter(|(of, _)| is_body && *of == event && matches!(event, Event::OnRetry | Event::OnSkipped));
        let notifiers: Vec<NotifierIx> = of_node.chain(of_run.map(|(_, notifier)| *notifier)).collect();
        if notifiers.is_empty() {
            return;
        }
        let notification = Arc::new(self.about_node(slot, event, error));
        self.due(&notifiers, &notification);
    }

    pub(super) fn run_callback(&mut self, event: Event) {
        let of_event = self.run.plan().run.callbacks.iter().filter(|(of, _)| *of == event);
        let notifiers: Vec<NotifierIx> = of_event.map(|(_, notifier)| *notifier).collect();
        if !notifiers.is_empty() {
            let notification = Arc::new(self.about_run(event));
            self.due(&notifiers, &notification);
        }
    }

    pub(super) fn node_sla(&mut self, slot: Slot) {
        let ended = self.run.state.is_end() || self.run.node(slot).state.is_end();
        if !ended && !self.run.alerts.is_late(&self.run.id(slot)) {
            self.callback(slot, Event::OnSlaMiss);
        }
    }

    pub(super) fn run_sla(&mut self, rung: u32) {
        let notifier = self.run.plan().run.slas.get(rung as usize).map(|(_, notifier)| *notifier);
        if let Some(notifier) = notifier
            && !self.run.state.is_end()
            && rung >= self.run.alerts.rungs()
        {
            let notification = Arc::new(self.about_run(Event::OnSlaMiss));
            self.due(&[notifier], &notification);
        }
    }

    fn due(&mut self, notifiers: &[NotifierIx], notification: &Arc<Notification>) {
        for &notifier in notifiers {
            let id = self.run.alerts.next_id();
            self.record(Record::CallbackDue { id, notifier, notification: Arc::clone(notification) });
        }
        self.tell();
    }

    /// Tells those who are to be told and are not being told yet.
    pub(super) fn tell(&mut self) {
        for (id, notifier, notification) in self.run.alerts.take_tellable(self.now) {
            self.act(Action::Tell { run: self.ix, id, notifier, notification });
        }
    }

    /// A notifier has come to its end.
    pub(super) fn told(&mut self, id: u32, result: Result<(), String>) {
        match result {
            Ok(()) => self.record(Record::CallbackTold { id }),
            Err(error) => {
                let next = self.run.alerts.next_try(id, self.now);
                self.record(Record::CallbackFailed { id, next, error: error.into() });
                if let Some(next) = next {
                    self.timer(next, Due::Callback(id));
                }
            }
        }
        self.tell();
    }

    fn about_run(&self, event: Event) -> Notification {
        let error = (event == Event::OnFailure).then(|| self.failed_nodes()).flatten();
        Notification { error, ..self.notification(event) }
    }

    /// Names the nodes that failed, if any did.
    fn failed_nodes(&self) -> Option<String> {
        let mut failed = (0..).zip(&self.run.nodes).filter(|(_, node)| node.state == NodeState::Failed).map(|(slot, _)| slot);
        let named: Vec<String> = failed.by_ref().take(MOST_NAMED).map(|slot| self.run.id(slot)).collect();
        let more = match failed.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!named.is_empty()).then(|| format!("failed: {}{more}", named.join(", ")))
    }

    fn notification(&self, event: Event) -> Notification {
        let info = &self.run.spec.info;
        Notification {
            event,
            pipeline: info.pipeline.clone(),
            run_id: info.run_id.clone(),
            logical_date: info.interval.start,
            at: self.now.to_utc(),
            node: None,
            state: Some(self.run.state.name().to_owned()),
            attempt: None,
            attempts: None,
            pokes: None,
            error: None,
            elapsed: Some(self.now.since(self.run.started)),
            budget_left: None,
            inputs: Vec::new(),
        }
    }

    fn about_node(&self, slot: Slot, event: Event, error: Option<&str>) -> Notification {
        let (node, policy, id) = (self.run.node(slot), self.policy(slot), self.run.id(slot));
        let more = node.more.as_ref();
        let failure = node.failure();
        let of_upstream = |failure: &crate::Failure| match node.state {
            NodeState::UpstreamFailed => format!("`{}` failed: {}", failure.node(), failure.error()),
            _ => failure.error().to_owned(),
        };
        let state = if event == Event::OnRetry { NodeState::UpForRetry } else { node.state };
        Notification {
            state: Some(state.name().to_owned()),
            attempt: Some(node.attempt()),
            attempts: Some(policy.retries + 1),
            pokes: policy.sensor.as_ref().map(|_| more.map_or(0, |more| more.pokes)),
            error: error.map(str::to_owned).or_else(|| failure.map(of_upstream)),
            elapsed: node.first_start.get().map(|start| self.now.since(start)),
            budget_left: policy.sensor.as_ref().and_then(|sensor| node.budget_left(sensor, self.now)),
            inputs: self.run.plan().texts(self.run.ix(slot), &self.run.spec.info, &id, node.attempt()),
            node: Some(id),
            ..self.notification(event)
        }
    }
}
