//! What all nodes of a run come to: what their time went into, and by which of them it took as long as it did.
//!
//! Whoever looks at a long run asks for that again and again, while few of its nodes change. So it is found out by parts of the list of nodes, and
//! stays with a part for as long as nobody changes that: also in copies of the history that are as of some other record.

use super::parts::PART;
use super::spent::{InputsOf, KINDS, Stretch};
use super::{RunHistory, Slot};
use crate::plan::{ScopeIx, What};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What fewer nodes come to is not kept: to look for it takes as long as to find it out.
const FEW: usize = if cfg!(test) { 4 } else { 32 };

/// What some nodes come to that lie within one part.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    past: [Duration; KINDS],
    /// Of what lasts.
    lasting: [Lasting; KINDS],
    /// Of what lasts as a node could run and does not: it ends with its run.
    ready: [Lasting; KINDS],
    /// The node that began last with what it does, of those with the same time the one of the greatest slot.
    last: Option<(Duration, Slot)>,
    /// The same of nodes with a body that have begun.
    last_begun: Option<(Duration, Slot)>,
}

/// How many stretches there are that have no end, and when they began, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Lasting {
    count: u32,
    from: Duration,
}

impl Lasting {
    fn add(&mut self, stretch: Stretch) {
        self.count += 1;
        self.from += stretch.from;
    }

    fn until(self, now: Duration) -> Duration {
        (now * self.count).saturating_sub(self.from)
    }
}

impl Sum {
    fn add(&mut self, stretch: Stretch) {
        match stretch.until {
            Some(until) => self.past[stretch.what as usize] += until.saturating_sub(stretch.from),
            None => self.lasting[stretch.what as usize].add(stretch),
        }
    }

    /// The same of nodes that lie so many slots further.
    fn moved(self, by: Slot) -> Self {
        let moved = |last: Option<(Duration, Slot)>| last.map(|(since, slot)| (since, slot + by));
        Self { last: moved(self.last), last_begun: moved(self.last_begun), ..self }
    }
}

/// What is found out about a part.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<Vec<Piece>>);

#[derive(Debug)]
struct Piece {
    /// As offsets in the part, as those of the sum are.
    slots: Range<Slot>,
    /// What nodes elsewhere have to do with it.
    by: Arc<Elsewhere>,
    sum: Sum,
}

/// By what the same nodes come to something else.
#[derive(Debug, PartialEq, Eq)]
struct Elsewhere {
    /// Of what they are elements: the part of which no item has ever changed is one of all lists.
    scope: ScopeIx,
    /// Of each node of an element that has a body: when the last of its inputs outside of the element was there, and whether they have all ended.
    inputs: Vec<(Option<Duration>, bool)>,
}

impl Found {
    /// What those nodes come to; it is found out if it is not known.
    fn get(&self, slots: Range<Slot>, by: &Arc<Elsewhere>, find: impl FnOnce() -> Sum) -> Sum {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pieces.iter().position(|piece| piece.slots == slots && piece.by.scope == by.scope);
        if let Some(piece) = known.map(|at| &pieces[at]).filter(|piece| piece.by == *by) {
            return piece.sum;
        }
        let piece = Piece { slots, by: Arc::clone(by), sum: find() };
        let sum = piece.sum;
        if let Some(at) = known {
            pieces[at] = piece;
        } else {
            // Most parts have one, and there are many parts.
            pieces.reserve_exact(1);
            pieces.push(piece);
        }
        sum
    }
}

impl RunHistory {
    /// What the time of all nodes together went into until then, by kind: not before the last that is told.
    pub(crate) fn totals(&self, now: Duration) -> [Duration; KINDS] {
        let now = now.max(self.now);
        let mut totals = [Duration::ZERO; KINDS];
        for range in self.ranges() {
            self.each_sum(range, |_, sum| {
                for (kind, total) in totals.iter_mut().enumerate() {
                    *total += sum.past[kind] + sum.lasting[kind].until(now);
                    if !self.state.is_end() {
                        *total += sum.ready[kind].until(now);
                    }
                }
            });
        }
        totals
    }

