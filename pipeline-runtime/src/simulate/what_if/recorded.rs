//! What the bodies of a run answered, and how long they took.

use crate::author::keys::without_key;
use crate::author::value::Value;
use crate::engine::{NodeState, Skip, Slot};
use crate::observe::{NodeHistory, RunHistory, Span, Work};
use crate::plan::{Plan, SensorPolicy, What};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A look that is so much later than its time was in time: that is how late a timer is on a machine with other work.
const TICK: Duration = Duration::from_millis(100);

/// What the bodies of a run answered, by their nodes' ids.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) nodes: HashMap<String, Recorded>,
    /// How many attempts were cut off by the end of their process.
    pub(super) interrupted: usize,
    /// How many nodes were retried by hand.
    pub(super) cleared: usize,
}

/// What one node's body did, since the node was last retried by hand.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Those that came to an end of their own, in order.
    pub(super) attempts: Vec<RecordedAttempt>,
    pub(super) output: Option<Value>,
    pub(super) looks: Option<Looks>,
}

#[derive(Debug)]
pub(super) struct RecordedAttempt {
    /// How long it took; of a sensor, its last look.
    pub(super) took: Duration,
    /// How often it looked.
    pub(super) looks: u32,
    pub(super) end: End,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    Success,
    Error(Arc<str>),
    /// No further attempt followed, though one was left.
    Fatal(Arc<str>),
    Skip(Arc<str>),
    /// A sensor's wait outlasted its timeout.
    TimedOut,
}

/// What a sensor's looks tell.
#[derive(Debug)]
pub(super) struct Looks {
    /// When what it found was there.
    pub(super) arrived: Option<Window>,
    pub(super) found: Found,
}

/// What let a sensor look when it found what it looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Its `poke`.
    ByClock,
    /// What came: it looked before its `poke` was over.
    Woken,
    /// It had said itself when to look again, or waited for a slot.
    Later,
}

/// When something came, as offsets from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// It was not there then; none where the first look has found it.
    pub(crate) after: Option<Duration>,
    /// It was there by then.
    pub(crate) by: Duration,
}

impl Looks {
    /// When what it found is taken to have been there. Where the clock let the sensor look, that is the middle of the window: where nothing else
    /// is changed the same look finds it, and the mistake is the least where the looks are others.
    pub(super) fn taken(&self, window: &Window) -> Duration {
        match (self.found, window.after) {
            (_, None) => Duration::ZERO,
            (Found::ByClock, Some(after)) => after + window.by.saturating_sub(after) / 2,
            (Found::Woken | Found::Later, Some(_)) => window.by,
        }
    }
}

impl Recording {
    pub(super) fn of(history: &RunHistory, plan: &Plan) -> Self {
        let mut recording = Self { nodes: HashMap::new(), interrupted: 0, cleared: 0 };
        for slot in history.listed() {
            let node = history.node(slot);
            recording.interrupted += node.troubles().iter().filter(|trouble| trouble.error.is_none()).count();
            recording.cleared += usize::from(node.cleared_at().is_some());
            let id = history.id(slot);
            if let Some(recorded) = Recorded::of(history, slot, plan, &id) {
                recording.nodes.insert(id, recorded);
            }
        }
        recording
    }
}

