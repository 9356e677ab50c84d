//! Why something has not happened, as answers have it.

use super::{Problem, at};
use crate::engine::Slot;
use crate::observe::{Cause, Pools, Waits};
use serde_json::{Value, json};

/// Why a node has not ended; null where it has.
pub(super) fn of_node(waits: &Waits<'_>, slot: Slot, pools: &mut Pools<'_>) -> Result<Value, Problem> {
    if waits.history.node(slot).state().is_end() || waits.history.state.is_end() {
        return Ok(Value::Null);
    }
    let cause = waits.cause(slot, pools)?;
    let root = waits.root(slot, pools)?;
    Ok(told(waits, slot, &cause, root.as_ref()))
}

/// Why a run has not ended: what the node waits for that holds it up, and that is furthest upstream.
pub(super) fn of_run(waits: &Waits<'_>, pools: &mut Pools<'_>) -> Result<Value, Problem> {
    let open = waits.history.listed().into_iter().rev().find(|slot| !waits.history.node(*slot).state().is_end());
    match open {
        Some(slot) => of_node(waits, slot, pools),
        None => Ok(Value::Null),
    }
}

fn told(waits: &Waits<'_>, slot: Slot, cause: &Cause, root: Option<&(Slot, Cause)>) -> Value {
    let id = |slot: Slot| waits.history.id(slot);
    let behind = root.map_or(cause, |(_, cause)| cause);
    let text = match root {
        Some((root, of_root)) => format!("{}: {}, {}", waits.sentence(cause), id(*root), waits.sentence(of_root)),
        None => waits.sentence(cause),
    };
    json!({
        "kind": cause.name(),
        "node": id(slot),
        "text": text,
        "root": root.map(|(root, of_root)| json!({ "node": id(*root), "text": waits.sentence(of_root) })),
        "changes_at": behind.changes_at().map(|offset| at(waits.history.started + offset)),
    })
}

/// A sentence that is about no node.
pub(super) fn said(kind: &str, text: impl Into<String>) -> Value {
    json!({ "kind": kind, "node": null, "text": text.into(), "root": null, "changes_at": null })
}
