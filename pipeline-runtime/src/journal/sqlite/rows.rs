//! Converts records to rows, and rows to records.

use crate::author::pipeline::panic_message;
use crate::author::value::Value;
use crate::engine::{Entry, Layout, Output, Record, RunState, Skip, Slot, translate};
use crate::plan::{Plan, Recipient, Remap, What};
use crate::time::Timestamp;
use rusqlite::Row;
use rusqlite::types::Value as Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A row of `records`, without its run and number.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RecordRow {
    pub(super) at: i64,
    pub(super) kind: i64,
    pub(super) slot: Option<i64>,
    pub(super) number: Option<i64>,
    pub(super) time: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) body: Option<Vec<u8>>,
}

/// A record as it was read, before a plan gives its output a type.
#[derive(Debug, Clone)]
pub(crate) struct StoredEntry {
    /// The record's number in its run.
    pub(crate) number: i64,
    pub(crate) entry: Entry,
    /// The output of a `Succeeded`.
    pub(crate) json: Option<Arc<[u8]>>,
}

/// A record that does not fit the plan that it is read with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error(
        "the output of `{node}` in the journal is not a valid `{type_name}` any more ({reason}); it was written by other code. Let \
         the type also read the old form (`#[serde(default)]`), or start again with `--new`"
    )]
    Output { node: String, type_name: &'static str, reason: String },
    #[error("a record in the journal names node {slot} of {slots}; it was written with another plan")]
    Slot { slot: Slot, slots: usize },
}

const STARTED: i64 = 1;
pub(super) const NOT_YET: i64 = 2;
const RETRYING: i64 = 3;
const INTERRUPTED: i64 = 4;
pub(super) const UNFOLDED: i64 = 5;
const SUCCEEDED: i64 = 6;
const FAILED: i64 = 7;
const SKIPPED: i64 = 8;
const UPSTREAM_FAILED: i64 = 9;
pub(super) const RUN_ENDED: i64 = 10;
const CALLBACK_DUE: i64 = 11;
const CALLBACK_TOLD: i64 = 12;
const CALLBACK_FAILED: i64 = 13;
pub(super) const CLEARED: i64 = 14;
const ENDING: i64 = 16;
/// Not a record of the run: the slots in the records before it are translated.
pub(super) const REMAP: i64 = 15;

/// The name of each kind of record.
pub(super) const NAMES: [(i64, &str); 15] = [
    (STARTED, "started"),
    (NOT_YET, "not_yet"),
    (RETRYING, "retrying"),
    (INTERRUPTED, "interrupted"),
    (UNFOLDED, "unfolded"),
    (SUCCEEDED, "succeeded"),
    (FAILED, "failed"),
    (SKIPPED, "skipped"),
    (UPSTREAM_FAILED, "upstream_failed"),
    (RUN_ENDED, "run_ended"),
    (CALLBACK_DUE, "callback_due"),
    (CALLBACK_TOLD, "callback_told"),
    (CALLBACK_FAILED, "callback_failed"),
    (CLEARED, "cleared"),
    (ENDING, "ending"),
];

/// The records whose `time` is a deadline.
pub(super) const WITH_DEADLINE: [i64; 3] = [NOT_YET, RETRYING, CALLBACK_FAILED];

/// Returns a `Skip` as a number with its data.
fn skip_columns(why: &Skip) -> (i64, Option<&Arc<str>>, Option<i64>) {
    match why {
        Skip::Body(why) => (0, Some(why), None),
        Skip::Upstream(from) => (1, None, Some((*from).into())),
        Skip::NotTaken => (2, None, None),
        Skip::Timeout(error) => (3, Some(error), None),
        Skip::CutOff => (4, None, None),
        Skip::RunEnded => (5, None, None),
        Skip::ByHand => (6, None, None),
    }
}

