//! Answers why something has not happened.

use super::{AsOf, Problem, Site, at};
use crate::engine::{RunState, Slot};
use crate::observe::{self, Explanation, Hold, TakenSlots, Waits};
use crate::read::{JournalReader, RunSummary};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// Returns why a node has not ended; null if it has.
pub(super) fn of_node(waits: &Waits<'_>, slot: Slot, pools: &mut TakenSlots<'_>) -> Result<Value, Problem> {
    if waits.history.node(slot).state().is_end() || waits.history.state.is_end() {
        return Ok(Value::Null);
    }
    Ok(to_json(waits, &waits.of_node(slot, pools)?))
}

/// Returns why a run has not ended: the cause of the blocking node furthest upstream.
pub(super) fn of_run(waits: &Waits<'_>, pools: &mut TakenSlots<'_>) -> Result<Value, Problem> {
    Ok(waits.of_run(pools)?.map_or(Value::Null, |why| to_json(waits, &why)))
}

fn to_json(waits: &Waits<'_>, why: &Explanation) -> Value {
    let id = |slot: Slot| waits.history.id(slot);
    json!({
        "kind": why.cause.name(),
        "node": id(why.slot),
        "text": why.text,
        "root": why.root.as_ref().map(|(root, of_root)| json!({ "node": id(*root), "text": waits.sentence(of_root) })),
        "changes_at": why.changes_at.map(at),
        "runs": [],
    })
}

/// Returns a sentence that is not about a node.
pub(super) fn sentence_json(kind: &str, text: impl Into<String>) -> Value {
    json!({ "kind": kind, "node": null, "text": text.into(), "root": null, "changes_at": null, "runs": [] })
}

/// Why a run does not start, in words, and the runs involved.
pub(super) struct HoldReason {
    pub(super) text: String,
    /// The runs that hold it, each as `PIPELINE/RUN_ID`.
    pub(super) runs: Vec<String>,
    pub(super) changes_at: Option<Timestamp>,
}

impl HoldReason {
    /// Explains a hold by the limits of a pipeline, including why the awaited run is still active.
    pub(super) fn of(site: &Site, reader: &JournalReader, pipeline: &str, hold: &Hold, now: Timestamp) -> Result<Self, Problem> {
        let full_name = |run: &str| format!("{pipeline}/{run}");
        let awaited = hold.awaited().map(|run| reader.run(&full_name(run))).transpose()?.flatten();
        let cause = awaited.map(|run| why_active(site, reader, &run, now)).transpose()?.flatten();
        Ok(Self {
            text: hold.sentence(cause.as_ref().map(|(text, _)| text.as_str())),
            runs: hold.runs().iter().map(|run| full_name(run)).collect(),
            changes_at: cause.and_then(|(_, changes_at)| changes_at),
        })
    }

    pub(super) fn into_json(self, kind: &str, before: &str) -> Value {
        let mut json = sentence_json(kind, format!("{before}{}", self.text));
        json["changes_at"] = json!(self.changes_at.map(at));
        json["runs"] = json!(self.runs);
        json
    }
}

/// Returns why a run is active, and when that changes.
fn why_active(
    site: &Site,
    reader: &JournalReader,
    run: &RunSummary,
    now: Timestamp,
) -> Result<Option<(String, Option<Timestamp>)>, Problem> {
    if run.state() != RunState::Running || run.blocked().is_some() {
        return Ok(None);
    }
    site.run_cache.view(reader, run, AsOf::NOW, |details| {
        let history = details.history();
        let waits = Waits { history, now: now.max(history.started + history.latest()), is_run: true };
        let why = waits.of_run(&mut TakenSlots::new(reader.journal(), &site.pipelines))?;
        Ok(why.map(|why| (why.text, why.changes_at)))
    })
}

/// Returns why a queued run has not started.
pub(super) fn of_queued(
    site: &Site,
    reader: &JournalReader,
    run: &RunSummary,
    now: Timestamp,
    is_held: bool,
) -> Result<Value, Problem> {
    let hold = observe::of_queued(reader.journal(), &site.pipelines, run.stored())?;
    let Some(hold) = hold else {
        return Ok(sentence_json("run_queued", "waits for its turn: a serving process starts it"));
    };
    let before = if is_held { observe::TURN } else { observe::TURN_OF_NOBODY };
    Ok(HoldReason::of(site, reader, run.pipeline(), &hold, now)?.into_json("run_queued", before))
}
