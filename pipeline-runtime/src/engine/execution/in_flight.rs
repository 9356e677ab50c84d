//! Attempts in flight: from their start until they are answered, even if they were cut off in between.
//!
//! Invariant: an attempt owns its permit, and only its answer returns the permit. So neither a retry nor a mapping that expands
//! again can lose one. (`engine/tests`: after each step the permits in use are those of attempts in flight and of sensors in mode
//! `poke`)

use super::super::ids::{AttemptIx, Job, RunIx, Slot};
use super::pools::Permit;
use std::collections::HashSet;

/// All attempts in flight, of all runs.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    all: Vec<Option<Attempt>>,
    free: Vec<AttemptIx>,
    /// Attempts that were cut off: few, and most of them only briefly.
    cut_off: HashSet<AttemptIx>,
}

#[derive(Debug)]
struct Attempt {
    job: Job,
    /// The node's present slot.
    node: Slot,
    permit: Permit,
    /// The attempt's end was decided before its answer; the answer only frees its thread and its permit.
    cut_off: bool,
    /// The node's next attempt is due and waits for this one's thread.
    overdue: bool,
}

/// An attempt that was answered.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) node: Slot,
    pub(crate) permit: Permit,
    pub(crate) cut_off: bool,
    pub(crate) overdue: bool,
}

impl InFlight {
    #[inline]
    pub(crate) fn begin(&mut self, run: RunIx, slot: Slot, start: u32, permit: Permit) -> Job {
        let attempt = |attempt| Job { run, slot, start, attempt };
        let of = |job| Some(Attempt { job, node: slot, permit, cut_off: false, overdue: false });
        if let Some(ix) = self.free.pop() {
            let job = attempt(ix);
            self.all[ix as usize] = of(job);
            return job;
        }
        let ix = u32::try_from(self.all.len()).unwrap_or_else(|_| unreachable!("2^32 attempts in flight"));
        let job = attempt(ix);
        self.all.push(of(job));
        job
    }

    /// Ends an attempt, unless it has been answered already.
    #[inline]
    pub(crate) fn end(&mut self, job: Job) -> Option<Ended> {
        let place = self.all.get_mut(job.attempt as usize)?;
        let Attempt { node, permit, cut_off, overdue, .. } = place.take_if(|attempt| attempt.job == job)?;
        self.free.push(job.attempt);
        if cut_off {
            self.cut_off.remove(&job.attempt);
        }
        if self.all.len() > SPARE && self.free.len() == self.all.len() {
            // Returns the memory: there may have been a million.
            (self.all, self.free) = (Vec::new(), Vec::new());
        }
        Some(Ended { node, permit, cut_off, overdue })
    }

    fn get_mut(&mut self, ix: AttemptIx) -> Option<&mut Attempt> {
        self.all.get_mut(ix as usize)?.as_mut()
    }

    #[inline]
    fn get(&self, ix: AttemptIx) -> Option<&Attempt> {
        self.all.get(ix as usize)?.as_ref()
    }

    /// Returns the start that an attempt belongs to.
    pub(crate) fn job(&self, ix: AttemptIx) -> Option<Job> {
        Some(self.get(ix)?.job)
    }

    /// True if the attempt's answer still decides anything.
    #[inline]
    pub(crate) fn is_under_way(&self, job: Job) -> bool {
        self.get(job.attempt).is_some_and(|attempt| attempt.job == job && !attempt.cut_off)
    }

    /// Marks an attempt as cut off: its end is decided before its answer.
    pub(crate) fn cut_off(&mut self, ix: AttemptIx) -> Option<Job> {
        let attempt = self.get_mut(ix)?;
        attempt.cut_off = true;
        let job = attempt.job;
        self.cut_off.insert(ix);
        Some(job)
    }

    /// Returns the nodes of a run whose attempts were cut off and have not been answered.
    pub(crate) fn cut_off_of(&self, run: RunIx) -> impl Iterator<Item = Slot> {
        let cut_off = self.cut_off.iter().filter_map(|ix| self.get(*ix));
        cut_off.filter(move |attempt| attempt.job.run == run).map(|attempt| attempt.node)
    }

    /// Notes whether the node's next attempt waits for this one's thread.
    pub(crate) fn overdue(&mut self, ix: AttemptIx, overdue: bool) {
        if let Some(attempt) = self.get_mut(ix) {
            attempt.overdue = overdue;
        }
    }

    /// Notes that the attempt's node has moved to another slot.
    pub(crate) fn moved(&mut self, ix: AttemptIx, to: Slot) {
        if let Some(attempt) = self.get_mut(ix) {
            attempt.node = to;
        }
    }

    /// True if no attempt is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.all.len()
    }

    #[cfg(test)]
    pub(crate) fn is_overdue(&self, ix: AttemptIx) -> bool {
        self.get(ix).is_some_and(|attempt| attempt.overdue)
    }

    /// Returns the pools whose permits are in use, with the run and node of each.
    #[cfg(test)]
    pub(crate) fn permits(&self) -> impl Iterator<Item = (RunIx, Slot, super::CorePool)> {
        self.all.iter().flatten().map(|attempt| (attempt.job.run, attempt.node, attempt.permit.pool()))
    }
}

/// The number of attempts for which memory is retained while none is in flight.
const SPARE: usize = 1024;
