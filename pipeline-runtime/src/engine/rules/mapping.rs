//! Mappings: a list expands, its elements are activated in its order, and their results are joined.

use super::super::ids::Slot;
use super::super::log::{Record, Skip};
use super::super::state::ExpansionIx;
use super::super::states::NodeState;
use super::RunContext;
use crate::author::notify::Event;

/// The most elements that a mapping may have.
pub(crate) const MAX_ELEMENTS: u32 = 100_000;

/// The most nodes that a run may have, with all elements of all lists, also of those that a retry made anew.
pub(crate) const MAX_NODES: u64 = 4_000_000;

impl RunContext<'_> {
    pub(super) fn expand(&mut self, slot: Slot) {
        let width = self.run.list_len(slot).unwrap_or(0);
        match self.elements_of(slot, width) {
            Ok(width) => {
                let first = self.run.slots().end;
                self.record(Record::Unfolded { slot, width });
                self.node_slas(first..self.run.slots().end);
            }
            Err(error) => {
                let elements = self.run.open_elements(slot);
                self.fail(slot, error.into());
                for element in elements {
                    self.abort(element);
                    self.record(Record::UpstreamFailed { slot: element, cause: slot });
                    self.callback(element, Event::OnUpstreamFailed);
                }
            }
        }
    }

    /// How many elements a mapping expands to, or why it may not.
    fn elements_of(&self, slot: Slot, width: usize) -> Result<u32, String> {
        let elements = u32::try_from(width).ok().filter(|width| *width <= MAX_ELEMENTS);
        let elements = elements
            .ok_or_else(|| format!("the list has {width} elements; `.each` takes at most {MAX_ELEMENTS}: divide the list"))?;
        let each = self.run.each(slot).map_or(0, |each| self.run.plan().scope(each.scope).nodes.len());
        let nodes = each as u64 * u64::from(elements) + u64::from(self.run.slots().end);
        if nodes > MAX_NODES {
            return Err(format!(
                "with the list's {width} elements the run would have {nodes} nodes, of which an element has {each}; a run has at most \
                 {MAX_NODES}: divide the list over several runs"
            ));
        }
        Ok(elements)
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
