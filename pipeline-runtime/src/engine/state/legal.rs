//! What may happen to a node in which state.
//!
//! A live run records nothing else, which builds with debug assertions check. A journal with other records was written by
//! something else, or by a faulty version. Its run is refused, instead of reaching a state that no run can have.

use super::super::ids::{Keys, Slot};
use super::super::log::Record;
use super::super::states::NodeState;
use super::run::Run;
use std::collections::HashSet;

/// A record that contradicts those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record says that {what}, which contradicts the records before it")]
pub(crate) struct Illegal {
    what: String,
}

impl Illegal {
    fn new(what: String) -> Self {
        Self { what }
    }
}

impl Run {
    /// Checks that a record may follow the records so far.
    pub(crate) fn check(&self, record: &Record) -> Result<(), Illegal> {
        use NodeState::{None, Running, Scheduled, UpForReschedule, UpForRetry};
        match record {
            Record::Started { slot, .. } => {
                // In mode `poke` a sensor is running between pokes, too.
                let is_due = |state| match state {
                    Running => self.node(*slot).next().is_some(),
                    // The plan under which it was started may not have had the inputs that it waits for now.
                    state => matches!(state, None | Scheduled | UpForRetry | UpForReschedule),
                };
                // Only teardowns start while a run is ending, but the plan of that time decided which nodes those are.
                self.allow(*slot, "is started", |run| run.is_body(*slot), is_due)
            }
            Record::NotYet { slot, .. } => {
                let is_sensor = |run: &Self| run.plan().policy(run.ix(*slot)).sensor.is_some();
                self.allow(*slot, "is not ready", is_sensor, |state| state == Running)
            }
            Record::Retrying { slot, .. } => {
                // A sensor's budget may end between two pokes.
                self.allow(*slot, "is retried", |run| run.is_body(*slot), NodeState::is_under_way)
            }
            Record::Interrupted { slot, .. } => {
                self.allow(*slot, "is interrupted", |run| run.is_body(*slot), |state| state == Running)
            }
            Record::Unfolded { slot, width, keys } => {
                let distinct = |keys: &Keys| keys.iter().collect::<HashSet<_>>().len();
                if keys.as_ref().is_some_and(|keys| keys.len() != *width as usize || distinct(keys) < keys.len()) {
                    return Err(Illegal::new(format!("node {slot} expands to {width} elements of other keys")));
                }
                self.allow(*slot, "expands", |run| run.each(*slot).is_some(), |state| matches!(state, None | Scheduled))
            }
            Record::Succeeded { slot, output: Some(_) } => {
                self.allow(*slot, "succeeds", |run| run.is_body(*slot), |state| state == Running)
            }
            Record::Succeeded { slot, output: Option::None } => {
                self.allow(*slot, "passes", |run| !run.is_body(*slot), |state| !state.is_end())
            }
            Record::Failed { slot, .. } => {
                // A mapping whose list is too long fails, too.
                let may = |run: &Self| run.is_body(*slot) || run.each(*slot).is_some();
                let from = |state: NodeState| state.is_under_way() || matches!(state, Scheduled | None);
                self.allow(*slot, "fails", may, from)
            }
            Record::Skipped { slot, .. } => self.allow(*slot, "is skipped", |_| true, |state| !state.is_end()),
            Record::UpstreamFailed { slot, cause } => {
                self.allow(*cause, "is a cause", |_| true, |_| true)?;
                self.allow(*slot, "is upstream_failed", |_| true, |state| !state.is_end())
            }
            Record::Cleared { .. } if self.ending.is_some() && !self.state.is_end() => {
                Err(Illegal::new("nodes are cleared while the run is ending".to_owned()))
            }
            Record::Cleared { slots } => slots.iter().try_for_each(|slot| {
                // A cleared node has ended, or waits for nodes that are cleared with it.
                let may = |state: NodeState| state != NodeState::Removed && !(state.is_under_way() && self.is_body(*slot));
                self.allow(*slot, "is cleared", |_| true, may)
            }),
            Record::RunEnded { state } if self.state.is_end() || !state.is_end() => {
                Err(Illegal::new(format!("the run is {state} while it is {}", self.state)))
            }
            Record::Ending { state } if self.state.is_end() || self.ending.is_some() || !state.is_end() => {
                Err(Illegal::new(format!("the run is to be {state} while it is {}", self.state)))
            }
            Record::Ending { .. }
            | Record::RunEnded { .. }
            | Record::CallbackDue { .. }
            | Record::CallbackTold { .. }
            | Record::CallbackFailed { .. } => Ok(()),
        }
    }

    fn allow(
        &self,
        slot: Slot,
        what: &str,
        kind: impl Fn(&Self) -> bool,
        from: impl Fn(NodeState) -> bool,
    ) -> Result<(), Illegal> {
        let Some(node) = self.nodes.get(slot as usize) else {
            return Err(Illegal::new(format!("node {slot} of {} {what}", self.nodes.len())));
        };
        let is_kind = kind(self);
        if is_kind && from(node.state) {
            return Ok(());
        }
        let of = if is_kind { "" } else { ", a node of another kind," };
        Err(Illegal::new(format!("`{}`{of} {what} while it is {}", self.id(slot), node.state)))
    }
}