impl RecordRow {
    pub(super) fn of(entry: &Entry) -> Self {
        let text = |text: &Arc<str>| Some(text.to_string());
        let row = |kind: i64| Self { at: entry.at.as_nanos(), kind, ..Self::default() };
        let of_slot = |kind: i64, slot: Slot| Self { slot: Some(slot.into()), ..row(kind) };
        match &entry.record {
            Record::Started { slot, attempt } => Self { number: Some((*attempt).into()), ..of_slot(STARTED, *slot) },
            Record::NotYet { slot, next, memory } => {
                Self { time: Some(next.as_nanos()), text: memory.as_ref().and_then(text), ..of_slot(NOT_YET, *slot) }
            }
            Record::Retrying { slot, next, error, renew, memory } => Self {
                number: Some((*renew).into()),
                time: Some(next.as_nanos()),
                text: text(error),
                body: memory.as_ref().map(|memory| memory.as_bytes().to_vec()),
                ..of_slot(RETRYING, *slot)
            },
            Record::Interrupted { slot, asked } => Self { number: Some((*asked).into()), ..of_slot(INTERRUPTED, *slot) },
            Record::Unfolded { slot, width, keys } => Self {
                number: Some((*width).into()),
                // Texts are always valid in JSON. Without keys, and in journals of earlier versions, there is no text.
                text: keys.as_ref().and_then(|keys| serde_json::to_string(&**keys).ok()),
                ..of_slot(UNFOLDED, *slot)
            },
            Record::Succeeded { slot, output } => {
                let json = output.as_ref().and_then(|output| output.json.as_deref());
                Self { body: json.map(<[u8]>::to_vec), ..of_slot(SUCCEEDED, *slot) }
            }
            Record::Failed { slot, error, timed_out } => {
                Self { number: Some((*timed_out).into()), text: text(error), ..of_slot(FAILED, *slot) }
            }
            Record::Skipped { slot, why } => {
                let (number, why, from) = skip_columns(why);
                Self { number: Some(number), text: why.and_then(text), time: from, ..of_slot(SKIPPED, *slot) }
            }
            Record::UpstreamFailed { slot, cause } => Self { number: Some((*cause).into()), ..of_slot(UPSTREAM_FAILED, *slot) },
            Record::Cleared { slots } => {
                let slots: Vec<String> = slots.iter().map(ToString::to_string).collect();
                Self { text: Some(slots.join(" ")), ..row(CLEARED) }
            }
            Record::Ending { state } => Self { text: Some(state.name().to_owned()), ..row(ENDING) },
            Record::RunEnded { state } => Self { text: Some(state.name().to_owned()), ..row(RUN_ENDED) },
            Record::CallbackDue { id, recipient, notification } => Self {
                number: Some((*id).into()),
                time: Some(recipient.position.into()),
                // A notification has texts, numbers and dates, which are always valid in JSON.
                text: serde_json::to_string(&**notification).ok(),
                slot: Some(recipient.is_one_of_several.into()),
                // Journals of earlier versions have no body: there `time` is the notifier's index in the plan.
                body: recipient.label.as_ref().map(|label| label.as_bytes().to_vec()),
                ..row(CALLBACK_DUE)
            },
            Record::CallbackTold { id } => Self { number: Some((*id).into()), ..row(CALLBACK_TOLD) },
            Record::CallbackFailed { id, next, error } => Self {
                number: Some((*id).into()),
                time: next.map(Timestamp::as_nanos),
                text: text(error),
                ..row(CALLBACK_FAILED)
            },
        }
    }

    pub(super) fn of_remap(remap: &Remap) -> Self {
        // Numbers are always valid in JSON.
        Self { kind: REMAP, text: serde_json::to_string(remap).ok(), ..Self::default() }
    }

    /// Returns the translation, if the row is one.
    pub(super) fn as_remap(&self) -> Option<Remap> {
        if self.kind != REMAP {
            return None;
        }
        serde_json::from_str(self.text.as_deref()?).ok()
    }

