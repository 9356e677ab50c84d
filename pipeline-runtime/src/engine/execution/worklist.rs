//! The worklist: consequences of a run's state that are not decided yet.
//!
//! [`Worklist::derive`] computes them from any state. A live run needs them after each record, so it is notified of [`Changes`]
//! instead. Both must yield the same. (`engine/tests/harness` compares them after every record.)

use super::super::ids::Slot;
#[cfg(test)]
use super::super::state::Turn;
use super::super::state::Verdict;
use super::super::state::{Changes, Conclusion, ExpansionIx, Run};
use super::super::states::NodeState;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The next decisions about one run.
#[derive(Debug, Default)]
pub(crate) struct Worklist {
    /// In topological order, and for one node the gravest first. So all effects of one event on a node's inputs are known before
    /// the node is decided.
    conclusions: BinaryHeap<Reverse<(u32, Slot, Conclusion)>>,
    /// Nodes whose output one consumer no longer wants. Other consumers are checked once everything else is decided.
    released: Vec<Slot>,
    /// Mappings that may activate further elements.
    freed: Vec<ExpansionIx>,
    /// Bodies whose inputs are all available.
    ready: Vec<Slot>,
}

/// One decision to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Conclude(Slot, Conclusion),
    /// Cut the node off, if no other consumer wants it.
    CutOff(Slot),
    /// Activate the next elements of a mapping, if it may.
    Activate(ExpansionIx),
}

impl Worklist {
    /// Derives the worklist from a state.
    pub(crate) fn derive(run: &Run) -> Self {
        let mut work = Self::default();
        if run.state().is_end() {
            return work;
        }
        for slot in run.slots() {
            work.derive_node(run, slot);
        }
        for each in run.slots().filter(|&slot| run.each(slot).is_some()) {
            let expansion = run.expansion_of(each);
            work.freed.extend(expansion.filter(|&expansion| run.next_element(expansion).is_some()));
        }
        work
    }

    fn derive_node(&mut self, run: &Run, slot: Slot) {
        let node = run.node(slot);
        let rank = |slot| run.plan().node(run.ix(slot)).rank;
        if node.state().is_end() {
            if node.state() == NodeState::Removed {
                return;
            }
            for (target, rule) in run.targets(slot) {
                let conclusion = match run.verdict(slot, rule) {
                    Verdict::Holds | Verdict::Loses => continue,
                    Verdict::Wins => Conclusion::Holds,
                    Verdict::Skips => Conclusion::Skipped(slot),
                    Verdict::Fails => Conclusion::UpstreamFailed(slot),
                };
                if run.is_waiting(target) {
                    self.concluded(rank(target), target, conclusion);
                }
            }
            return;
        }
        let element = run.element(run.layout().position(slot));
        if run.layout().position(slot).expansion > 0 && element != slot {
            match run.node(element).state() {
                NodeState::UpstreamFailed => self.concluded(rank(slot), slot, Conclusion::UpstreamFailed(element)),
                NodeState::Skipped => self.concluded(rank(slot), slot, Conclusion::Skipped(element)),
                _ => {}
            }
        }
        match node.state() {
            NodeState::Scheduled if run.is_body(slot) => self.ready.push(slot),
            NodeState::Scheduled => self.concluded(rank(slot), slot, Conclusion::Holds),
            NodeState::Running if run.is_complete(slot) => self.concluded(rank(slot), slot, Conclusion::Complete),
            _ => {}
        }
        if run.is_unwanted(slot) {
            self.released.push(slot);
        }
    }

    /// Takes the next decision.
    pub(crate) fn next(&mut self) -> Option<Work> {
        if let Some(Reverse((_, slot, conclusion))) = self.conclusions.pop() {
            return Some(Work::Conclude(slot, conclusion));
        }
        self.released.pop().map(Work::CutOff).or_else(|| self.freed.pop().map(Work::Activate))
    }

    /// True if everything is decided, so that ready bodies may start.
    #[inline]
    pub(crate) fn is_decided(&self) -> bool {
        self.conclusions.is_empty() && self.released.is_empty() && self.freed.is_empty()
    }

    /// Takes the ready body, if there is exactly one.
    #[inline]
    pub(crate) fn take_only_ready(&mut self) -> Option<Slot> {
        if self.ready.len() == 1 { self.ready.pop() } else { None }
    }

    /// Takes the ready bodies. The caller returns the memory by [`reuse`](Self::reuse).
    #[inline]
    pub(crate) fn take_ready(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.ready)
    }

    #[inline]
    pub(crate) fn reuse(&mut self, mut ready: Vec<Slot>) {
        ready.clear();
        if self.ready.is_empty() {
            self.ready = ready;
        }
    }

    #[inline]
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Empties the worklist.
    pub(crate) fn clear(&mut self) {
        self.conclusions.clear();
        self.released.clear();
        self.freed.clear();
        self.ready.clear();
    }

    /// Returns the entries that still apply, in a form that can be compared: each node's gravest conclusion, the nodes to be cut
    /// off or activated, and the ready nodes that are neither queued nor in flight (`is_in_hand`).
    #[cfg(test)]
    pub(crate) fn normal_form(&self, run: &Run, is_in_hand: impl Fn(Slot) -> bool) -> String {
        use std::collections::{BTreeMap, BTreeSet};
        let mut gravest: BTreeMap<Slot, Conclusion> = BTreeMap::new();
        for Reverse((_, slot, conclusion)) in &self.conclusions {
            let state = run.node(*slot).state();
            let is_open = match conclusion {
                Conclusion::UpstreamFailed(_) | Conclusion::Skipped(_) => !state.is_end(),
                Conclusion::Complete => run.is_complete(*slot),
                Conclusion::Holds => {
                    let is_won = state == NodeState::None && run.winner(*slot).is_some();
                    is_won || state == NodeState::Scheduled && !is_in_hand(*slot)
                }
            };
            if is_open {
                let known = gravest.entry(*slot).or_insert(*conclusion);
                *known = (*known).min(*conclusion);
            }
        }
        let unwanted: BTreeSet<Slot> = self.released.iter().copied().filter(|&slot| run.is_unwanted(slot)).collect();
        let freed: BTreeSet<(Slot, Turn)> = self.freed.iter().filter_map(|&expansion| run.next_element(expansion)).collect();
        let is_ready = |slot: &Slot| run.node(*slot).state() == NodeState::Scheduled && !is_in_hand(*slot);
        let ready: BTreeSet<Slot> = self.ready.iter().copied().filter(is_ready).collect();
        format!("conclusions {gravest:?} unwanted {unwanted:?} next elements {freed:?} ready {ready:?}")
    }
}

impl Changes for Worklist {
    #[inline]
    fn ready(&mut self, node: Slot) {
        self.ready.push(node);
    }

    #[inline]
    fn concluded(&mut self, rank: u32, node: Slot, conclusion: Conclusion) {
        self.conclusions.push(Reverse((rank, node, conclusion)));
    }

    fn freed(&mut self, mapping: ExpansionIx) {
        self.freed.push(mapping);
    }

    fn released(&mut self, node: Slot) {
        self.released.push(node);
    }
}
