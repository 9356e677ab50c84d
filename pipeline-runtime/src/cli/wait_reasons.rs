//! Why each node of an unfinished run waits, and why a queued run has not started.

use crate::Pipeline;
use crate::engine::RunState;
use crate::journal::{JournalError, Reader};
use crate::observe::{self, Hold, TakenSlots, Waits};
use crate::read::{JournalReader, ReadError, RunSummary};
use crate::time::Timestamp;
use std::fmt::Write;

/// The most nodes that are listed.
const MAX_NODES: usize = 100;

/// Returns one line per node that has not ended.
pub(super) fn of_nodes(waits: &Waits<'_>, reader: &Reader, pipelines: &[Pipeline]) -> Result<String, JournalError> {
    let mut pools = TakenSlots::new(reader, pipelines);
    let mut text = String::new();
    let history = waits.history;
    let mut open = history.listed();
    open.retain(|slot| !history.node(*slot).state().is_end());
    for &slot in open.iter().take(MAX_NODES) {
        let cause = waits.cause(slot, &mut pools)?;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", history.id(slot), waits.sentence(&cause));
    }
    let more = open.len().saturating_sub(MAX_NODES);
    if more > 0 {
        let _ = writeln!(text, "… and {more} more nodes");
    }
    Ok(text)
}

/// Returns why a queued run has not started; `None` if the only reason is that no process serves.
pub(super) fn of_queued_run(
    run: &RunSummary,
    reader: &JournalReader,
    pipelines: &[Pipeline],
    now: Timestamp,
) -> Result<Option<String>, ReadError> {
    let Some(hold) = observe::of_queued(reader.journal(), pipelines, run.stored())? else { return Ok(None) };
    let reason = of_awaited_run(&hold, run.pipeline(), reader, pipelines, now)?;
    Ok(Some(format!("{}{}", observe::TURN, hold.sentence(reason.as_deref()))))
}

/// Returns why the run that the queued run waits for is still active.
fn of_awaited_run(
    hold: &Hold,
    pipeline: &str,
    reader: &JournalReader,
    pipelines: &[Pipeline],
    now: Timestamp,
) -> Result<Option<String>, ReadError> {
    let Some(awaited) = hold.awaited() else { return Ok(None) };
    let Some(run) = reader.run(&format!("{pipeline}/{awaited}"))?.filter(|run| run.state() == RunState::Running) else {
        return Ok(None);
    };
    let details = reader.details(&run)?;
    let waits = Waits { history: details.history(), now, is_run: true };
    Ok(waits.of_run(&mut TakenSlots::new(reader.journal(), pipelines))?.map(|why| why.text))
}
