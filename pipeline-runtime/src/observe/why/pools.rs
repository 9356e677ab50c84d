//! How many slots of a pool are taken: told from all unfinished runs, and read only where somebody waits for one.

use super::Cause;
use crate::Pipeline;
use crate::engine::NodeState;
use crate::journal::{JournalError, Reader};
use crate::observe::Followed;
use crate::plan::{DEFAULT_POOL, PoolSpec};

/// The pools of a binary's pipelines, as its journal tells them.
pub(crate) struct Pools<'a> {
    reader: &'a Reader,
    pipelines: &'a [Pipeline],
    used: Option<Vec<&'static str>>,
}

impl<'a> Pools<'a> {
    pub(crate) fn new(reader: &'a Reader, pipelines: &'a [Pipeline]) -> Self {
        Self { reader, pipelines, used: None }
    }

    pub(super) fn queued(&mut self, pool: PoolSpec) -> Result<Cause, JournalError> {
        let used = match &mut self.used {
            Some(used) => used,
            None => self.used.insert(taken(self.reader, self.pipelines)?),
        };
        let used = used.iter().filter(|name| **name == pool.name).count();
        let slots = (pool.name != DEFAULT_POOL).then_some(pool.slots);
        Ok(Cause::Queued { pool: pool.name, used, slots })
    }
}

/// The pools of all slots that are taken.
fn taken(reader: &Reader, pipelines: &[Pipeline]) -> Result<Vec<&'static str>, JournalError> {
    let mut taken = Vec::new();
    for run in reader.unfinished()? {
        let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.id() == run.pipeline) else { continue };
        // What a run of other code holds, only that code could tell.
        let Ok(mut followed) = Followed::new(Some(pipeline), &run) else { continue };
        if followed.not_present().is_some() || followed.go_on(reader).is_err() {
            continue;
        }
        let history = followed.history();
        let running = history.listed().into_iter().filter(|slot| history.node(*slot).state() == NodeState::Running);
        taken.extend(running.map(|slot| {
            let pool = history.plan().policy(history.node_ix(slot)).pool;
            history.plan().pools[pool as usize].name
        }));
    }
    Ok(taken)
}
