//! The messages between the core and the runtime: what the core leaves to be done, and the answers it gets.

use super::ids::{Job, RunIx, Slot};
use super::log::Records;
use super::state::{Run, RunSpec};
use super::states::RunState;
use crate::author::notify::Notification;
use crate::author::value::Value;
use crate::plan::NotifierIx;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What a call of the core left to do. The records must be stored before any of the rest is carried out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) records: Records,
    pub(crate) todo: Todo,
    pub(crate) garbage: Vec<Garbage>,
}

/// What must be dropped after the engine's lock is free, because it contains user values, whose drop is user code.
#[derive(Debug)]
pub(crate) enum Garbage {
    /// An answer that came too late.
    Answer(#[expect(dead_code, reason = "it is dropped")] Answer),
    /// A value that a retry cleared.
    Value(#[expect(dead_code, reason = "it is dropped")] Value),
    /// The run of an attempt whose memory another run's attempt uses.
    Spec(#[expect(dead_code, reason = "it is dropped")] Arc<RunSpec>),
    /// A run that is not resumed, because an edit cannot be applied to it.
    Run(#[expect(dead_code, reason = "it is dropped")] Box<Run>),
}

/// Why a notification was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryError {
    pub(crate) error: String,
    /// The notifier asks not to be called again before this time has passed.
    pub(crate) after: Option<Duration>,
    /// Another try would not help.
    pub(crate) is_final: bool,
}

impl From<String> for DeliveryError {
    fn from(error: String) -> Self {
        Self { error, after: None, is_final: false }
    }
}

/// What the runtime has to do: first start bodies, then carry out the actions.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    pub(crate) starts: VecDeque<Job>,
    pub(crate) actions: Vec<Action>,
}

impl Todo {
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.actions.is_empty()
    }

    /// Returns how many bytes it holds, without what its actions point to.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Job>() * self.starts.len() + size_of_val(self.actions.as_slice())
    }

    /// Appends work that is to be done after this.
    pub(crate) fn append(&mut self, mut after: Self) {
        self.starts.append(&mut after.starts);
        self.actions.append(&mut after.actions);
    }
}

/// What the runtime has to do besides starting bodies.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Cut an attempt off. Its answer is still expected.
    Abort(Job),
    /// Inspect a mapping's list, and report the result under that number.
    Look { run: RunIx, slot: Slot, number: u64 },
    /// Deliver a notification.
    Deliver { run: RunIx, id: u32, notifier: NotifierIx, notification: Arc<Notification> },
    /// The run has ended.
    Ended { run: RunIx, state: RunState },
}

/// The result of an attempt. It is moved several times, so the most frequent case is small.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The output, where no JSON of it is needed.
    Output(Value),
    /// Any other result, with the sensor's memory.
    Any(Box<(Answered, Option<Arc<str>>)>),
}

impl Answer {
    pub(crate) fn new(what: Answered, memory: Option<Arc<str>>) -> Self {
        match what {
            Answered::Success(value, None) => Self::Output(value),
            what => Self::Any(Box::new((what, memory))),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Answered {
    /// The output, with its JSON where the journal is durable.
    Success(Value, Option<Arc<[u8]>>),
    /// With what the poke looked for, if it may be the sensor's last poke: the end of the message "timed out: …; …".
    NotYet(Option<Box<str>>),
    /// The next poke is due at that time.
    NotBefore(Timestamp),
    Error(Arc<str>),
    Fatal(Arc<str>),
    Skip(Arc<str>),
    /// The attempt was cut off.
    Aborted,
}

impl From<Answered> for Answer {
    fn from(what: Answered) -> Self {
        Self::new(what, None)
    }
}
