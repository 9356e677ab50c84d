//! Why a node waits.

use super::durations::brief;
use crate::Pipeline;
use crate::author::across::Role;
use crate::engine::{NodeState, Slot};
use crate::journal::{JournalError, Reader};
use crate::observe::{Followed, RunHistory};
use crate::plan::{DEFAULT_POOL, PoolSpec};
use crate::time::Timestamp;
use std::fmt::Write;
use std::time::Duration;

/// So many upstreams are named.
const MAX_NAMED: usize = 4;
/// So many nodes are told of.
const MAX_TOLD: usize = 100;

/// What the nodes of an unfinished run wait for.
pub(super) struct Waits<'a> {
    pub(super) history: &'a RunHistory,
    pub(super) now: Timestamp,
    /// A process has the journal, and so runs it.
    pub(super) is_run: bool,
}

impl Waits<'_> {
    /// One line a node that has not ended.
    pub(super) fn told(&self, reader: &Reader, pipelines: &[Pipeline]) -> Result<String, JournalError> {
        let mut pools = Pools { reader, pipelines, used: None };
        let mut text = String::new();
        let mut open = self.history.listed();
        open.retain(|slot| !self.history.node(*slot).state().is_end());
        for &slot in open.iter().take(MAX_TOLD) {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{}: {}", self.history.id(slot), self.why(slot, &mut pools)?);
        }
        let more = open.len().saturating_sub(MAX_TOLD);
        if more > 0 {
            let _ = writeln!(text, "… and {more} more nodes");
        }
        Ok(text)
    }

    fn why(&self, slot: Slot, pools: &mut Pools<'_>) -> Result<String, JournalError> {
        let node = self.history.node(slot);
        let policy = self.history.plan().policy(self.history.node_ix(slot));
        let of_all = match self.history.attempts_allowed(slot) {
            all if self.history.knows_options(slot) => format!(" of {all}"),
            _ => String::new(),
        };
        Ok(match (node.state(), node.next()) {
            (NodeState::UpForReschedule | NodeState::Running, Some(next)) => {
                let left = self
                    .history
                    .deadline(slot)
                    .map(|deadline| format!(", budget left {}", brief((self.history.started + deadline).since(self.now))));
                let ix = self.history.node_ix(slot);
                // One that is woken has no poke to wait for.
                match self.history.plan().across.get(&ix).filter(|_| self.history.plan().is_woken(ix)) {
                    // That one waits for as long as it takes.
                    Some(across) if matches!(across.role, Role::Past(_)) => {
                        format!("{} `{}`", across.role.words(), across.pipeline.id())
                    }
                    Some(across) => format!("{} `{}`{}", across.role.words(), across.pipeline.id(), left.unwrap_or_default()),
                    None => format!("next poke {}{}", self.due(next), left.unwrap_or_default()),
                }
            }
            (NodeState::UpForRetry, Some(next)) => {
                format!("retry at {}, attempt {}{of_all}", self.due(next), node.attempts() + 1)
            }
            (NodeState::Running, _) => {
                let since = node.since().map(|since| format!(" since {}", self.clock(since))).unwrap_or_default();
                if self.is_run {
                    format!("attempt {}{of_all} runs{since}", node.attempts())
                } else {
                    format!("attempt {}{of_all} was under way{since} as its process ended", node.attempts())
                }
            }
            _ => match self.history.awaited(slot).as_slice() {
                [] if self.is_run => pools.queued(self.history.plan().pools[policy.pool as usize])?,
                [] => "ready to start".to_owned(),
                awaited => {
                    let more = awaited.len().saturating_sub(MAX_NAMED);
                    let named = |slot: &Slot| format!("`{}` ({})", self.history.id(*slot), self.history.node(*slot).state());
                    let named: Vec<String> = awaited.iter().take(MAX_NAMED).map(named).collect();
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!("waits for {}{more}", named.join(", "))
                }
            },
        })
    }

    fn due(&self, at: Duration) -> String {
        let after = (self.history.started + at).since(self.now);
        let how = if after.is_zero() { " (due)".to_owned() } else { format!(" (in {})", brief(after)) };
        format!("{}{how}", self.clock(at))
    }

    /// The time of day; with its date unless that is today.
    fn clock(&self, at: Duration) -> String {
        let (at, now) = ((self.history.started + at).to_utc(), self.now.to_utc());
        let form = if at.date_naive() == now.date_naive() { "%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
        at.format(form).to_string()
    }
}

/// How many slots of a pool are taken: told from all unfinished runs, and read only where somebody waits for one.
struct Pools<'a> {
    reader: &'a Reader,
    pipelines: &'a [Pipeline],
    used: Option<Vec<&'static str>>,
}

impl Pools<'_> {
    fn queued(&mut self, pool: PoolSpec) -> Result<String, JournalError> {
        let used = match &mut self.used {
            Some(used) => used,
            None => self.used.insert(taken(self.reader, self.pipelines)?),
        };
        let count = used.iter().filter(|name| **name == pool.name).count();
        // Its size is the running process's affair: `--parallelism`.
        let of = if pool.name == DEFAULT_POOL { format!("{count} running") } else { format!("{count} of {}", pool.slots) };
        Ok(format!("queued in pool {} ({of})", pool.name))
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
