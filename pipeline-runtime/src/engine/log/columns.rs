//! [`Records`]: the records of several runs, in order and compact. [`RunRecords`]: those of one run.
//!
//! A node that succeeds at once has two records. They are stored as columns of plain numbers, so writing one copies only numbers.
//!
//! The core appends lines, and the in-memory journal sorts them by run. Only a reader of the history turns lines into entries, so
//! the most frequent records are never moved as an enum.

use super::super::ids::{RunIx, Slot};
use super::record::{Entry, Output, Record};
use crate::author::value::Value;
use crate::time::Timestamp;

/// Records in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Records {
    lines: Vec<Line>,
    columns: Columns,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    at: Timestamp,
    run: RunIx,
    slot: Slot,
    /// The attempt of a start; for other kinds the record's index in its column.
    number: u32,
    kind: Kind,
}

/// As large as a number, so that a line has no padding and is copied field by field.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
enum Kind {
    Started = 0,
    Succeeded = 1,
    NotYet = 2,
    Other = 3,
}

/// The data that the lines point to.
#[derive(Debug, Default)]
struct Columns {
    /// The outputs of nodes that succeeded.
    outputs: Vec<Value>,
    /// When each sensor that was not ready, and remembers nothing, pokes next.
    pokes: Vec<Timestamp>,
    others: Vec<Record>,
}

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
        let number = index(self.columns.outputs.len());
        self.lines.push(Line { at, run, slot, number, kind: Kind::Succeeded });
        self.columns.outputs.push(output);
    }

    pub(crate) fn push(&mut self, run: RunIx, Entry { at, record }: Entry) {
        let (slot, kind, number) = self.columns.put(record);
        self.lines.push(Line { at, run, slot, number, kind });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RunIx, Entry)> {
        self.lines
            .iter()
            .map(|line| (line.run, Entry { at: line.at, record: self.columns.get(line.slot, line.kind, line.number) }))
    }

    /// Removes and returns all records. Their memory is reused.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (RunIx, Entry)> {
        let Columns { outputs, pokes, others } = &mut self.columns;
        let (mut outputs, mut pokes, mut others) = (outputs.drain(..), pokes.drain(..), others.drain(..));
        self.lines.drain(..).map(move |Line { at, run, slot, number, kind }| {
            // Each line that names one has pushed it.
            let record = match kind {
                Kind::Started => Record::Started { slot, attempt: number },
                Kind::Succeeded => succeeded(slot, outputs.next().unwrap_or_else(|| unreachable!("an output is missing"))),
                Kind::NotYet => Record::NotYet { slot, next: pokes.next().unwrap_or(at), memory: None },
                Kind::Other => others.next().unwrap_or_else(|| unreachable!("a record is missing")),
            };
            (run, Entry { at, record })
        })
    }

    /// Removes all records. Their memory is reused.
    #[inline]
    pub(crate) fn clear(&mut self) {
        let Columns { outputs, pokes, others } = &mut self.columns;
        self.lines.clear();
        outputs.clear();
        pokes.clear();
        others.clear();
    }

    /// Moves each run's records to that run's entry in `of`.
    #[inline]
    pub(crate) fn sort_into(&mut self, of: &mut Vec<RunRecords>) {
        let Some(Line { run, .. }) = self.lines.first().copied() else { return };
        if self.lines.iter().all(|line| line.run == run) {
            return place(of, run).append(self);
        }
        for (run, entry) in self.drain() {
            place(of, run).push(entry);
        }
    }
}

/// Records of one run. They do not repeat the run's index, since a run of a million nodes has two million records.
#[derive(Debug, Default)]
pub(crate) struct RunRecords {
    lines: Vec<RunLine>,
    columns: Columns,
}

#[derive(Debug, Clone, Copy)]
struct RunLine {
    at: Timestamp,
    slot: Slot,
    /// A [`Line`]'s number, with its kind in the lowest two bits. Memory runs out before there are 2^30 records of one kind.
    number: u32,
}

impl RunLine {
    #[inline]
    fn new(at: Timestamp, slot: Slot, kind: Kind, number: u32) -> Self {
        Self { at, slot, number: (number << 2) | kind as u32 }
    }

    fn kind(self) -> Kind {
        match self.number & 3 {
            0 => Kind::Started,
            1 => Kind::Succeeded,
            2 => Kind::NotYet,
            _ => Kind::Other,
        }
    }
}

impl RunRecords {
    fn push(&mut self, Entry { at, record }: Entry) {
        let (slot, kind, number) = self.columns.put(record);
        self.lines.push(RunLine::new(at, slot, kind, number));
    }

    /// Moves all of `from` behind these records, unchanged. All of them belong to this run.
    #[inline]
    fn append(&mut self, from: &mut Records) {
        let Columns { outputs, pokes, others } = &mut self.columns;
        let before = [0, index(outputs.len()), index(pokes.len()), index(others.len())];
        let moved = |line: Line| RunLine::new(line.at, line.slot, line.kind, line.number + before[line.kind as usize]);
        self.lines.extend(from.lines.drain(..).map(moved));
        outputs.append(&mut from.columns.outputs);
        pokes.append(&mut from.columns.pokes);
        others.append(&mut from.columns.others);
    }

    /// All records but the first `from`.
    pub(crate) fn iter_from(&self, from: usize) -> impl Iterator<Item = Entry> {
        let record = |line: &RunLine| self.columns.get(line.slot, line.kind(), line.number >> 2);
        self.lines.get(from..).unwrap_or_default().iter().map(move |line| Entry { at: line.at, record: record(line) })
    }
}

#[inline]
fn place(of: &mut Vec<RunRecords>, run: RunIx) -> &mut RunRecords {
    let run = run as usize;
    if of.len() <= run {
        of.resize_with(run + 1, RunRecords::default);
    }
    &mut of[run]
}

fn succeeded(slot: Slot, value: Value) -> Record {
    Record::Succeeded { slot, output: Some(Output { value, json: None }) }
}

impl Columns {
    /// Stores what does not fit into a line, and returns the rest.
    fn put(&mut self, record: Record) -> (Slot, Kind, u32) {
        match record {
            Record::Started { slot, attempt } => (slot, Kind::Started, attempt),
            Record::Succeeded { slot, output: Some(Output { value, json: None }) } => {
                self.outputs.push(value);
                (slot, Kind::Succeeded, index(self.outputs.len() - 1))
            }
            Record::NotYet { slot, next, memory: None } => {
                self.pokes.push(next);
                (slot, Kind::NotYet, index(self.pokes.len() - 1))
            }
            record => {
                self.others.push(record);
                (0, Kind::Other, index(self.others.len() - 1))
            }
        }
    }

    fn get(&self, slot: Slot, kind: Kind, number: u32) -> Record {
        let at = number as usize;
        match kind {
            Kind::Started => Record::Started { slot, attempt: number },
            Kind::Succeeded => succeeded(slot, self.outputs[at].clone()),
            Kind::NotYet => Record::NotYet { slot, next: self.pokes[at], memory: None },
            Kind::Other => self.others[at].clone(),
        }
    }
}
