use crate::author::value::Value;
use crate::engine::{Entry, Journal, Kept, Outbox, Output, Record, RunIx, RunKey, Slot};
use crate::time::Timestamp;
use std::sync::{Mutex, PoisonError};

/// Keeps records as long as the process lives: for simulations and for runs that need not outlive it.
#[derive(Debug, Default)]
pub(crate) struct MemoryJournal {
    /// By run.
    records: Mutex<Vec<Records>>,
}

/// The records of a run. A node that succeeds at once has two, which are kept as small as they can be.
#[derive(Debug, Default)]
struct Records {
    lines: Vec<Line>,
    outputs: Vec<Value>,
    others: Vec<Record>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    at: Timestamp,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Started {
        slot: Slot,
        attempt: u32,
    },
    /// With the index of its output.
    Succeeded {
        slot: Slot,
        output: u32,
    },
    /// The index of any other record.
    Other(u32),
}

impl Records {
    fn push(&mut self, Entry { at, record }: Entry) {
        let index = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let what = match record {
            Record::Started { slot, attempt } => What::Started { slot, attempt },
            Record::Succeeded { slot, output: Some(Output { value, json: None }) } => {
                self.outputs.push(value);
                What::Succeeded { slot, output: index(self.outputs.len() - 1) }
            }
            record => {
                self.others.push(record);
                What::Other(index(self.others.len() - 1))
            }
        };
        self.lines.push(Line { at, what });
    }

    fn entry(&self, line: Line) -> Entry {
        let record = match line.what {
            What::Started { slot, attempt } => Record::Started { slot, attempt },
            What::Succeeded { slot, output } => {
                let value = self.outputs[output as usize].clone();
                Record::Succeeded { slot, output: Some(Output { value, json: None }) }
            }
            What::Other(other) => self.others[other as usize].clone(),
        };
        Entry { at: line.at, record }
    }
}

impl Journal for MemoryJournal {
    fn is_durable(&self) -> bool {
        false
    }

    fn submit(&self, outbox: &mut Outbox, _: &dyn Fn(RunIx) -> RunKey) -> Kept {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for (run, entry) in outbox.records.drain(..) {
            let run = run as usize;
            if records.len() <= run {
                records.resize_with(run + 1, Records::default);
            }
            records[run].push(entry);
        }
        Kept::Now
    }

    fn entries(&self, run: RunIx) -> Vec<Entry> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of) = records.get(run as usize) else { return Vec::new() };
        of.lines.iter().map(|line| of.entry(*line)).collect()
    }
}
