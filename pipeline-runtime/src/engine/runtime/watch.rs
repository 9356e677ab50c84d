//! Wake-ups: what a poke has read is watched until the sensor's next poke has read it itself.
//!
//! Code that runs within a poke finds its [`Watching`] by [`super::current`], gives it an object that watches for as long as it
//! lives, and calls [`Wake::wake`] when there is a change. To miss no change it first watches and then reads.
//!
//! The core knows a change only as an event ([`Core::wake`]). Only `storage/watch` knows what is watched, and how.

use super::super::core::Core;
use super::super::ids::{Job, RunIx, Slot};
use super::super::log::{Record, Records};
use super::{Engine, OtherRuns, WeakEngine};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most places that one poke may watch. Changes in further ones are seen at the next tick.
const MAX_LOOKS: usize = 1000;
/// The most places that leave a trace for another process.
const MAX_TRACES: usize = 16;

/// An object that watches for as long as it lives. It is dropped under the engine's lock, so its `Drop` must not wait.
type Watch = Box<dyn Any + Send>;

/// Wakes a sensor between two pokes. It does not keep the engine alive.
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

    /// A wake-up that reaches no sensor.
    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self::new(WeakEngine(std::sync::Weak::new()), 0, 0, 0)
    }

    /// Reports that something that the poke read has changed.
    pub(crate) fn wake(&self) {
        let Some(engine) = self.engine.upgrade() else { return };
        let Self { run, slot, start, .. } = *self;
        let now = engine.clock().now();
        if !engine.lock().stopped {
            engine.with(|core| core.wake(run, slot, start, now));
        }
    }
}

/// The watches of one poke.
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

    /// Returns the wake-up of the sensor.
    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// True if the poke may add another watch.
    pub(crate) fn has_room(&self) -> bool {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).len() < MAX_LOOKS
    }

    /// Holds a watch until the sensor's next poke has ended.
    pub(crate) fn keep(&self, watch: impl Any + Send) {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(watch));
    }

    /// Leaves a trace of a read, on one line, for the process that resumes the run.
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

/// The watches of sensors between two pokes, and the engine that they wake them through.
#[derive(Debug, Default)]
pub(super) struct Watches {
    engine: Option<WeakEngine>,
    /// Access to the runs of other pipelines, and the engine whose sensors wait for them.
    others: Option<(Arc<dyn OtherRuns>, WeakEngine)>,
    of: HashMap<(RunIx, Slot), Box<[Watch]>>,
}

impl Watches {
    /// Lets pokes watch what they read, from now on.
    pub(super) fn tell(&mut self, engine: WeakEngine) {
        self.engine = Some(engine);
    }

    pub(super) fn engine(&self) -> Option<WeakEngine> {
        self.engine.clone()
    }

    /// Lets bodies use runs of other pipelines, from now on.
    pub(super) fn tell_of_others(&mut self, others: Arc<dyn OtherRuns>, engine: WeakEngine) {
        self.others = Some((others, engine));
    }

    pub(super) fn others(&self) -> Option<(Arc<dyn OtherRuns>, WeakEngine)> {
        self.others.clone()
    }

    /// Ends the watches of sensors that no longer wait, according to these records.
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

    /// Takes all watches.
    pub(super) fn take(&mut self) -> HashMap<(RunIx, Slot), Box<[Watch]>> {
        std::mem::take(&mut self.of)
    }
}

impl Engine {
    /// Stores the watches of a poke that was not ready, in place of those of the poke before it.
    pub(super) fn keep_watching(&self, job: Job, watching: &Arc<Watching>) {
        self.keep_watching_for(watching, (job.run, job.slot), |core| core.is_under_way(job));
    }

    /// Stores the watches of a resumed run's sensor, unless the sensor has been started since.
    pub(super) fn watch_again(&self, (run, slot, start): (RunIx, Slot, u32), watching: &Arc<Watching>) {
        self.keep_watching_for(watching, (run, slot), |core| core.awaits_next_after(run, slot, start));
    }

    fn keep_watching_for(&self, watching: &Arc<Watching>, key: (RunIx, Slot), waits: impl FnOnce(&Core) -> bool) {
        let watches = watching.take();
        let mut state = self.lock();
        if !state.stopped && waits(&state.core) {
            // A registration is dropped here; its `Drop` must not wait.
            if watches.is_empty() {
                state.watches.of.remove(&key)
            } else {
                state.watches.of.insert(key, watches)
            };
        }
    }
}
