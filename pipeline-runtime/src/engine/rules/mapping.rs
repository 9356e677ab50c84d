//! Mappings: a list expands, its elements are activated in its order, and their results are joined.

use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::ExpansionIx;
use super::super::states::NodeState;
use super::RunContext;
use crate::author::notify::Event;

/// The most elements that a mapping may have.
pub(crate) const MAX_ELEMENTS: u32 = 100_000;

impl RunContext<'_> {
    pub(super) fn expand(&mut self, slot: Slot) {
        let width = self.run.list_len(slot).unwrap_or(0);
        match u32::try_from(width) {
            Ok(width) if width <= MAX_ELEMENTS => {
                let first = self.run.slots().end;
                self.record(Record::Unfolded { slot, width });
                self.node_slas(first..self.run.slots().end);
            }
            _ => {
                let error = format!("the list has {width} elements; `.each` takes at most {MAX_ELEMENTS}: divide the list");
                let elements = self.run.open_elements(slot);
                self.fail(slot, error.into());
                for element in elements {
                    self.abort(element);
                    self.record(Record::UpstreamFailed { slot: element, cause: slot });
                    self.callback(element, Event::OnFailure);
                }
            }
        }
    }

    /// Activates the next elements of a mapping, as many as may be active.
    pub(super) fn activate(&mut self, expansion: ExpansionIx) {
        while let Some(element) = self.run.next_element(expansion) {
            self.record(Record::Succeeded { slot: element, output: None });
        }
    }

    /// All elements of a mapping have ended: so does it, by its results.
    pub(super) fn join(&mut self, slot: Slot) {
        if !self.run.is_complete(slot) {
            return;
        }
        let (mut failed, mut skipped) = (None, None);
        for result in self.run.results(slot).into_iter().flatten() {
            match self.run.node(result).state() {
                NodeState::Success => {}
                NodeState::Failed | NodeState::UpstreamFailed => {
                    failed = Some(result);
                    break;
                }
                _ => skipped = skipped.or(Some(result)),
            }
        }
        match (failed, skipped) {
            (Some(cause), _) => self.record(Record::UpstreamFailed { slot, cause }),
            (None, Some(from)) => self.record(Record::Skipped { slot, why: Skip::Upstream(from) }),
            (None, None) => self.record(Record::Succeeded { slot, output: None }),
        }
    }
}
