//! Clear: what a manual retry undoes.
//!
//! It clears nodes that did not succeed, and the decisions that followed from them. With `downstream` it also clears every node
//! that depends on them. The set follows from the run's state alone, and none of its nodes may be under way.

use super::super::ids::Slot;
use super::super::state::{ExpansionIx, Position, Run};
use super::super::states::NodeState;
use crate::plan::What;
use std::collections::{BTreeMap, BTreeSet};

/// Why a node cannot be retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClearError {
    #[error("`{node}` has not ended: it is {state}")]
    NotEnded { node: String, state: NodeState },
    #[error("`{node}` is removed: its list no longer has it")]
    Removed { node: String },
    #[error("`{of}` cannot be retried while `{node}`, which depends on it, is {state}")]
    DownstreamRuns { of: String, node: String, state: NodeState },
    #[error("`{of}` cannot be retried yet: the last attempt of `{node}` was cut off and has not given its thread back")]
    ThreadBusy { of: String, node: String },
    #[error(
        "`{of}` cannot be retried while the group `{holder}` holds its locks: the group would wait for it, and it for a lock"
    )]
    WouldWaitForLock { of: String, holder: String },
}

/// The nodes that a retry clears.
pub(crate) struct ClearSet<'a> {
    run: &'a Run,
    downstream: bool,
    /// True if an attempt of the node has not been answered yet, even if it was cut off.
    is_in_flight: &'a dyn Fn(Slot) -> bool,
    cleared: BTreeSet<Slot>,
    /// For mappings whose elements run in order: the element from which on all are already handled.
    ordered: BTreeMap<ExpansionIx, u32>,
}

impl<'a> ClearSet<'a> {
    /// Returns the nodes that a retry of `slots` clears, or why it cannot be done.
    pub(crate) fn of(
        run: &'a Run,
        slots: &[Slot],
        downstream: bool,
        is_in_flight: &'a dyn Fn(Slot) -> bool,
    ) -> Result<Box<[Slot]>, ClearError> {
        let mut set = Self { run, downstream, is_in_flight, cleared: BTreeSet::new(), ordered: BTreeMap::new() };
        for &slot in slots {
            match run.node(slot).state() {
                NodeState::Removed => return Err(ClearError::Removed { node: run.id(slot) }),
                // An open node of an ended run was added to the plan since.
                state if !state.is_end() && !run.state().is_end() => {
                    return Err(ClearError::NotEnded { node: run.id(slot), state });
                }
                _ => {}
            }
            let added = set.add_with_dependents(slot);
            set.check_idle(slot, &added)?;
        }
        let mut doubtful: Vec<Slot> = set.cleared.iter().copied().collect();
        while !doubtful.is_empty() {
            set.add_elements(std::mem::take(&mut doubtful))?;
            if set.add_inner_lists()? {
                // A mapping whose list is now rebuilt may have been in the set before its list was.
                doubtful.extend(&set.cleared);
            }
        }
        set.check_locks()?;
        Ok(set.cleared.into_iter().collect())
    }

    /// A group that runs again asks for its locks again. No group that already holds locks may wait for it, or both would wait
    /// for ever.
    fn check_locks(&self) -> Result<(), ClearError> {
        let run = self.run;
        if !run.has_locks() {
            return Ok(());
        }
        let plan = run.plan();
        let mut seen = BTreeSet::new();
        for &asks in &self.cleared {
            if plan.holding_of(run.ix(asks)).is_none_or(|holding| run.is_holding(holding)) {
                continue;
            }
            let mut doubtful = vec![asks];
            while let Some(slot) = doubtful.pop() {
                // A node that has not begun waits for the retried node without being cleared.
                let waits = self.cleared.contains(&slot) || !run.node(slot).state().is_end();
                if !waits || !seen.insert(slot) {
                    continue;
                }
                if let Some(holding) = plan.holding_of(run.ix(slot)).filter(|holding| run.is_holding(*holding)) {
                    let holder = plan.holder(&plan.holdings[holding as usize]).id.to_string();
                    return Err(ClearError::WouldWaitForLock { of: run.id(asks), holder });
                }
                doubtful.extend(self.dependents(slot));
                let around = run.layout().position(slot).expansion;
                doubtful.extend(run.layout().expansion(around).each);
            }
        }
        Ok(())
    }

