//! Why each node of an unfinished run waits.

use crate::Pipeline;
use crate::journal::{JournalError, Reader};
use crate::observe::{Pools, Waits};
use std::fmt::Write;

/// So many nodes are told of.
const MAX_TOLD: usize = 100;

/// One line a node that has not ended.
pub(super) fn told(waits: &Waits<'_>, reader: &Reader, pipelines: &[Pipeline]) -> Result<String, JournalError> {
    let mut pools = Pools::new(reader, pipelines);
    let mut text = String::new();
    let history = waits.history;
    let mut open = history.listed();
    open.retain(|slot| !history.node(*slot).state().is_end());
    for &slot in open.iter().take(MAX_TOLD) {
        let cause = waits.cause(slot, &mut pools)?;
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{}: {}", history.id(slot), waits.sentence(&cause));
    }
    let more = open.len().saturating_sub(MAX_TOLD);
    if more > 0 {
        let _ = writeln!(text, "… and {more} more nodes");
    }
    Ok(text)
}
