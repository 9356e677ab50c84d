//! Attempts, derived from what a node did and when.

use super::date;
use crate::observe::{Activity, FailedAttempt, NodeHistory, Span};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// An attempt of a node: one start of a task's body, or all pokes of a sensor between two errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    number: u32,
    started: DateTime<Utc>,
    finished: Option<DateTime<Utc>>,
    error: Option<Arc<str>>,
    is_interrupted: bool,
}

impl Attempt {
    /// The attempts of a node, in order.
    pub(super) fn all(node: &NodeHistory, run_started: DateTime<Utc>) -> Vec<Self> {
        let at = |offset: Duration| run_started + offset;
        let mut attempts: Vec<Self> = Vec::new();
        for AttemptSpan { from, until, is_retry } in attempt_spans(&node.spans()) {
            let failed_attempt =
                until.and_then(|until| node.failed_attempts().iter().find(|failed_attempt| failed_attempt.at == until));
            // For an attempt that succeeded before the node was cleared, only its position is known. A manual retry restarts the
            // count.
            let previous = attempts.last().filter(|before| is_retry || before.is_interrupted);
            attempts.push(Self {
                number: failed_attempt
                    .map_or(previous.map_or(1, |before| before.number + 1), |failed_attempt| failed_attempt.attempt),
                started: at(from),
                finished: until.map(at),
                error: failed_attempt.and_then(|failed_attempt| failed_attempt.error.clone()),
                is_interrupted: failed_attempt.is_some_and(|FailedAttempt { error, .. }| error.is_none()),
            });
        }
        attempts
    }

    /// The attempt's number, from 1. A node that is retried manually starts with 1 again.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// When it was started; for a sensor, when it was first poked in this attempt.
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// When it ended; `None` while it is running.
    pub fn finished(&self) -> Option<DateTime<Utc>> {
        self.finished
    }

    /// The error that ended it, followed by the errors that caused that one.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// True if the end of its process, or a user's command, stopped it.
    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// The attempt as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "attempt": self.number,
            "started": date(self.started),
            "finished": self.finished.map(date),
            "error": self.error(),
            "interrupted": self.is_interrupted,
        })
    }
}

/// The span of a node's time that makes one attempt.
struct AttemptSpan {
    from: Duration,
    until: Option<Duration>,
    /// True if it follows the wait for a retry.
    is_retry: bool,
}

/// A sensor's waits between pokes belong to its attempt; the wait for a retry belongs to none.
fn attempt_spans(spans: &[Span]) -> Vec<AttemptSpan> {
    let mut attempts: Vec<AttemptSpan> = Vec::new();
    let (mut is_open, mut is_retry) = (false, false);
    for span in spans {
        if span.activity == Activity::Retrying {
            (is_open, is_retry) = (false, true);
            continue;
        }
        match attempts.last_mut().filter(|last| is_open && last.until == Some(span.from)) {
            Some(last) => last.until = span.until,
            None => attempts.push(AttemptSpan { from: span.from, until: span.until, is_retry }),
        }
        (is_open, is_retry) = (true, false);
    }
    attempts
}