    /// True if an attempt is under way, or the next one is due without a retry.
    fn is_mid_attempt(&self, slot: Slot) -> bool {
        let node = self.run.node(slot);
        let is_running = node.state() == NodeState::Running && (self.is_in_flight)(slot);
        self.run.is_body(slot) && (node.awaits_next() || is_running)
    }

    fn check_idle(&self, of: Slot, slots: &[Slot]) -> Result<(), ClearError> {
        for &slot in slots {
            if self.is_mid_attempt(slot) {
                let (of, node, state) = (self.run.id(of), self.run.id(slot), self.run.node(slot).state());
                return Err(ClearError::DownstreamRuns { of, node, state });
            }
            if (self.is_in_flight)(slot) {
                return Err(ClearError::ThreadBusy { of: self.run.id(of), node: self.run.id(slot) });
            }
        }
        Ok(())
    }

    /// Adds a node and the nodes that depend on it. Returns the new ones.
    fn add_with_dependents(&mut self, slot: Slot) -> Vec<Slot> {
        let run = self.run;
        let mut added = Vec::new();
        // `(node, whole)`: `whole` means that the mapping's elements depend on a cleared node, not just its result.
        let mut doubtful = vec![(slot, true)];
        while let Some((slot, whole)) = doubtful.pop() {
            if self.downstream
                && whole
                && let Some(expansion) = run.expansion_of(slot)
            {
                let elements = run.layout().inside(expansion).into_iter();
                doubtful.extend(elements.filter(|element| !self.cleared.contains(element)).map(|element| (element, true)));
            }
            if !self.cleared.insert(slot) {
                continue;
            }
            added.push(slot);
            doubtful.extend(self.with_teardowns(slot).into_iter().map(|slot| (slot, true)));
            // The sensor that waits for the node's past has ended without success, and would have the node skipped again.
            doubtful.extend(run.failed_past(slot).map(|past| (past, true)));
            for target in self.dependents(slot) {
                let state = run.node(target).state();
                let is_gate = !run.is_body(target);
                let followed = matches!(state, NodeState::UpstreamFailed | NodeState::Skipped);
                let is_there = !matches!(state, NodeState::None | NodeState::Removed);
                // A node that has not ended reads its inputs again with its next attempt.
                if is_there && (self.downstream || is_gate || followed || !state.is_end()) {
                    doubtful.push((target, true));
                }
            }
            let position = run.layout().position(slot);
            if let Some(each) = run.layout().expansion(position.expansion).each {
                // A mapping's result follows from its elements'.
                doubtful.push((each, false));
                let element = run.element(position);
                if self.may_activate(element, each) {
                    doubtful.push((element, true));
                }
                if run.each(each).is_some_and(|each| each.in_order) {
                    doubtful.extend(self.behind(position, each).into_iter().map(|element| (element, true)));
                    // The element takes its turn again.
                    if run.has_element_ended(position) {
                        doubtful.push((element, true));
                    }
                }
            }
        }
        added
    }

    /// Returns the setups and teardowns that must run again with a node. If the teardown around a node has run, what the node
    /// works with is gone: it is set up again, and torn down again. A setup that runs again is torn down again.
    fn with_teardowns(&self, slot: Slot) -> Vec<Slot> {
        let run = self.run;
        let (plan, ix) = (run.plan(), run.ix(slot));
        let mut again = Vec::new();
        for teardown in &plan.teardowns {
            let is_setup = teardown.setup == ix;
            if !is_setup && !teardown.inside.contains(&ix) {
                continue;
            }
            let node = if is_setup {
                // A setup and its teardown belong to the same element.
                run.layout().own_slot(plan, teardown.node, run.layout().position(slot))
            } else {
                run.seen_from(slot, teardown.node)
            };
            if matches!(run.node(node).state(), NodeState::Success | NodeState::Failed) {
                again.push(node);
                if !is_setup {
                    again.push(run.seen_from(node, teardown.setup));
                }
            }
        }
        again
    }

    /// Returns the targets of a node's edges and, for an element, the nodes inside it.
    fn dependents(&self, slot: Slot) -> Vec<Slot> {
        let mut dependents: Vec<Slot> = self.run.targets(slot).into_iter().map(|(target, _)| target).collect();
        if let What::Element { .. } = self.run.what(slot) {
            let of = self.run.layout().expansion(self.run.layout().position(slot).expansion);
            dependents.extend(slot + 1..slot + of.stride);
        }
        dependents
    }

