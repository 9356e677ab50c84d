//! Why a node of an unfinished run has not ended, and why a run has not begun: one cause each, for the command line and the dashboard.

mod pools;
mod turn;

pub(crate) use pools::Pools;
pub(crate) use turn::{Due, Hold, TURN, TURN_OF_NOBODY, of_queued};

use super::durations::brief;
use super::history::RunHistory;
use crate::author::across::Role;
use crate::engine::{NodeState, Slot};
use crate::journal::JournalError;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::time::Duration;

/// So many upstreams are named.
const MAX_NAMED: usize = 4;
/// So many elements of a mapping are looked at for the one that holds it up.
const MAX_ELEMENTS: usize = 16;

/// What the nodes of an unfinished run wait for, at one moment.
pub(crate) struct Waits<'a> {
    pub(crate) history: &'a RunHistory,
    pub(crate) now: Timestamp,
    /// A process has the journal, and so runs it.
    pub(crate) is_run: bool,
}

/// Why a node has not ended. Times are offsets from the run's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A sensor's next poke is due then.
    NextPoke { next: Duration, deadline: Option<Duration> },
    /// It waits for a run of another pipeline, and is woken by that.
    OtherRun { words: &'static str, pipeline: String, deadline: Option<Duration> },
    /// A retry is due then.
    Retry { next: Duration, attempt: u32, allowed: Option<u32> },
    /// Its body runs.
    Runs { attempt: u32, allowed: Option<u32>, since: Option<Duration> },
    /// Its body was under way as its process ended.
    ProcessEnded { attempt: u32, allowed: Option<u32>, since: Option<Duration> },
    /// It waits for a place in its pool.
    Queued { pool: &'static str, used: usize, slots: Option<u32> },
    /// Nothing but a process is missing.
    Ready,
    /// These have not ended.
    Upstreams(Vec<Slot>),
}

/// Why a node has not ended, told whole.
#[derive(Debug, Clone)]
pub(crate) struct Why {
    pub(crate) slot: Slot,
    pub(crate) cause: Cause,
    /// The one node behind it, where that is another.
    pub(crate) root: Option<(Slot, Cause)>,
    pub(crate) text: String,
    /// When it changes by itself, where that is known.
    pub(crate) changes_at: Option<Timestamp>,
}

impl Cause {
    /// What it is called in answers of programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::NextPoke { .. } => "next_poke",
            Self::OtherRun { .. } => "waits_for_run",
            Self::Retry { .. } => "retry",
            Self::Runs { .. } => "runs",
            Self::ProcessEnded { .. } => "process_ended",
            Self::Queued { .. } => "queued",
            Self::Ready => "ready",
            Self::Upstreams(_) => "upstreams",
        }
    }

    /// When it changes by itself, where that is known.
    pub(crate) fn changes_at(&self) -> Option<Duration> {
        match self {
            Self::NextPoke { next, .. } | Self::Retry { next, .. } => Some(*next),
            Self::OtherRun { deadline, .. } => *deadline,
            _ => None,
        }
    }
}

