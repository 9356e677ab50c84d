//! What a node's time went into, in six kinds: for whoever draws it.

use super::{RunHistory, Work};
use crate::engine::{NodeState, Slot};
use crate::plan::What;
use std::collections::HashSet;
use std::time::Duration;

/// What a node's time went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    /// A body ran.
    Worked = 0,
    /// A sensor looked.
    Poked = 1,
    /// A sensor waited for its next look.
    Data = 2,
    /// A retry was due.
    Retry = 3,
    /// All that it waited for was there, and it had not begun.
    Queued = 4,
    /// No process had the run.
    Nobody = 5,
}

/// A stretch of a node's time, as offsets from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) what: Spent,
    pub(crate) from: Duration,
    /// None while it lasts.
    pub(crate) until: Option<Duration>,
}

impl RunHistory {
    /// What the node's time went into, in order. Stretches do not overlap; between a retry by hand and what came before there is none.
    pub(crate) fn spent(&self, slot: Slot) -> Vec<Stretch> {
        let node = self.node(slot);
        let is_sensor = self.is_sensor(slot);
        let spans = node.spans();
        let mut stretches: Vec<Stretch> = Vec::with_capacity(spans.len() + 1);
        for span in &spans {
            let what = match span.what {
                Work::Working | Work::Merged(_) if is_sensor => Spent::Poked,
                Work::Working | Work::Merged(_) => Spent::Worked,
                Work::Waiting => Spent::Data,
                Work::Retrying => Spent::Retry,
            };
            if let Some((from, gap)) = self.before(slot, stretches.last(), span.from) {
                stretches.push(Stretch { what: gap, from, until: Some(span.from) });
            }
            stretches.push(Stretch { what, from: span.from, until: span.until });
        }
        // It could run, and does not.
        let is_ready = matches!(node.state(), NodeState::None | NodeState::Scheduled | NodeState::Queued);
        if is_ready && !self.state.is_end() && self.awaited(slot).is_empty() {
            let (from, what) = match stretches.last().and_then(|last| last.until) {
                Some(until) if self.was_cut_off(slot, until) => (until, Spent::Nobody),
                Some(until) => (until.max(node.cleared_at().unwrap_or_default()), Spent::Queued),
                None => (self.ready(slot), Spent::Queued),
            };
            stretches.push(Stretch { what, from, until: None });
        }
        stretches
    }

    /// What was between a stretch and a start.
    fn before(&self, slot: Slot, last: Option<&Stretch>, start: Duration) -> Option<(Duration, Spent)> {
        let (from, what) = match last.map(|last| last.until) {
            None => (self.ready(slot), Spent::Queued),
            Some(until) => {
                let until = until.filter(|until| self.was_cut_off(slot, *until))?;
                (until, Spent::Nobody)
            }
        };
        (from < start).then_some((from, what))
    }

    /// Whether an attempt was cut off then by the end of its process.
    fn was_cut_off(&self, slot: Slot, at: Duration) -> bool {
        self.node(slot).troubles().iter().any(|trouble| trouble.at == at && trouble.error.is_none())
    }

    /// The nodes that a run took as long as it did for, the first first: from the one that ended last, each time to the last that it waited for.
    pub(crate) fn critical_path(&self) -> Vec<Slot> {
        let ended = |slot: &Slot| self.node(*slot).finished_at().or(self.node(*slot).since());
        let began = |slot: &Slot| self.node(*slot).began().is_some();
        let (mut path, mut seen) = (Vec::new(), HashSet::new());
        let mut next = self.listed().into_iter().filter(began).max_by_key(ended);
        while let Some(slot) = next {
            path.push(slot);
            seen.insert(slot);
            // What a journal that is damaged says must not go in circles.
            let is_new = |up: &Slot| ended(up).is_some() && !seen.contains(up);
            next = self.upstream_slots(slot).into_iter().filter(is_new).max_by_key(ended);
        }
        path.retain(|slot| self.is_body(*slot) && began(slot));
        path.reverse();
        path
    }

    /// The nodes whose ends this one waited for, by its inputs, its order and its mapping.
    pub(crate) fn upstream_slots(&self, slot: Slot) -> Vec<Slot> {
        let position = self.layout.position(slot);
        let ix = self.node_ix(slot);
        let ordered = self.plan.inbound(ix).iter().map(|(from, _)| *from);
        let mut all: Vec<Slot> =
            self.plan.upstreams(ix).chain(ordered).map(|from| self.layout.resolve(&self.plan, from, position)).collect();
        match &self.plan.node(ix).what {
            // What its elements return is told of each of them.
            What::Each(each) => {
                all = vec![self.layout.resolve(&self.plan, each.list, position)];
                all.extend(self.layout.of_each(slot).into_iter().flat_map(|expansion| self.layout.inside(expansion)));
            }
            // An element begins with the list of its mapping, and the mapping ends with its elements.
            What::Element { .. } => {
                let each = self.layout.expansion(position.expansion).each;
                let list = each.and_then(|each| Some((each, self.layout.each(&self.plan, each)?.list)));
                all.retain(|other| Some(*other) != each);
                all.extend(list.map(|(each, list)| self.layout.resolve(&self.plan, list, self.layout.position(each))));
            }
            _ => {}
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|other| *other != slot);
        all
    }

    /// The nodes with a body within a mapping that have not ended, at most so many.
    pub(crate) fn open_inside(&self, mapping: Slot, most: usize) -> Vec<Slot> {
        let inside = self.layout.of_each(mapping).into_iter().flat_map(|expansion| self.layout.inside(expansion));
        inside.filter(|slot| self.is_body(*slot) && !self.node(*slot).state().is_end()).take(most).collect()
    }

    /// The mapping whose element a node is part of.
    pub(crate) fn mapping_of(&self, slot: Slot) -> Option<Slot> {
        self.layout.expansion(self.layout.position(slot).expansion).each
    }

    /// How many elements a mapping has; none before its list is there, and of what is no mapping.
    pub(crate) fn width(&self, slot: Slot) -> Option<u32> {
        self.layout.of_each(slot).map(|expansion| self.layout.expansion(expansion).width)
    }
}
