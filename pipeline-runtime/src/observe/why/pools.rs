//! How many slots of a pool are taken: told from all unfinished runs, and read only where somebody waits for one.

use super::Cause;
use crate::Pipeline;
use crate::engine::NodeState;
use crate::journal::{JournalError, Reader};
use crate::observe::Followed;
use crate::plan::{DEFAULT_POOL, PoolSpec};

/// How many places of which pool are taken. A pool may be there several times.
type Taken = Vec<(&'static str, usize)>;

/// The pools of a binary's pipelines, as its journal tells them.
pub(crate) struct Pools<'a> {
    find: Box<dyn Fn() -> Result<Taken, JournalError> + 'a>,
    used: Option<Taken>,
}

impl<'a> Pools<'a> {
    pub(crate) fn new(reader: &'a Reader, pipelines: &'a [Pipeline]) -> Self {
        Self::told_by(move || taken(reader, pipelines))
    }

    /// Of whoever knows what is taken. He is asked at most once.
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

/// The pools of all slots that are taken.
fn taken(reader: &Reader, pipelines: &[Pipeline]) -> Result<Taken, JournalError> {
    let mut taken = Vec::new();
    for run in reader.unfinished()? {
        let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline) else { continue };
        // What a run of other code holds, only that code could tell.
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
