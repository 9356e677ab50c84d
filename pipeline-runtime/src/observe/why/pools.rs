//! The number of taken slots of a pool, from all unfinished runs; only read if a node waits for a slot.

use super::Cause;
use crate::Pipeline;
use crate::engine::NodeState;
use crate::journal::{JournalError, Reader};
use crate::observe::Followed;
use crate::plan::{DEFAULT_POOL, PoolSpec};

/// How many slots of which pool are taken. A pool may occur several times.
type Taken = Vec<(&'static str, usize)>;

/// The pools of a binary's pipelines, according to its journal.
pub(crate) struct Pools<'a> {
    find: Box<dyn Fn() -> Result<Taken, JournalError> + 'a>,
    used: Option<Taken>,
}

impl<'a> Pools<'a> {
    pub(crate) fn new(reader: &'a Reader, pipelines: &'a [Pipeline]) -> Self {
        Self::told_by(move || taken(reader, pipelines))
    }

    /// Creates it from a function that returns the taken slots. The function is called at most once.
    pub(crate) fn told_by(find: impl Fn() -> Result<Taken, JournalError> + 'a) -> Self {
        Self { find: Box::new(find), used: None }
    }

    pub(super) fn queued(&mut self, pool: PoolSpec) -> Result<Cause, JournalError> {
        let used = match &mut self.used {
            Some(used) => used,
            None => self.used.insert((self.find)()?),
        };
        let used = used.iter().filter(|(name, _)| *name == pool.name).map(|(_, count)| count).sum();
        let slots = (pool.name != DEFAULT_POOL).then_some(pool.slots);
        Ok(Cause::Queued { pool: pool.name, used, slots })
    }
}

/// Returns the pools of all taken slots.
fn taken(reader: &Reader, pipelines: &[Pipeline]) -> Result<Taken, JournalError> {
    let mut taken = Vec::new();
    for run in reader.unfinished()? {
        let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline) else { continue };
        // Slots that are held by runs of other code cannot be determined.
        let Ok(mut followed) = Followed::new(Some(pipeline), &run) else { continue };
        if followed.not_present().is_some() || followed.go_on(reader).is_err() {
            continue;
        }
        let history = followed.history();
        history.each_body(|slot, ix| {
            if history.node(slot).state() == NodeState::Running {
                taken.push((history.plan().pools[history.plan().policy(ix).pool as usize].name, 1));
            }
        });
    }
    Ok(taken)
}
