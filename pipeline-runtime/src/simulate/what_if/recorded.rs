//! The recorded answers of a run's bodies, and the time they took.

use crate::author::keys::without_key;
use crate::author::value::Value;
use crate::engine::{NodeState, Skip, Slot};
use crate::observe::{Activity, NodeHistory, RunHistory, Span};
use crate::plan::{Plan, SensorPolicy, What};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A poke that is late by less than this was on time: timers are late on a busy machine.
const TICK: Duration = Duration::from_millis(100);

/// The recorded answers of a run's bodies, by their nodes' ids.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) nodes: HashMap<String, RecordedNode>,
    /// The number of attempts that ended with their process.
    pub(super) interrupted: usize,
    /// The number of nodes that were retried manually.
    pub(super) cleared: usize,
}

/// What a node's body did since the node's last manual retry.
#[derive(Debug)]
pub(super) struct RecordedNode {
    /// The attempts that ended by themselves, in order.
    pub(super) attempts: Vec<RecordedAttempt>,
    pub(super) output: Option<Value>,
    /// The start of its last poke or attempt, if it has not ended by itself.
    pub(super) open: Option<Duration>,
    pub(super) finding: Option<SensorFinding>,
}

#[derive(Debug)]
pub(super) struct RecordedAttempt {
    /// How long it took; for a sensor, its last poke.
    pub(super) took: Duration,
    /// The number of pokes.
    pub(super) pokes: u32,
    pub(super) end: AttemptEnd,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(super) enum AttemptEnd {
    Success,
    Error(Arc<str>),
    /// No further attempt followed although retries were left.
    Fatal(Arc<str>),
    Skip(Arc<str>),
    /// A sensor's wait outlasted its timeout.
    TimedOut,
}

/// What a sensor's pokes reveal.
#[derive(Debug)]
pub(super) struct SensorFinding {
    /// When what the sensor found was there.
    pub(super) arrived: Option<Window>,
    pub(super) cause: PokeCause,
}

/// Why a sensor poked at the time when it found what it looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PokeCause {
    /// Its `poke` interval was over.
    ByClock,
    /// What came: it looked before its `poke` was over.
    Woken,
    /// It had asked for a later poke, or waited for a slot.
    Later,
}

/// When something arrived, as offsets from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The last time when it was not there; `None` if the first poke found it.
    pub(crate) after: Option<Duration>,
    /// The time by which it was there.
    pub(crate) by: Duration,
}

impl SensorFinding {
    /// The assumed time of arrival. If the clock triggered the poke, it is the middle of the window: without other changes the
    /// same poke finds it, and with changed pokes the error is smallest.
    pub(super) fn assumed_arrival(&self, window: &Window) -> Duration {
        match (self.cause, window.after) {
            (_, None) => Duration::ZERO,
            (PokeCause::ByClock, Some(after)) => after + window.by.saturating_sub(after) / 2,
            (PokeCause::Woken | PokeCause::Later, Some(_)) => window.by,
        }
    }
}

impl Recording {
    pub(super) fn of(history: &RunHistory, plan: &Plan) -> Self {
        let mut recording = Self { nodes: HashMap::new(), interrupted: 0, cleared: 0 };
        for slot in history.listed() {
            let node = history.node(slot);
            recording.interrupted +=
                node.failed_attempts().iter().filter(|failed_attempt| failed_attempt.error.is_none()).count();
            recording.cleared += usize::from(node.cleared_at().is_some());
            let id = history.id(slot);
            if let Some(recorded) = RecordedNode::of(history, slot, plan, &id) {
                recording.nodes.insert(id, recorded);
            }
        }
        recording
    }
}