impl Recorded {
    /// None of what never ran, or runs no more: its element is removed.
    fn of(history: &RunHistory, slot: Slot, plan: &Plan, id: &str) -> Option<Self> {
        let node = history.node(slot);
        let ix = plan.find(without_key(id))?;
        let What::Body(task) = &plan.node(ix).what else { return None };
        let since = node.cleared_at();
        let is_of_now = |at: Duration| since.is_none_or(|since| at > since);
        let spans: Vec<Span> = node.spans().into_iter().filter(|span| since.is_none_or(|since| span.from >= since)).collect();
        if spans.is_empty() || node.state() == NodeState::Removed {
            return None;
        }
        let policy = plan.policy(ix);
        let timeout = policy.sensor.as_ref().map(|sensor| sensor.timeout);
        let mut attempts = Vec::new();
        // Of a sensor: since when its timeout runs.
        let mut budget = spans[0].from;
        let mut from = Duration::ZERO;
        for trouble in node.troubles().iter().filter(|trouble| is_of_now(trouble.at)) {
            let looks = looks_between(&spans, from, trouble.at);
            let last = trouble.from.unwrap_or(trouble.at);
            from = trouble.at;
            let Some(error) = &trouble.error else { continue };
            // It is looked for a last time as the timeout ends.
            let is_over = timeout.is_some_and(|timeout| last >= budget + timeout || !ended_a_look(&spans, trouble.at));
            let end = if is_over { End::TimedOut } else { End::Error(Arc::clone(error)) };
            if is_over {
                budget = spans.iter().map(|span| span.from).find(|start| *start > trouble.at).unwrap_or(budget);
            }
            attempts.push(RecordedAttempt { took: trouble.at.saturating_sub(last), looks, end });
        }
        let output = node.output().and_then(|json| (task.codec.decode)(json).ok());
        let last = |end| {
            let (began, ended) = (node.last_start().unwrap_or_default(), node.finished_at().unwrap_or_default());
            RecordedAttempt { took: ended.saturating_sub(began), looks: looks_between(&spans, from, ended), end }
        };
        match (node.state(), node.why_skipped()) {
            (NodeState::Success, _) => attempts.push(last(End::Success)),
            (NodeState::Skipped, Some(Skip::Body(why))) => attempts.push(last(End::Skip(Arc::clone(why)))),
            (NodeState::Skipped, Some(Skip::Timeout(_))) => attempts.push(last(End::TimedOut)),
            (NodeState::Failed, _) => {
                let is_early = attempts.len() < policy.retries as usize + 1;
                if let Some(attempt) = attempts.last_mut()
                    && let (true, End::Error(error)) = (is_early, &attempt.end)
                {
                    attempt.end = End::Fatal(Arc::clone(error));
                }
            }
            _ => {}
        }
        let looks = policy.sensor.as_deref().map(|sensor| looks(node, &spans, sensor, budget));
        Some(Self { attempts, output, looks })
    }

    /// The attempt of that number, from 1: one that the run did not have is as its last one.
    pub(super) fn attempt(&self, number: u32) -> Option<&RecordedAttempt> {
        self.attempts.get(number as usize - 1).or(self.attempts.last())
    }
}

/// How often a sensor looked after `from` until `until`.
fn looks_between(spans: &[Span], from: Duration, until: Duration) -> u32 {
    let is_between = |span: &&Span| span.what == Work::Working && span.from <= until && (span.from > from || from.is_zero());
    u32::try_from(spans.iter().filter(is_between).count()).unwrap_or(u32::MAX)
}

/// Whether a look ended then.
fn ended_a_look(spans: &[Span], at: Duration) -> bool {
    spans.iter().any(|span| span.what == Work::Working && span.until == Some(at))
}

fn looks(node: &NodeHistory, spans: &[Span], sensor: &SensorPolicy, budget: Duration) -> Looks {
    if node.state() != NodeState::Success {
        return Looks { arrived: None, found: Found::ByClock };
    }
    let by = node.last_start().unwrap_or_default();
    let miss = spans.iter().rev().find(|span| span.what == Work::Working && span.from < by);
    let arrived = Some(Window { after: miss.map(|miss| miss.from), by });
    // Where the wait grows, or the last look was that of the deadline, nothing tells one from the other.
    let poke = sensor.poke.fixed().filter(|_| by < budget + sensor.timeout);
    let found = match (miss.map(|miss| by.saturating_sub(miss.from)), poke) {
        _ if sensor.is_woken => Found::Woken,
        (Some(waited), Some((poke, _))) if waited < poke => Found::Woken,
        (Some(waited), Some((poke, jitter))) if waited > poke + jitter + TICK => Found::Later,
        _ => Found::ByClock,
    };
    Looks { arrived, found }
}