    /// The nodes that a run took as long as it did for, the first first: from the one that ended last, each time to the last that it waited for.
    pub(crate) fn critical_path(&self) -> Vec<Slot> {
        let mut last = None;
        for range in self.ranges() {
            self.each_sum(range, |_, sum| last = last.max(sum.last_begun));
        }
        let (mut path, mut seen) = (Vec::new(), HashSet::new());
        let mut next = last.map(|(_, slot)| slot);
        while let Some(slot) = next {
            path.push(slot);
            // What a journal that is damaged says must not go in circles.
            seen.insert(slot);
            next = self.last_upstream(slot, &seen);
        }
        path.retain(|slot| self.is_body(*slot) && self.node(*slot).began().is_some());
        path.reverse();
        path
    }

    /// Of what a node waited for, the one that ended last.
    fn last_upstream(&self, slot: Slot, seen: &HashSet<Slot>) -> Option<Slot> {
        let mut last = None;
        let mut see = |from: Slot| {
            let here = self.node(from).since().map(|since| (since, from));
            if here > last && !seen.contains(&from) {
                last = here;
            }
        };
        let elements = self.layout.of_each(slot).filter(|elements| !self.has_mappings(*elements));
        let (What::Each(each), Some(elements)) = (&self.plan.node(self.node_ix(slot)).what, elements) else {
            self.each_upstream(slot, see);
            return last.map(|(_, slot)| slot);
        };
        see(self.layout.resolve(&self.plan, each.list, self.layout.position(slot)));
        let of = self.layout.expansion(elements);
        self.each_sum(of.base..of.base + of.width * of.stride, |slots, sum| match sum.last {
            Some((_, from)) if !seen.contains(&from) => see(from),
            None => {}
            // Of a journal that is damaged.
            Some(_) => slots.for_each(&mut see),
        });
        last.map(|(_, slot)| slot)
    }

    /// Shows what whole elements of one list come to, or the plan's own nodes: some of them at a time.
    fn each_sum(&self, range: Range<Slot>, mut see: impl FnMut(Range<Slot>, Sum)) {
        if range.is_empty() {
            return;
        }
        let part = Slot::try_from(PART).unwrap_or(Slot::MAX);
        let mut inputs = InputsOf::list(self, range.start);
        let stride = self.layout.expansion(self.layout.position(range.start).expansion).stride;
        let is_kept = range.len() >= FEW && self.nodes.found(range.start as usize).is_some();
        let by = is_kept.then(|| Arc::new(self.elsewhere(&mut inputs)));
        let mut first = range.start;
        while first < range.end {
            let base = first - first % part;
            let elements = ((base + part).min(range.end) - first) / stride;
            // An element may lie in two parts, or in more.
            let slots = first..first + elements.max(1) * stride;
            let found = self.nodes.found(first as usize).filter(|_| elements > 0 && slots.len() >= FEW);
            let sum = match found.zip(by.as_ref()) {
                Some((found, by)) => {
                    let here = slots.start - base..slots.end - base;
                    found.get(here, by, || self.sum(slots.clone(), base, &mut inputs)).moved(base)
                }
                None => self.sum(slots.clone(), 0, &mut inputs),
            };
            first = slots.end;
            see(slots, sum);
        }
    }

    fn elsewhere(&self, inputs: &mut InputsOf<'_>) -> Elsewhere {
        let scope = inputs.scope();
        let bodies = self.plan.scope(scope).nodes.iter().filter(|ix| self.plan.node(**ix).is_body());
        Elsewhere { scope, inputs: bodies.map(|ix| inputs.of(*ix).elsewhere()).collect() }
    }

    /// What whole elements come to; slots are told as offsets from `base`.
    fn sum(&self, slots: Range<Slot>, base: Slot, inputs: &mut InputsOf<'_>) -> Sum {
        let mut sum = Sum::default();
        self.each_body_of(slots.clone(), |slot, ix| {
            let inputs = inputs.of(ix);
            let last = self.each_turn(slot, ix, &inputs, |stretch| sum.add(stretch));
            if let Some(ready) = self.ready_stretch(slot, ix, &inputs, last) {
                sum.ready[ready.what as usize].add(ready);
            }
            let node = self.node(slot);
            if node.began().is_some() {
                sum.last_begun = sum.last_begun.max(node.since().map(|since| (since, slot - base)));
            }
        });
        let since = slots.filter_map(|slot| Some((self.node(slot).since()?, slot - base)));
        sum.last = since.max();
        sum
    }
}