    /// Reads the columns at, kind, slot, number, time, text, body.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            at: row.get(0)?,
            kind: row.get(1)?,
            slot: row.get(2)?,
            number: row.get(3)?,
            time: row.get(4)?,
            text: row.get(5)?,
            body: row.get(6)?,
        })
    }

    pub(super) fn into_entry(self, number: i64) -> rusqlite::Result<StoredEntry> {
        let wrong = |column: usize, name: &str| {
            rusqlite::Error::InvalidColumnType(
                column,
                format!("{name} of a record of kind {}", self.kind),
                Cell::Null.data_type(),
            )
        };
        let narrow = |column, name: &str, value: Option<i64>| {
            value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| wrong(column, name))
        };
        let slot = || narrow(2, "slot", self.slot);
        let of_number = || narrow(3, "number", self.number);
        let time = || self.time.map(Timestamp::from_nanos).ok_or_else(|| wrong(4, "time"));
        let text = || self.text.as_deref().map(Arc::<str>::from).ok_or_else(|| wrong(5, "text"));
        let mut json = None;
        let record = match self.kind {
            STARTED => Record::Started { slot: slot()?, attempt: of_number()? },
            NOT_YET => Record::NotYet { slot: slot()?, next: time()?, memory: self.text.as_deref().map(Into::into) },
            RETRYING => Record::Retrying {
                slot: slot()?,
                next: time()?,
                error: text()?,
                renew: self.number == Some(1),
                memory: self.body.as_deref().map(|memory| String::from_utf8_lossy(memory).as_ref().into()),
            },
            INTERRUPTED => Record::Interrupted { slot: slot()?, asked: self.number == Some(1) },
            UNFOLDED => {
                let keys = self.text.as_deref().map(serde_json::from_str::<Vec<Box<str>>>).transpose();
                let keys = keys.map_err(|_| wrong(5, "text"))?.map(Into::into);
                Record::Unfolded { slot: slot()?, width: of_number()?, keys }
            }
            SUCCEEDED => {
                json = self.body.as_deref().map(Into::into);
                Record::Succeeded { slot: slot()?, output: None }
            }
            FAILED => Record::Failed { slot: slot()?, error: text()?, timed_out: self.number == Some(1) },
            SKIPPED => {
                let why = match of_number()? {
                    0 => Skip::Body(text()?),
                    1 => Skip::Upstream(narrow(4, "time", self.time)?),
                    2 => Skip::NotTaken,
                    3 => Skip::Timeout(text()?),
                    4 => Skip::CutOff,
                    5 => Skip::RunEnded,
                    6 => Skip::ByHand,
                    _ => return Err(wrong(3, "number")),
                };
                Record::Skipped { slot: slot()?, why }
            }
            UPSTREAM_FAILED => Record::UpstreamFailed { slot: slot()?, cause: of_number()? },
            CLEARED => {
                let slots: Result<Box<[Slot]>, _> = text()?.split(' ').map(str::parse).collect();
                Record::Cleared { slots: slots.map_err(|_| wrong(5, "text"))? }
            }
            ENDING => Record::Ending { state: state(&text()?).ok_or_else(|| wrong(5, "text"))? },
            RUN_ENDED => Record::RunEnded { state: state(&text()?).ok_or_else(|| wrong(5, "text"))? },
            CALLBACK_DUE => {
                let notification = serde_json::from_str(&text()?).map_err(|_| wrong(5, "text"))?;
                let label = self.body.as_deref().map(|label| String::from_utf8_lossy(label).as_ref().into());
                let is_one_of_several = self.slot == Some(1);
                let recipient = Recipient { label, position: narrow(4, "time", self.time)?, is_one_of_several };
                Record::CallbackDue { id: of_number()?, recipient, notification: Arc::new(notification) }
            }
            CALLBACK_TOLD => Record::CallbackTold { id: of_number()? },
            CALLBACK_FAILED => {
                Record::CallbackFailed { id: of_number()?, next: self.time.map(Timestamp::from_nanos), error: text()? }
            }
            _ => return Err(wrong(1, "kind")),
        };
        Ok(StoredEntry { number, entry: Entry { at: Timestamp::from_nanos(self.at), record }, json })
    }
}

pub(super) fn state(name: &str) -> Option<RunState> {
    RunState::ALL.into_iter().find(|state| state.name() == name)
}

impl StoredEntry {
    /// Translates the slots to those of another plan, and drops what no longer applies there.
    pub(crate) fn remap(entries: &mut Vec<Self>, remap: &Remap) {
        translate(entries, remap, |stored| &mut stored.entry.record);
    }

    /// Checks that the record names only slots below `slots`.
    pub(crate) fn fits(&self, slots: usize) -> Result<(), DecodeError> {
        let wrong = self.entry.record.slots().find(|slot| *slot as usize >= slots);
        wrong.map_or(Ok(()), |slot| Err(DecodeError::Slot { slot, slots }))
    }