    /// Returns the elements behind one, in order, that were not activated because of it; with `downstream` all of them. Each
    /// element is returned once.
    fn behind(&mut self, position: Position, each: Slot) -> Vec<Slot> {
        let of = self.run.layout().expansion(position.expansion);
        let (base, stride) = (of.base, of.stride);
        let seen = self.ordered.entry(position.expansion).or_insert(of.width);
        let behind = position.element + 1..*seen;
        *seen = (*seen).min(position.element + 1);
        let is_there = |element: Slot| !matches!(self.run.node(element).state(), NodeState::None | NodeState::Removed);
        let depends = |element: &Slot| self.may_activate(*element, each) || (self.downstream && is_there(*element));
        behind.map(|element| base + element * stride).filter(depends).collect()
    }

    /// True if an element ended without having been activated although its list exists: the run ended before its turn.
    fn may_activate(&self, element: Slot, each: Slot) -> bool {
        let list = self.run.list_of(each);
        let state = self.run.node(element).state();
        let has_ended = state.is_end() && !matches!(state, NodeState::Success | NodeState::Removed);
        has_ended && list.is_some_and(|list| self.run.node(list).state() == NodeState::Success)
    }

    fn is_rebuilt(&self, each: Slot, expansion: ExpansionIx) -> bool {
        self.run.list_of(each).is_some_and(|list| self.cleared.contains(&list)) || self.run.is_stale(expansion)
    }

    /// Adds the elements of each rebuilt list: they are activated again once the list exists. Until then none of them may be
    /// under way.
    fn add_elements(&mut self, mut doubtful: Vec<Slot>) -> Result<(), ClearError> {
        let run = self.run;
        while let Some(slot) = doubtful.pop() {
            let Some(list) = run.list_of(slot) else { continue };
            let Some(expansion) = run.expansion_of(slot).filter(|&expansion| self.is_rebuilt(slot, expansion)) else {
                continue;
            };
            let of = run.layout().expansion(expansion).clone();
            for element in 0..of.width {
                let added = self.add_with_dependents(of.base + element * of.stride);
                self.check_idle(list, &added)?;
                doubtful.extend(added);
            }
            let elements = run.layout().inside(expansion);
            let is_open = |slot: &Slot| !self.cleared.contains(slot) && !run.node(*slot).state().is_end();
            if let Some(open) = elements.into_iter().find(is_open) {
                let (of, node, state) = (run.id(list), run.id(open), run.node(open).state());
                return Err(ClearError::DownstreamRuns { of, node, state });
            }
        }
        Ok(())
    }

    /// A cleared node inside an element must wait for the outer list. If an inner mapping lies between them, its list is cleared
    /// too. Returns whether there was one.
    fn add_inner_lists(&mut self) -> Result<bool, ClearError> {
        let run = self.run;
        let mut lists = BTreeSet::new();
        // By expansion: a mapping has many elements, and the answer is the same for all.
        let mut known: std::collections::HashMap<ExpansionIx, Option<Slot>> = std::collections::HashMap::new();
        for &slot in &self.cleared {
            let expansion = run.layout().position(slot).expansion;
            lists.extend(*known.entry(expansion).or_insert_with(|| self.list_to_rebuild(expansion)));
        }
        for &list in &lists {
            let added = self.add_with_dependents(list);
            self.check_idle(list, &added)?;
        }
        Ok(!lists.is_empty())
    }

    /// Returns the list of an expansion, if it would not be rebuilt although one around it is.
    fn list_to_rebuild(&self, expansion: ExpansionIx) -> Option<Slot> {
        let run = self.run;
        let each_of = |expansion: ExpansionIx| run.layout().expansion(expansion).each;
        let each = each_of(expansion)?;
        let list = run.list_of(each)?;
        if self.is_rebuilt(each, expansion) {
            return None;
        }
        let mut around = run.layout().position(each).expansion;
        while let Some(each) = each_of(around) {
            if self.is_rebuilt(each, around) {
                return Some(list);
            }
            around = run.layout().position(each).expansion;
        }
        None
    }
}
