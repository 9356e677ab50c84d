//! The number of taken slots of a pool, from all unfinished runs; only read if a node waits for a slot.

use super::Cause;
use crate::Pipeline;
use crate::engine::NodeState;
use crate::journal::{JournalError, Reader};
use crate::observe::RunTail;
use crate::plan::{DEFAULT_POOL, PoolSpec};

/// How many slots of which pool are taken. A pool may occur several times.
type SlotCounts = Vec<(&'static str, usize)>;

/// The pools of a binary's pipelines, according to its journal.
pub(crate) struct TakenSlots<'a> {
    count: Box<dyn Fn() -> Result<SlotCounts, JournalError> + 'a>,
    counts: Option<SlotCounts>,
}

impl<'a> TakenSlots<'a> {
    pub(crate) fn new(reader: &'a Reader, pipelines: &'a [Pipeline]) -> Self {
        Self::from_fn(move || taken_slots(reader, pipelines))
    }

    /// Creates it from a function that returns the taken slots. The function is called at most once.
    pub(crate) fn from_fn(count: impl Fn() -> Result<SlotCounts, JournalError> + 'a) -> Self {
        Self { count: Box::new(count), counts: None }
    }

    pub(super) fn queued(&mut self, pool: PoolSpec) -> Result<Cause, JournalError> {
        let counts = match &mut self.counts {
            Some(counts) => counts,
            None => self.counts.insert((self.count)()?),
        };
        let used = counts.iter().filter(|(name, _)| *name == pool.name).map(|(_, count)| count).sum();
        let slots = (pool.name != DEFAULT_POOL).then_some(pool.slots);
        Ok(Cause::Queued { pool: pool.name, used, slots })
    }
}

/// Returns the pools of all taken slots.
fn taken_slots(reader: &Reader, pipelines: &[Pipeline]) -> Result<SlotCounts, JournalError> {
    let mut taken = Vec::new();
    for run in reader.unfinished()? {
        let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline) else { continue };
        // Slots that are held by runs of other code cannot be determined.
        let Ok(mut tail) = RunTail::new(Some(pipeline), &run) else { continue };
        if tail.plan_mismatch().is_some() || tail.catch_up(reader).is_err() {
            continue;
        }
        let history = tail.history();
        history.each_body(|slot, ix| {
            if history.node(slot).state() == NodeState::Running {
                taken.push((history.plan().pools[history.plan().policy(ix).pool as usize].name, 1));
            }
        });
    }
    Ok(taken)
}