    /// Decodes the outputs into their types.
    pub(crate) fn decode(plan: &Plan, stored: Vec<Self>) -> Result<Vec<Entry>, DecodeError> {
        let mut layout = Layout::new(plan);
        let mut entries = Vec::with_capacity(stored.len());
        for stored in stored {
            stored.fits(layout.len())?;
            let Self { mut entry, json, number: _ } = stored;
            match &mut entry.record {
                Record::Unfolded { slot, width, keys } => {
                    if let Some(each) = layout.each(plan, *slot) {
                        layout.unfold(plan, *slot, each.scope, *width, keys.clone());
                    }
                }
                Record::Succeeded { slot, output } => {
                    if let (Some(json), What::Body(task)) = (json, &plan.node(layout.node(plan, *slot)).what) {
                        // The decoding is user code.
                        let decoded =
                            catch_unwind(AssertUnwindSafe(|| (task.codec.decode)(&json).map_err(|error| error.to_string())));
                        let decoded =
                            decoded.unwrap_or_else(|panic| Err(format!("reading it panicked: {}", panic_message(&*panic))));
                        let value: Value = decoded.map_err(|reason| DecodeError::Output {
                            node: layout.id(plan, *slot),
                            type_name: (task.codec.type_name)(),
                            reason,
                        })?;
                        *output = Some(Output { value, json: Some(json) });
                    }
                }
                _ => {}
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Records without an output or a notification, each in every form.
    #[test]
    fn a_record_comes_back_as_it_was() {
        let (slot, text) = (7, || Arc::<str>::from("503: slow down"));
        let next = Timestamp::from_nanos(1_711_324_800_000_000_000) + Duration::from_secs(45);
        let skips = [Skip::Body(text()), Skip::Upstream(3), Skip::NotTaken, Skip::Timeout(text()), Skip::CutOff, Skip::RunEnded];
        let records = [
            Record::Started { slot, attempt: 2 },
            Record::NotYet { slot, next, memory: None },
            Record::NotYet { slot, next, memory: Some(text()) },
            Record::Retrying { slot, next, error: text(), renew: false, memory: Some(text()) },
            Record::Retrying { slot, next, error: text(), renew: true, memory: None },
            Record::Interrupted { slot, asked: false },
            Record::Interrupted { slot, asked: true },
            Record::Unfolded { slot, width: 3, keys: None },
            Record::Unfolded { slot, width: 2, keys: Some(["bart".into(), "a \"b\"".into()].into()) },
            Record::Unfolded { slot, width: 0, keys: Some([].into()) },
            Record::Succeeded { slot, output: None },
            Record::Failed { slot, error: text(), timed_out: false },
            Record::Failed { slot, error: text(), timed_out: true },
            Record::UpstreamFailed { slot, cause: 3 },
            Record::Cleared { slots: [1, 2].into() },
            Record::Ending { state: RunState::Failed },
            Record::RunEnded { state: RunState::Cancelled },
            Record::CallbackTold { id: 4 },
            Record::CallbackFailed { id: 4, next: Some(next), error: text() },
            Record::CallbackFailed { id: 4, next: None, error: text() },
        ];
        for record in skips.map(|why| Record::Skipped { slot, why }).into_iter().chain(records) {
            let entry = Entry { at: next, record };
            let back = RecordRow::of(&entry).into_entry(1).unwrap().entry;
            assert_eq!(format!("{back:?}"), format!("{entry:?}"));
        }
    }

    #[test]
    fn an_output_whose_reading_panics_cannot_be_read_and_that_is_said() {
        #[derive(Debug, Clone, serde::Serialize)]
        struct Picky(u64);
        impl<'de> serde::Deserialize<'de> for Picky {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let n = u64::deserialize(deserializer)?;
                assert!(n < 7, "{n} is too many");
                Ok(Self(n))
            }
        }
        #[crate::task]
        async fn count() -> crate::Result<Picky> {
            Ok(Picky(1))
        }
        #[crate::pipeline]
        fn counts() {
            count();
        }
        let plan = counts().plan(&serde_json::Value::Null).unwrap();
        let read = |json: &[u8]| {
            let entry = Entry { at: Timestamp::default(), record: Record::Succeeded { slot: 0, output: None } };
            StoredEntry::decode(&plan, vec![StoredEntry { number: 1, entry, json: Some(json.into()) }])
        };
        assert!(read(b"6").is_ok());
        let error = read(b"7").unwrap_err().to_string();
        assert!(error.starts_with("the output of `count` in the journal is not a valid `"), "{error}");
        assert!(error.contains("(reading it panicked") && error.contains("7 is too many"), "{error}");
    }
}
