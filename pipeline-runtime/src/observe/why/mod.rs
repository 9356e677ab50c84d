//! Explains why a node of an unfinished run has not ended, and why a run has not started: one cause each, for the command line
//! and the dashboard.

mod hold;
mod pools;
#[cfg(test)]
mod tests;

pub(crate) use hold::{DueInterval, Hold, TURN, TURN_OF_NOBODY, of_queued};
pub(crate) use pools::TakenSlots;

use super::durations::brief;
use super::history::RunHistory;
use crate::author::across::Role;
use crate::engine::{NodeState, Slot};
use crate::journal::JournalError;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::fmt::Write;
use std::time::Duration;

/// The maximum number of nodes that a sentence names.
const MAX_NAMED: usize = 4;
/// The maximum number of a mapping's elements that are searched for the one that holds it up.
const MAX_ELEMENTS: usize = 16;

/// What the nodes of an unfinished run wait for, at one moment.
pub(crate) struct Waits<'a> {
    pub(crate) history: &'a RunHistory,
    pub(crate) now: Timestamp,
    /// True if a process holds the journal, and so executes the run.
    pub(crate) is_run: bool,
}

/// Why a node has not ended. Times are offsets from the run's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A sensor's next poke is due at `next`.
    NextPoke { next: Duration, deadline: Option<Duration> },
    /// It waits for a run of another pipeline, whose end wakes it.
    OtherRun { words: &'static str, pipeline: String, deadline: Option<Duration> },
    /// A retry is due at `next`.
    Retry { next: Duration, attempt: u32, allowed: Option<u32> },
    /// Its body runs.
    Runs { attempt: u32, allowed: Option<u32>, since: Option<Duration> },
    /// Its body was running when its process ended.
    ProcessEnded { attempt: u32, allowed: Option<u32>, since: Option<Duration> },
    /// It waits for a slot of its pool.
    Queued { pool: &'static str, used: usize, slots: Option<u32> },
    /// It only needs a process.
    Ready,
    /// These upstreams have not ended.
    Upstreams(Vec<Slot>),
}

/// The complete explanation why a node has not ended.
#[derive(Debug, Clone)]
pub(crate) struct Explanation {
    pub(crate) slot: Slot,
    pub(crate) cause: Cause,
    /// The root node that it waits for, if that is another one.
    pub(crate) root: Option<(Slot, Cause)>,
    pub(crate) text: String,
    /// When this changes by itself, if known.
    pub(crate) changes_at: Option<Timestamp>,
}

impl Cause {
    /// Returns its name in machine-readable output.
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

    /// Returns when this changes by itself, if known.
    pub(crate) fn changes_at(&self) -> Option<Duration> {
        match self {
            Self::NextPoke { next, .. } | Self::Retry { next, .. } => Some(*next),
            Self::OtherRun { deadline, .. } => *deadline,
            _ => None,
        }
    }
}

impl Waits<'_> {
    /// Returns why an unfinished node has not ended.
    ///
    /// # Errors
    ///
    /// If the runs that share its pool cannot be read.
    pub(crate) fn cause(&self, slot: Slot, pools: &mut TakenSlots<'_>) -> Result<Cause, JournalError> {
        let node = self.history.node(slot);
        let plan = self.history.plan();
        let ix = self.history.node_ix(slot);
        let allowed = self.history.knows_options(slot).then(|| self.history.attempts_allowed(slot));
        Ok(match (node.state(), node.next()) {
            (NodeState::UpForReschedule | NodeState::Running, Some(next)) => {
                let deadline = self.history.deadline(slot);
                // A sensor that is woken has no poke to wait for.
                match plan.across.get(&ix).filter(|_| plan.is_woken(ix)) {
                    Some(across) => Cause::OtherRun {
                        words: across.role.words(),
                        pipeline: across.pipeline.id().to_owned(),
                        // A wait for the past has no limit.
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

    /// Returns the nodes that a node waits for, one behind the other. The last is the root of the wait: it runs, pokes, retries or is
    /// queued. Empty if that is the node itself.
    ///
    /// # Errors
    ///
    /// Those of [`Waits::cause`].
    fn chain(&self, slot: Slot, pools: &mut TakenSlots<'_>) -> Result<Vec<(Slot, Cause)>, JournalError> {
        let mut chain: Vec<(Slot, Cause)> = Vec::new();
        let mut visited = HashSet::from([slot]);
        let own = self.cause(slot, pools)?;
        loop {
            let (here, cause) = chain.last().map_or((slot, &own), |(slot, cause)| (*slot, cause));
            let blockers = match cause {
                Cause::Upstreams(awaited) => awaited.clone(),
                // A mapping is unfinished as long as one of its elements is.
                _ if !self.history.is_body(here) => self.history.open_inside(here, MAX_ELEMENTS),
                _ => break,
            };
            let mut next = None;
            for blocker in blockers {
                if !visited.insert(blocker) {
                    continue;
                }
                let cause = self.cause(blocker, pools)?;
                let is_root = !matches!(cause, Cause::Upstreams(_));
                if is_root || next.is_none() {
                    next = Some((blocker, cause));
                }
                if is_root {
                    break;
                }
            }
            let Some(next) = next else { break };
            chain.push(next);
        }
        Ok(chain)
    }

    /// Returns why the run has not ended: the cause of the unfinished node furthest downstream.
    ///
    /// # Errors
    ///
    /// Those of [`Waits::cause`].
    pub(crate) fn of_run(&self, pools: &mut TakenSlots<'_>) -> Result<Option<Explanation>, JournalError> {
        let open = self.history.listed().into_iter().rev().find(|slot| !self.history.node(*slot).state().is_end());
        open.map(|slot| self.of_node(slot, pools)).transpose()
    }

    /// Returns why an unfinished node has not ended, with the root cause.
    ///
    /// # Errors
    ///
    /// Those of [`Waits::cause`].
    pub(crate) fn of_node(&self, slot: Slot, pools: &mut TakenSlots<'_>) -> Result<Explanation, JournalError> {
        let cause = self.cause(slot, pools)?;
        let mut chain = self.chain(slot, pools)?;
        let path = self.path(&chain);
        let root = chain.pop();
        let text = match &root {
            Some((root, of_root)) => {
                format!("{}{path}: {}, {}", self.sentence(&cause), self.history.id(*root), self.sentence(of_root))
            }
            None => self.sentence(&cause),
        };
        let (_, last) = root.as_ref().map_or((slot, &cause), |(root, cause)| (*root, cause));
        let changes_at = last.changes_at().map(|offset| self.history.started + offset);
        Ok(Explanation { slot, cause, root, text, changes_at })
    }

    /// Describes how the first node of a chain leads to its last. Empty if the first one is the last.
    fn path(&self, chain: &[(Slot, Cause)]) -> String {
        let id = |(slot, _): &(Slot, Cause)| self.history.id(*slot);
        let [first, between @ .., last] = chain else { return String::new() };
        if between.len() > MAX_NAMED {
            return format!("; `{}` waits, through {} other nodes, for `{}`", id(first), between.len(), id(last));
        }
        let mut text = format!("; `{}`", id(first));
        for (n, node) in between.iter().chain([last]).enumerate() {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{} waits for `{}`", if n == 0 { "" } else { ", which" }, id(node));
        }
        text
    }

    /// Describes a cause.
    pub(crate) fn sentence(&self, cause: &Cause) -> String {
        let of = |allowed: &Option<u32>| allowed.map(|all| format!(" of {all}")).unwrap_or_default();
        let since = |since: &Option<Duration>| since.map(|since| format!(" since {}", self.clock(since))).unwrap_or_default();
        match cause {
            Cause::NextPoke { next, deadline } => format!("next poke {}{}", self.due(*next), self.left(*deadline)),
            Cause::OtherRun { words, pipeline, deadline } => format!("{words} `{pipeline}`{}", self.left(*deadline)),
            Cause::Retry { next, attempt, allowed } => format!("retry at {}, attempt {attempt}{}", self.due(*next), of(allowed)),
            Cause::Runs { attempt, allowed, since: from } => format!("attempt {attempt}{} runs{}", of(allowed), since(from)),
            Cause::ProcessEnded { attempt, allowed, since: from } => {
                format!("attempt {attempt}{} had been running{} when its process ended", of(allowed), since(from))
            }
            // Only the running process knows the size of the default pool: `--parallelism`.
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

    fn clock(&self, at: Duration) -> String {
        time_of_day(self.history.started + at, self.now)
    }
}

/// Formats a time of day, with its date unless it is today.
pub(crate) fn time_of_day(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_utc(), now.to_utc());
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    at.format(form).to_string()
}
