//! What the core leaves to be carried out, and what it is answered: the messages between it and the runtime.

use super::ids::{Job, RunIx, Slot};
use super::log::Records;
use super::states::RunState;
use crate::author::notify::Notification;
use crate::author::value::Value;
use crate::plan::NotifierIx;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What a call of the core left to do. The records are to be committed before any of the rest is carried out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) records: Records,
    pub(crate) todo: Todo,
    pub(crate) garbage: Garbage,
}

/// What is to be dropped once the engine's lock is free: its drop is the user's code.
#[derive(Debug, Default)]
pub(crate) struct Garbage {
    /// Answers that came too late.
    pub(crate) answers: Vec<Answer>,
    /// Values that a retry undid.
    pub(crate) values: Vec<Value>,
}

impl Garbage {
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.values.is_empty()
    }
}

/// Why a notifier could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotTold {
    pub(crate) error: String,
    /// It asks not to be tried again before.
    pub(crate) after: Option<Duration>,
    /// No further try would help.
    pub(crate) is_final: bool,
}

impl From<String> for NotTold {
    fn from(error: String) -> Self {
        Self { error, after: None, is_final: false }
    }
}

/// What the runtime has to do: to start bodies, and then the rest.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    pub(crate) starts: VecDeque<Job>,
    pub(crate) actions: Vec<Action>,
}

impl Todo {
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.actions.is_empty()
    }

    /// How many bytes it holds, but for what its actions point to.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Job>() * self.starts.len() + size_of_val(self.actions.as_slice())
    }

    /// Adds what is to be done after it.
    pub(crate) fn append(&mut self, mut after: Self) {
        self.starts.append(&mut after.starts);
        self.actions.append(&mut after.actions);
    }
}

/// What the runtime has to do besides starting bodies.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Cut an attempt off. It is still to be answered.
    Abort(Job),
    /// Look at a mapping's list. What is seen is to be told under that number.
    Look { run: RunIx, slot: Slot, number: u64 },
    /// Deliver a notification.
    Deliver { run: RunIx, id: u32, notifier: NotifierIx, notification: Arc<Notification> },
    /// The run has ended.
    Ended { run: RunIx, state: RunState },
}

/// What became of an attempt. It is moved from hand to hand, so that it is small for what most come to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The output, where nobody wants it as JSON.
    Output(Value),
    /// Anything, with what a sensor remembers.
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
    /// With what the poke looked for, where it may be the sensor's last: the end of the sentence "timed out: …; …".
    NotYet(Option<Box<str>>),
    /// The next poke is due at that time.
    NotBefore(Timestamp),
    Error(Arc<str>),
    Fatal(Arc<str>),
    Skip(Arc<str>),
    /// It was cut off as asked.
    Aborted,
}

impl From<Answered> for Answer {
    fn from(what: Answered) -> Self {
        Self::new(what, None)
    }
}
