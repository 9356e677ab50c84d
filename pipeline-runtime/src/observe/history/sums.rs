//! Sums over all nodes of a run: how they spent their time, and the critical path.
//!
//! A dashboard requests these again and again for a long run, while few of its nodes change. So they are computed per part of the
//! node list and cached with the part until it changes, also in copies of the history as of another record.

use super::parts::PART;
use super::time_kind::{InputsCache, KINDS, Period};
use super::{RunHistory, Slot};
use crate::plan::{ScopeIx, What};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Sums over fewer nodes are not cached: looking them up takes as long as computing them.
const FEW: usize = if cfg!(test) { 4 } else { 32 };

/// The sum over some nodes within one part.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    past: [Duration; KINDS],
    /// Periods that have not ended.
    open: [OpenPeriods; KINDS],
    /// Periods since when a node could run but does not: they end with its run.
    ready: [OpenPeriods; KINDS],
    /// The node with the latest start of its current activity; of equal ones the one with the greatest slot.
    last: Option<(Duration, Slot)>,
    /// The same for nodes with a body that have started.
    last_begun: Option<(Duration, Slot)>,
}

/// The number of open periods, and the sum of their starts.
#[derive(Debug, Clone, Copy, Default)]
struct OpenPeriods {
    count: u32,
    from: Duration,
}

impl OpenPeriods {
    fn add(&mut self, period: Period) {
        self.count += 1;
        self.from += period.from;
    }

    fn until(self, now: Duration) -> Duration {
        (now * self.count).saturating_sub(self.from)
    }
}

impl Sum {
    fn add(&mut self, period: Period) {
        match period.until {
            Some(until) => self.past[period.kind as usize] += until.saturating_sub(period.from),
            None => self.open[period.kind as usize].add(period),
        }
    }

    /// Returns the sum with all slots shifted by `by`.
    fn moved(self, by: Slot) -> Self {
        let moved = |last: Option<(Duration, Slot)>| last.map(|(since, slot)| (since, slot + by));
        Self { last: moved(self.last), last_begun: moved(self.last_begun), ..self }
    }
}

/// The cached sums of a part.
#[derive(Debug, Default)]
pub(super) struct SumCache(Mutex<Vec<CachedSum>>);

#[derive(Debug)]
struct CachedSum {
    /// Offsets in the part, as in the sum.
    slots: Range<Slot>,
    /// The dependencies on nodes elsewhere.
    outside: Arc<OutsideInputs>,
    sum: Sum,
}

/// Everything outside the nodes that their sum depends on.
#[derive(Debug, PartialEq, Eq)]
struct OutsideInputs {
    /// The scope of the elements: the part whose items were never changed is shared by all lists.
    scope: ScopeIx,
    /// For each node of an element with a body: when the last of its inputs outside the element was available, and whether all
    /// have ended.
    inputs: Vec<(Option<Duration>, bool)>,
}

impl SumCache {
    /// Returns the sum over these nodes; computes it if it is unknown.
    fn get(&self, slots: Range<Slot>, outside: &Arc<OutsideInputs>, compute: impl FnOnce() -> Sum) -> Sum {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = sums.iter().position(|cached| cached.slots == slots && cached.outside.scope == outside.scope);
        if let Some(cached) = index.map(|at| &sums[at]).filter(|cached| cached.outside == *outside) {
            return cached.sum;
        }
        let cached = CachedSum { slots, outside: Arc::clone(outside), sum: compute() };
        let sum = cached.sum;
        if let Some(at) = index {
            sums[at] = cached;
        } else {
            // Most parts have one, and there are many parts.
            sums.reserve_exact(1);
            sums.push(cached);
        }
        sum
    }
}

impl RunHistory {
    /// Returns how all nodes together spent their time until `now`, by kind; never earlier than the last event.
    pub(crate) fn totals(&self, now: Duration) -> [Duration; KINDS] {
        let now = now.max(self.now);
        let mut totals = [Duration::ZERO; KINDS];
        for range in self.ranges() {
            self.each_sum(range, |_, sum| {
                for (kind, total) in totals.iter_mut().enumerate() {
                    *total += sum.past[kind] + sum.open[kind].until(now);
                    if !self.state.is_end() {
                        *total += sum.ready[kind].until(now);
                    }
                }
            });
        }
        totals
    }

    /// Returns the critical path of the run, in order: from the node that ended last, each time to the last upstream that it
    /// waited for.
    pub(crate) fn critical_path(&self) -> Vec<Slot> {
        let mut last = None;
        for range in self.ranges() {
            self.each_sum(range, |_, sum| last = last.max(sum.last_begun));
        }
        let (mut path, mut seen) = (Vec::new(), HashSet::new());
        let mut next = last.map(|(_, slot)| slot);
        while let Some(slot) = next {
            path.push(slot);
            // A damaged journal must not cause an endless loop.
            seen.insert(slot);
            next = self.last_upstream(slot, &seen);
        }
        path.retain(|slot| self.is_body(*slot) && self.node(*slot).began().is_some());
        path.reverse();
        path
    }

    /// Returns the upstream of a node that ended last.
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
            // Only in a damaged journal.
            Some(_) => slots.for_each(&mut see),
        });
        last.map(|(_, slot)| slot)
    }

    /// Visits the sums over whole elements of one list, or over the plan's own nodes: some of them at a time.
    fn each_sum(&self, range: Range<Slot>, mut see: impl FnMut(Range<Slot>, Sum)) {
        if range.is_empty() {
            return;
        }
        let part = Slot::try_from(PART).unwrap_or(Slot::MAX);
        let mut inputs = InputsCache::list(self, range.start);
        let stride = self.layout.expansion(self.layout.position(range.start).expansion).stride;
        let is_cached = range.len() >= FEW && self.nodes.sum_cache(range.start as usize).is_some();
        let outside = is_cached.then(|| Arc::new(self.outside_inputs(&mut inputs)));
        let mut first = range.start;
        while first < range.end {
            let base = first - first % part;
            let elements = ((base + part).min(range.end) - first) / stride;
            // An element may span two or more parts.
            let slots = first..first + elements.max(1) * stride;
            let cache = self.nodes.sum_cache(first as usize).filter(|_| elements > 0 && slots.len() >= FEW);
            let sum = match cache.zip(outside.as_ref()) {
                Some((cache, outside)) => {
                    let here = slots.start - base..slots.end - base;
                    cache.get(here, outside, || self.sum(slots.clone(), base, &mut inputs)).moved(base)
                }
                None => self.sum(slots.clone(), 0, &mut inputs),
            };
            first = slots.end;
            see(slots, sum);
        }
    }

    fn outside_inputs(&self, inputs: &mut InputsCache<'_>) -> OutsideInputs {
        let scope = inputs.scope();
        let bodies = self.plan.scope(scope).nodes.iter().filter(|ix| self.plan.node(**ix).is_body());
        OutsideInputs { scope, inputs: bodies.map(|ix| inputs.of(*ix).outside_inputs()).collect() }
    }

    /// Returns the sum over whole elements, with slots as offsets from `base`.
    fn sum(&self, slots: Range<Slot>, base: Slot, inputs: &mut InputsCache<'_>) -> Sum {
        let mut sum = Sum::default();
        self.each_body_of(slots.clone(), |slot, ix| {
            let inputs = inputs.of(ix);
            let last = self.each_period(slot, ix, &inputs, |period| sum.add(period));
            if let Some(ready) = self.ready_period(slot, ix, &inputs, last) {
                sum.ready[ready.kind as usize].add(ready);
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
