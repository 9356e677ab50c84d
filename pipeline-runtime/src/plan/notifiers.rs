//! The notifiers of an event, and how a journal names them.
//!
//! A notification that is due may be delivered by a later process, whose code has other callbacks. So the journal records its
//! recipient as a [`Recipient`]: the notifier's label and its position among the callbacks for that event. It never records the
//! index in the plan, which changes when a callback is added elsewhere.

use super::graph::{NodeIx, Plan};
use super::policy::NotifierIx;
use super::problem::Problem;
use crate::author::notify::{Event, Notify};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One of a plan's notifiers.
#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    /// The [`Notify::label`] when the plan was built. It calls the user's code, so the engine does not call it again.
    pub(crate) label: Arc<str>,
    pub(crate) notify: Arc<dyn Notify>,
}

/// The recipient of a notification, as a journal names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipient {
    /// The notifier's label; `None` in a journal of a version that recorded only the index.
    pub(crate) label: Option<Arc<str>>,
    /// Its position among the notifiers for the same event of the same node, or of the run. In a journal without labels, its
    /// index in the plan of that time.
    pub(crate) position: u32,
    /// True if another of the plan's notifiers had the same label, such as one of the same type with different fields: then only
    /// the position distinguishes them.
    pub(crate) is_one_of_several: bool,
}

/// Reports the mistakes of notifiers.
pub(super) fn check(plan: &Plan, problems: &mut Vec<Problem>) {
    for Notifier { label, notify } in &plan.notifiers {
        let mistakes = notify.mistakes().into_iter();
        problems.extend(
            mistakes.map(|mistake| Problem::new(format!("the notifier `{label}` cannot deliver notifications"), mistake)),
        );
    }
}

impl Plan {
    /// Reports the mistakes of notifiers in the values of their secrets in this process.
    pub(crate) fn wrong_values(&self) -> Vec<String> {
        let of = |Notifier { label, notify }: &Notifier| -> Vec<String> {
            let wrong = notify.mistakes_of_values().into_iter();
            wrong
                .map(|mistake| {
                    format!("the notifier `{label}` of pipeline `{}` cannot deliver notifications: {mistake}", self.pipeline)
                })
                .collect()
        };
        self.notifiers.iter().flat_map(of).collect()
    }

    /// The notifiers of an event of a node, or of the run, in the order in which the callbacks were given.
    pub(crate) fn recipients(&self, event: Event, node: Option<NodeIx>) -> Vec<NotifierIx> {
        let of = |callbacks: &[(Event, NotifierIx)]| -> Vec<NotifierIx> {
            callbacks.iter().filter(|(of, _)| *of == event).map(|(_, notifier)| *notifier).collect()
        };
        match node {
            None if event == Event::OnSlaMiss => self.run.slas.iter().map(|(_, notifier)| *notifier).collect(),
            None => of(&self.run.callbacks),
            Some(node) if self.is_past(node) => Vec::new(),
            Some(node) => {
                let mut notifiers = of(&self.policy(node).callbacks);
                // A run itself is never retried, skipped or `upstream_failed`, so the pipeline's callbacks for these events apply
                // to its nodes.
                if self.node(node).is_body() && matches!(event, Event::OnRetry | Event::OnSkipped | Event::OnUpstreamFailed) {
                    notifiers.extend(of(&self.run.callbacks));
                }
                notifiers
            }
        }
    }

    /// The name by which a journal identifies the notifier at that position.
    pub(crate) fn recipient(&self, notifier: NotifierIx, position: u32) -> Recipient {
        let label = self.notifiers.get(notifier as usize).map(|notifier| Arc::clone(&notifier.label));
        let alike = self.notifiers.iter().filter(|known| label.as_ref() == Some(&known.label)).count();
        Recipient { label, position, is_one_of_several: alike > 1 }
    }

    /// The notifier that a journal names; `None` if this plan no longer has it.
    pub(crate) fn find_recipient(&self, recipient: &Recipient, event: Event, node: Option<NodeIx>) -> Option<NotifierIx> {
        let here = self.recipients(event, node);
        let Some(label) = &recipient.label else {
            return Some(recipient.position).filter(|index| here.contains(index));
        };
        let is_named = |ix: &NotifierIx| self.notifiers.get(*ix as usize).is_some_and(|known| known.label == *label);
        let at_its_place = here.get(recipient.position as usize).copied().filter(is_named);
        if at_its_place.is_some() || recipient.is_one_of_several {
            return at_its_place;
        }
        // Its position, event or level has changed: if the label is unique, no other notifier can be meant.
        let only = |mut named: Box<dyn Iterator<Item = NotifierIx> + '_>| named.next().filter(|_| named.next().is_none());
        only(Box::new(here.into_iter().filter(is_named)))
            .or_else(|| only(Box::new((0..).take(self.notifiers.len()).filter(is_named))))
    }
}
