//! Mappings: a list expands, its elements are activated in its order, and their results are joined.
//!
//! # Why the runtime inspects lists
//!
//! Making keys is user code, and so is finding a list that is part of an output. No user code runs under the engine's lock, so
//! such a mapping asks the runtime, and expands once it gets the result. None of this is recorded: a process that resumes the run
//! asks again.

use super::super::effects::Action;
use super::super::ids::{Keys, RunIx, Slot};
use super::super::log::{Record, Skip};
use super::super::state::{ExpansionIx, Turn};
use super::super::states::NodeState;
use super::RunContext;
use crate::author::keys::ListSummary;
use crate::author::notify::Event;
use std::collections::HashMap;

/// The most elements that a mapping may have.
pub(crate) const MAX_ELEMENTS: u32 = 100_000;

/// The most nodes that a run may have, including all elements of all lists and those of lists that a retry rebuilt.
pub(crate) const MAX_NODES: u64 = 4_000_000;

/// The mappings whose lists are being inspected, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    all: HashMap<u64, (RunIx, Slot)>,
    /// The number of each mapping's latest request.
    last: HashMap<(RunIx, Slot), u64>,
    next: u64,
}

impl Looks {
    /// Registers a request to inspect a list, and drops an earlier request of the same mapping. Returns the request's number.
    fn ask(&mut self, run: RunIx, slot: Slot) -> u64 {
        self.next += 1;
        self.all.insert(self.next, (run, slot));
        if let Some(before) = self.last.insert((run, slot), self.next) {
            self.all.remove(&before);
        }
        self.next
    }

    /// Returns the mapping that made the request, if it still waits for the answer.
    pub(crate) fn take(&mut self, number: u64) -> Option<(RunIx, Slot)> {
        let of = self.all.remove(&number)?;
        self.last.remove(&of);
        Some(of)
    }

    #[cfg(test)]
    pub(crate) fn has(&self, run: RunIx, slot: Slot) -> bool {
        self.last.contains_key(&(run, slot))
    }
}

impl RunContext<'_> {
    pub(super) fn expand(&mut self, slot: Slot) {
        if self.run.looks_at_list(slot) {
            let number = self.shared.looks.ask(self.ix, slot);
            return self.act(Action::Look { run: self.ix, slot, number });
        }
        self.expand_by(slot, ListSummary { len: self.run.list_len(slot).unwrap_or(0), keys: None });
    }

    /// A mapping's list was inspected.
    pub(crate) fn looked(&mut self, slot: Slot, seen: Result<ListSummary, String>) {
        // Since the request the list may have been cleared, or the mapping skipped.
        if self.run.nodes().get(slot as usize).is_none_or(|node| node.state() != NodeState::Scheduled) {
            return;
        }
        match seen {
            Ok(seen) => self.expand_by(slot, seen),
            Err(error) => self.cannot_expand(slot, error),
        }
    }

    fn expand_by(&mut self, slot: Slot, ListSummary { len, keys }: ListSummary) {
        match self.elements_of(slot, len, keys.as_ref()) {
            Ok(width) => {
                let first = self.run.slots().end;
                self.record(Record::Unfolded { slot, width, keys });
                self.node_slas(first..self.run.slots().end);
            }
            Err(error) => self.cannot_expand(slot, error),
        }
    }

    fn cannot_expand(&mut self, slot: Slot, error: String) {
        let elements = self.run.open_elements(slot);
        self.fail(slot, error.into());
        for element in elements {
            self.abort(element);
            self.record(Record::UpstreamFailed { slot: element, cause: slot });
            self.callback(element, Event::OnUpstreamFailed);
        }
    }

    /// Returns how many elements a mapping expands to, or why it may not.
    fn elements_of(&self, slot: Slot, width: usize, keys: Option<&Keys>) -> Result<u32, String> {
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
        let before = self.run.expansion_of(slot).map(|before| self.run.layout().expansion(before));
        if let Some(before) = before.filter(|before| before.width > 0 && before.keys.is_some() != keys.is_some()) {
            let (had, now) = match &before.keys {
                None => ("had no keys", "`.keyed` was added to it"),
                Some(_) => ("had keys", "`.keyed` was taken from it"),
            };
            return Err(format!(
                "the list {had} when this run expanded it to {} elements, and {now} since: which elements of the rebuilt list they are \
                 cannot be told; retry it with the code that began the run, or begin a new run",
                before.width
            ));
        }
        Ok(elements)
    }

    /// Activates the next elements of a mapping, as many as may be active at once.
    pub(super) fn activate(&mut self, expansion: ExpansionIx) {
        while let Some((element, turn)) = self.run.next_element(expansion) {
            let record = |slot| match turn {
                Turn::Activate => Record::Succeeded { slot, output: None },
                Turn::Fail(cause) => Record::UpstreamFailed { slot, cause },
                Turn::Skip(from) => Record::Skipped { slot, why: Skip::Upstream(from) },
            };
            if turn == Turn::Activate {
                self.record(record(element));
                continue;
            }
            // All elements behind it share the cause and end with it.
            for element in self.run.waiting_from(element).collect::<Vec<_>>() {
                self.record(record(element));
            }
        }
    }

    /// All elements of a mapping have ended, and the mapping ends by their results.
    pub(super) fn join(&mut self, slot: Slot) {
        if self.run.is_complete(slot) {
            self.gather(slot);
        }
    }

    /// Ends a mapping, or a list of a mapping's results, according to how the results ended.
    pub(super) fn gather(&mut self, slot: Slot) {
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