impl RecordedNode {
    /// `None` for a node that never ran, or that was removed with its element.
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
        // For a sensor: the start of its timeout.
        let mut budget = spans[0].from;
        let mut from = Duration::ZERO;
        for failed_attempt in node.failed_attempts().iter().filter(|failed_attempt| is_of_now(failed_attempt.at)) {
            let pokes = pokes_between(&spans, from, failed_attempt.at);
            let last = failed_attempt.from.unwrap_or(failed_attempt.at);
            from = failed_attempt.at;
            let Some(error) = &failed_attempt.error else { continue };
            // The last poke happens when the timeout is over.
            let is_over = timeout.is_some_and(|timeout| last >= budget + timeout || !is_end_of_poke(&spans, failed_attempt.at));
            let end = if is_over { AttemptEnd::TimedOut } else { AttemptEnd::Error(Arc::clone(error)) };
            if is_over {
                budget = spans.iter().map(|span| span.from).find(|start| *start > failed_attempt.at).unwrap_or(budget);
            }
            attempts.push(RecordedAttempt { took: failed_attempt.at.saturating_sub(last), pokes, end });
        }
        let output = node.output().and_then(|json| (task.codec.decode)(json).ok());
        let last = |end| {
            let (began, ended) = (node.last_start().unwrap_or_default(), node.finished_at().unwrap_or_default());
            RecordedAttempt { took: ended.saturating_sub(began), pokes: pokes_between(&spans, from, ended), end }
        };
        match (node.state(), node.why_skipped()) {
            (NodeState::Success, _) => attempts.push(last(AttemptEnd::Success)),
            (NodeState::Skipped, Some(Skip::Body(why))) => attempts.push(last(AttemptEnd::Skip(Arc::clone(why)))),
            (NodeState::Skipped, Some(Skip::Timeout(_))) => attempts.push(last(AttemptEnd::TimedOut)),
            (NodeState::Failed, _) => {
                let is_early = attempts.len() < policy.retries as usize + 1;
                if let Some(attempt) = attempts.last_mut()
                    && let (true, AttemptEnd::Error(error)) = (is_early, &attempt.end)
                {
                    attempt.end = AttemptEnd::Fatal(Arc::clone(error));
                }
            }
            _ => {}
        }
        let finding = policy.sensor.as_deref().map(|sensor| finding(node, &spans, sensor, budget));
        let is_open = !node.state().is_end() || matches!(node.why_skipped(), Some(Skip::RunEnded));
        let open = node.last_start().filter(|_| is_open);
        Some(Self { attempts, output, open, finding })
    }

    /// The attempt with that number, from 1. Attempts that the run did not have repeat its last one.
    pub(super) fn attempt(&self, number: u32) -> Option<&RecordedAttempt> {
        self.attempts.get(number as usize - 1).or(self.attempts.last())
    }
}

/// The number of a sensor's pokes after `from` until `until`.
fn pokes_between(spans: &[Span], from: Duration, until: Duration) -> u32 {
    let is_between =
        |span: &&Span| span.activity == Activity::Working && span.from <= until && (span.from > from || from.is_zero());
    u32::try_from(spans.iter().filter(is_between).count()).unwrap_or(u32::MAX)
}

/// True if a poke ended at that time.
fn is_end_of_poke(spans: &[Span], at: Duration) -> bool {
    spans.iter().any(|span| span.activity == Activity::Working && span.until == Some(at))
}

fn finding(node: &NodeHistory, spans: &[Span], sensor: &SensorPolicy, budget: Duration) -> SensorFinding {
    if node.state() != NodeState::Success {
        return SensorFinding { arrived: None, cause: PokeCause::ByClock };
    }
    let by = node.last_start().unwrap_or_default();
    let miss = spans.iter().rev().find(|span| span.activity == Activity::Working && span.from < by);
    let arrived = Some(Window { after: miss.map(|miss| miss.from), by });
    // If the wait grows, or the last poke was at the deadline, the cause of the poke cannot be determined.
    let poke = sensor.poke.fixed().filter(|_| by < budget + sensor.timeout);
    let cause = match (miss.map(|miss| by.saturating_sub(miss.from)), poke) {
        _ if sensor.is_woken => PokeCause::Woken,
        (Some(waited), Some((poke, _))) if waited < poke => PokeCause::Woken,
        (Some(waited), Some((poke, jitter))) if waited > poke + jitter + TICK => PokeCause::Later,
        _ => PokeCause::ByClock,
    };
    SensorFinding { arrived, cause }
}
