//! [`Records`]: records of several runs in their order, as small as they can be.
//!
//! A node that succeeds at once has two. They are kept as columns of plain numbers, so that to write one down copies nothing but
//! these.

use super::core::RunIx;
use super::record::{Entry, Output, Record, Slot};
use crate::author::value::Value;
use crate::time::Timestamp;

/// Records in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Records {
    lines: Vec<Line>,
    /// Of those who have succeeded.
    outputs: Vec<Value>,
    /// When sensors that were not ready, and keep nothing in mind, poke next.
    pokes: Vec<Timestamp>,
    others: Vec<Record>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    at: Timestamp,
    run: RunIx,
    slot: Slot,
    /// The attempt, or the index of the output, of the next poke or of any other record.
    number: u32,
    kind: Kind,
}

/// As large as a number, so that a line has no gaps and is copied field by field.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
enum Kind {
    Started,
    Succeeded,
    NotYet,
    Other,
}

/// How many there were.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize, usize, usize, usize);

fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Records {
    /// A record of [`Record::Started`].
    #[inline]
    pub(crate) fn started(&mut self, run: RunIx, at: Timestamp, slot: Slot, attempt: u32) {
        self.lines.push(Line { at, run, slot, number: attempt, kind: Kind::Started });
    }

    /// A record of [`Record::Succeeded`] with an output that is not written as JSON.
    #[inline]
    pub(crate) fn succeeded(&mut self, run: RunIx, at: Timestamp, slot: Slot, output: Value) {
        let number = index(self.outputs.len());
        self.lines.push(Line { at, run, slot, number, kind: Kind::Succeeded });
        self.outputs.push(output);
    }

    pub(crate) fn push(&mut self, run: RunIx, Entry { at, record }: Entry) {
        match record {
            Record::Started { slot, attempt } => self.started(run, at, slot, attempt),
            Record::Succeeded { slot, output: Some(Output { value, json: None }) } => self.succeeded(run, at, slot, value),
            Record::NotYet { slot, next, memory: None } => {
                let number = index(self.pokes.len());
                self.lines.push(Line { at, run, slot, number, kind: Kind::NotYet });
                self.pokes.push(next);
            }
            record => {
                let number = index(self.others.len());
                self.lines.push(Line { at, run, slot: 0, number, kind: Kind::Other });
                self.others.push(record);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RunIx, Entry)> {
        self.lines.iter().map(|line| {
            let number = line.number as usize;
            let other = || self.others[number].clone();
            (line.run, line.entry(|| self.outputs[number].clone(), || self.pokes[number], other))
        })
    }

    /// Takes them all; their memory is used again.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (RunIx, Entry)> {
        let (mut outputs, mut pokes, mut others) = (self.outputs.drain(..), self.pokes.drain(..), self.others.drain(..));
        self.lines.drain(..).map(move |line| {
            // Each line that names one has pushed it.
            let output = || outputs.next().unwrap_or_else(|| unreachable!("an output is missing"));
            let poke = || pokes.next().unwrap_or(line.at);
            let other = || others.next().unwrap_or_else(|| unreachable!("a record is missing"));
            (line.run, line.entry(output, poke, other))
        })
    }

    /// Moves all of `from`, which are of one run, behind these, as they are.
    #[inline]
    fn append(&mut self, from: &mut Self) {
        let (outputs, pokes, others) = (index(self.outputs.len()), index(self.pokes.len()), index(self.others.len()));
        for mut line in from.lines.drain(..) {
            match line.kind {
                Kind::Started => {}
                Kind::Succeeded => line.number += outputs,
                Kind::NotYet => line.number += pokes,
                Kind::Other => line.number += others,
            }
            self.lines.push(line);
        }
        self.outputs.append(&mut from.outputs);
        self.pokes.append(&mut from.pokes);
        self.others.append(&mut from.others);
    }

    /// Moves each run's to those that `of` has of it.
    #[inline]
    pub(crate) fn sort_into(&mut self, of: &mut Vec<Self>) {
        let Some(Line { run, .. }) = self.lines.first().copied() else { return };
        if self.lines.iter().all(|line| line.run == run) {
            return place(of, run).append(self);
        }
        for (run, entry) in self.drain() {
            place(of, run).push(run, entry);
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.lines.len(), self.outputs.len(), self.pokes.len(), self.others.len())
    }

    /// Undoes all that was written after the mark was made.
    pub(crate) fn truncate(&mut self, Mark(lines, outputs, pokes, others): Mark) {
        self.lines.truncate(lines);
        self.outputs.truncate(outputs);
        self.pokes.truncate(pokes);
        self.others.truncate(others);
    }
}

#[inline]
fn place(of: &mut Vec<Records>, run: RunIx) -> &mut Records {
    let run = run as usize;
    if of.len() <= run {
        of.resize_with(run + 1, Records::default);
    }
    &mut of[run]
}

impl Line {
    fn entry(&self, output: impl FnOnce() -> Value, poke: impl FnOnce() -> Timestamp, other: impl FnOnce() -> Record) -> Entry {
        let slot = self.slot;
        let record = match self.kind {
            Kind::Started => Record::Started { slot, attempt: self.number },
            Kind::Succeeded => Record::Succeeded { slot, output: Some(Output { value: output(), json: None }) },
            Kind::NotYet => Record::NotYet { slot, next: poke(), memory: None },
            Kind::Other => other(),
        };
        Entry { at: self.at, record }
    }
}
