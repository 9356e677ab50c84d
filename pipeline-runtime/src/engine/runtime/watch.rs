//! Wake-ups: what a poke looked at is watched, by whoever can, until the sensor's next poke has looked itself.
//!
//! Code that runs within a poke finds its [`Watching`] by [`super::current`], gives it something that watches for as long as it
//! lives, and calls [`Wake::wake`] when there is a change. To be sure that no change is missed it watches first and reads then.
//!
//! The core knows a change as an event alone ([`Core::wake`]). Only `storage/watch` knows what is watched, and how.

use super::super::core::Core;
use super::super::ids::{Job, RunIx, Slot};
use super::super::log::{Record, Records};
use super::{Engine, OtherRuns, WeakEngine};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most looks of one poke that are watched; what further ones look at is seen at the next tick.
const MAX_LOOKS: usize = 1000;
/// The most of them that leave a trace for another process.
const MAX_TRACES: usize = 16;

/// Something that watches for as long as it lives. It is dropped under the engine's lock, so its `Drop` must not wait.
type Watch = Box<dyn Any + Send>;

/// Wakes a sensor from between two pokes. It keeps no engine alive.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    engine: WeakEngine,
    run: RunIx,
    slot: Slot,
    /// Which of the node's starts the poke was.
    start: u32,
}

impl Wake {
    pub(super) fn new(engine: WeakEngine, run: RunIx, slot: Slot, start: u32) -> Self {
        Self { engine, run, slot, start }
    }

    /// One that wakes no sensor.
    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self::new(WeakEngine(std::sync::Weak::new()), 0, 0, 0)
    }

    /// What the poke looked at has changed.
    pub(crate) fn wake(&self) {
        let Some(engine) = self.engine.upgrade() else { return };
        let Self { run, slot, start, .. } = *self;
        let now = engine.clock().now();
        if !engine.lock().stopped {
            engine.with(|core| core.wake(run, slot, start, now));
        }
    }
}

/// What watches for one poke.
#[derive(Debug)]
pub(crate) struct Watching {
    wake: Wake,
    watches: Mutex<Vec<Watch>>,
    traces: Mutex<Vec<String>>,
}

impl Watching {
    pub(super) fn new(wake: Wake) -> Self {
        Self { wake, watches: Mutex::default(), traces: Mutex::default() }
    }

    /// Wakes the sensor.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Whether the poke may be given another watch.
    pub(crate) fn has_room(&self) -> bool {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).len() < MAX_LOOKS
    }

    /// Keeps a watch until the sensor's next poke is over.
    pub(crate) fn keep(&self, watch: impl Any + Send) {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(watch));
    }

    /// Leaves a trace of a look, on one line, for the process that resumes the run.
    pub(crate) fn leave(&self, trace: String) {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        if traces.len() < MAX_TRACES {
            traces.push(trace);
        }
    }

    pub(super) fn traces(&self) -> Vec<String> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Box<[Watch]> {
        std::mem::take(&mut *self.watches.lock().unwrap_or_else(PoisonError::into_inner)).into_boxed_slice()
    }
}

/// What watches for the sensors between two pokes, and the engine that it wakes them through.
#[derive(Debug, Default)]
pub(super) struct Watches {
    engine: Option<WeakEngine>,
    /// Who knows the runs of other pipelines, and the engine whose sensors wait for them.
    others: Option<(Arc<dyn OtherRuns>, WeakEngine)>,
    of: HashMap<(RunIx, Slot), Box<[Watch]>>,
}

impl Watches {
    /// From now on what pokes look at may be watched.
    pub(super) fn tell(&mut self, engine: WeakEngine) {
        self.engine = Some(engine);
    }

    pub(super) fn engine(&self) -> Option<WeakEngine> {
        self.engine.clone()
    }

    /// From now on bodies may ask for runs of other pipelines.
    pub(super) fn tell_of_others(&mut self, others: Arc<dyn OtherRuns>, engine: WeakEngine) {
        self.others = Some((others, engine));
    }

    pub(super) fn others(&self) -> Option<(Arc<dyn OtherRuns>, WeakEngine)> {
        self.others.clone()
    }

    /// Ends the watches of sensors that wait no longer, by these records.
    #[inline]
    pub(super) fn follow(&mut self, records: &Records) {
        if self.of.is_empty() {
            return;
        }
        for (run, entry) in records.iter() {
            match entry.record {
                Record::Succeeded { slot, .. }
                | Record::Retrying { slot, .. }
                | Record::Failed { slot, .. }
                | Record::Skipped { slot, .. }
                | Record::UpstreamFailed { slot, .. } => drop(self.of.remove(&(run, slot))),
                _ => {}
            }
        }
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> HashMap<(RunIx, Slot), Box<[Watch]>> {
        std::mem::take(&mut self.of)
    }
}

impl Engine {
    /// Watches on after a poke that was not ready, in place of what the poke before it had left.
    pub(super) fn keep_watching(&self, job: Job, watching: &Arc<Watching>) {
        self.keep_watching_for(watching, (job.run, job.slot), |core| core.is_under_way(job));
    }

    /// Watches for a sensor of a resumed run, as long as that start was its last.
    pub(super) fn watch_again(&self, (run, slot, start): (RunIx, Slot, u32), watching: &Arc<Watching>) {
        self.keep_watching_for(watching, (run, slot), |core| core.awaits_next_after(run, slot, start));
    }

    fn keep_watching_for(&self, watching: &Arc<Watching>, key: (RunIx, Slot), waits: impl FnOnce(&Core) -> bool) {
        let watches = watching.take();
        let mut state = self.lock();
        if !state.stopped && waits(&state.core) {
            // What is dropped here is a registration; its `Drop` must not wait.
            if watches.is_empty() {
                state.watches.of.remove(&key)
            } else {
                state.watches.of.insert(key, watches)
            };
        }
    }
}
