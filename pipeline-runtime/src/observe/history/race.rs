//! Which node won the race that another one lost.
//!
//! The record of a node that is cut off does not name the winner, which follows from the plan and the states.

use super::RunHistory;
use crate::engine::{NodeState, Position, Skip, Slot};
use crate::plan::{NodeIx, What};
use std::collections::HashSet;

impl RunHistory {
    /// Returns the winner of the race that a cut off node was in, directly or because it fed only a loser.
    pub(super) fn won_race(&self, slot: Slot) -> Option<Slot> {
        let mut to_visit = vec![slot];
        let mut visited = HashSet::from([slot]);
        while let Some(slot) = to_visit.pop() {
            let position = self.layout.position(slot);
            for edge in self.plan.out(self.node_ix(slot)) {
                if !self.is_around(edge.to, position) {
                    continue;
                }
                let target = self.layout.resolve(&self.plan, edge.to, position);
                if let What::FirstOf { from } = &self.plan.node(edge.to).what {
                    let mut runners =
                        from.iter().map(|from| self.layout.resolve(&self.plan, *from, self.layout.position(target)));
                    let winner = runners.find(|runner| self.node(*runner).state() == NodeState::Success);
                    if winner.is_some() {
                        return winner;
                    }
                }
                // A node that was cut off, too, may have been in the race.
                if matches!(self.node(target).why_skipped(), Some(Skip::CutOff)) && visited.insert(target) {
                    to_visit.push(target);
                }
            }
        }
        None
    }

    /// True if the scope of a node of the plan is that of a position, or one around it.
    fn is_around(&self, ix: NodeIx, position: Position) -> bool {
        let scope = self.plan.node(ix).scope;
        let mut position = position;
        loop {
            let of = self.layout.expansion(position.expansion);
            match of.each {
                _ if of.scope == scope => return true,
                Some(each) => position = self.layout.position(each),
                None => return false,
            }
        }
    }
}