impl Waits<'_> {
    /// Why a node that has not ended has not.
    ///
    /// # Errors
    ///
    /// If the runs that share its pool cannot be read.
    pub(crate) fn cause(&self, slot: Slot, pools: &mut Pools<'_>) -> Result<Cause, JournalError> {
        let node = self.history.node(slot);
        let plan = self.history.plan();
        let ix = self.history.node_ix(slot);
        let allowed = self.history.knows_options(slot).then(|| self.history.attempts_allowed(slot));
        Ok(match (node.state(), node.next()) {
            (NodeState::UpForReschedule | NodeState::Running, Some(next)) => {
                let deadline = self.history.deadline(slot);
                // One that is woken has no poke to wait for.
                match plan.across.get(&ix).filter(|_| plan.is_woken(ix)) {
                    Some(across) => Cause::OtherRun {
                        words: across.role.words(),
                        pipeline: across.pipeline.id().to_owned(),
                        // That one waits for as long as it takes.
                        deadline: deadline.filter(|_| !matches!(across.role, Role::Past(_))),
                    },
                    None => Cause::NextPoke { next, deadline },
                }
            }
            (NodeState::UpForRetry, Some(next)) => Cause::Retry { next, attempt: node.attempts() + 1, allowed },
            (NodeState::Running, _) if self.is_run => Cause::Runs { attempt: node.attempts(), allowed, since: node.since() },
            (NodeState::Running, _) => Cause::ProcessEnded { attempt: node.attempts(), allowed, since: node.since() },
            _ => match self.history.awaited(slot) {
                awaited if !awaited.is_empty() => Cause::Upstreams(awaited),
                _ if self.is_run => pools.queued(plan.pools[plan.policy(ix).pool as usize])?,
                _ => Cause::Ready,
            },
        })
    }

    /// The one node behind a wait: that which runs, pokes, retries or is queued. None where the node itself is that one.
    ///
    /// # Errors
    ///
    /// As of [`Waits::cause`].
    pub(crate) fn root(&self, slot: Slot, pools: &mut Pools<'_>) -> Result<Option<(Slot, Cause)>, JournalError> {
        let mut found = None;
        let (mut here, mut seen) = (slot, HashSet::from([slot]));
        let mut cause = self.cause(slot, pools)?;
        loop {
            let behind = match &cause {
                Cause::Upstreams(awaited) => awaited.clone(),
                // A mapping goes on as long as one of its elements does.
                _ if !self.history.is_body(here) => self.history.open_inside(here, MAX_ELEMENTS),
                _ => break,
            };
            let mut next = None;
            for upstream in behind {
                if !seen.insert(upstream) {
                    continue;
                }
                let cause = self.cause(upstream, pools)?;
                let is_root = !matches!(cause, Cause::Upstreams(_));
                if is_root || next.is_none() {
                    next = Some((upstream, cause));
                }
                if is_root {
                    break;
                }
            }
            let Some((upstream, of_upstream)) = next else { break };
            (here, cause) = (upstream, of_upstream);
            found = Some((here, cause.clone()));
        }
        Ok(found)
    }

    /// Why the run has not ended: why the node has not that is furthest downstream.
    ///
    /// # Errors
    ///
    /// As of [`Waits::cause`].
    pub(crate) fn of_run(&self, pools: &mut Pools<'_>) -> Result<Option<Why>, JournalError> {
        let open = self.history.listed().into_iter().rev().find(|slot| !self.history.node(*slot).state().is_end());
        open.map(|slot| self.of_node(slot, pools)).transpose()
    }

    /// Why a node that has not ended has not, with what is behind that.
    ///
    /// # Errors
    ///
    /// As of [`Waits::cause`].
    pub(crate) fn of_node(&self, slot: Slot, pools: &mut Pools<'_>) -> Result<Why, JournalError> {
        let cause = self.cause(slot, pools)?;
        let root = self.root(slot, pools)?;
        let behind = root.as_ref().map_or(&cause, |(_, cause)| cause);
        let text = match &root {
            Some((root, of_root)) => {
                format!("{}: {}, {}", self.sentence(&cause), self.history.id(*root), self.sentence(of_root))
            }
            None => self.sentence(&cause),
        };
        let changes_at = behind.changes_at().map(|offset| self.history.started + offset);
        Ok(Why { slot, cause, root, text, changes_at })
    }

    /// A cause in words.
    pub(crate) fn sentence(&self, cause: &Cause) -> String {
        let of = |allowed: &Option<u32>| allowed.map(|all| format!(" of {all}")).unwrap_or_default();
        let since = |since: &Option<Duration>| since.map(|since| format!(" since {}", self.clock(since))).unwrap_or_default();
        match cause {
            Cause::NextPoke { next, deadline } => format!("next poke {}{}", self.due(*next), self.left(*deadline)),
            Cause::OtherRun { words, pipeline, deadline } => format!("{words} `{pipeline}`{}", self.left(*deadline)),
            Cause::Retry { next, attempt, allowed } => format!("retry at {}, attempt {attempt}{}", self.due(*next), of(allowed)),
            Cause::Runs { attempt, allowed, since: from } => format!("attempt {attempt}{} runs{}", of(allowed), since(from)),
            Cause::ProcessEnded { attempt, allowed, since: from } => {
                format!("attempt {attempt}{} was under way{} as its process ended", of(allowed), since(from))
            }
            // The size of the default pool is the running process's affair: `--parallelism`.
            Cause::Queued { pool, used, slots: None } => format!("queued in pool {pool} ({used} running)"),
            Cause::Queued { pool, used, slots: Some(slots) } => format!("queued in pool {pool} ({used} of {slots})"),
            Cause::Ready => "ready to start".to_owned(),
            Cause::Upstreams(awaited) => {
                let more = awaited.len().saturating_sub(MAX_NAMED);
                let named = |slot: &Slot| format!("`{}` ({})", self.history.id(*slot), self.history.node(*slot).state());
                let named: Vec<String> = awaited.iter().take(MAX_NAMED).map(named).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("waits for {}{more}", named.join(", "))
            }
        }
    }

    fn left(&self, deadline: Option<Duration>) -> String {
        let left = deadline.map(|deadline| brief((self.history.started + deadline).since(self.now)));
        left.map(|left| format!(", budget left {left}")).unwrap_or_default()
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
