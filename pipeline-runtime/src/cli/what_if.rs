//! `what-if`

use super::args::WhatIfArgs;
use super::durations::{brief, offset};
use super::{output, runs, summary};
use crate::Pipeline;
use crate::engine::Slot;
use crate::observe::RunHistory;
use crate::read::JournalReader;
use crate::simulate::what_if::{Assumptions, WhatIf, WhatIfError, Window};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The most differing nodes that are listed.
const MOST: usize = 200;
/// Nobody waits longer for an answer.
const LONGEST: Duration = Duration::from_mins(10);

pub(super) fn run(pipelines: &[Pipeline], asked: &WhatIfArgs, journal: &Path) -> Result<ExitCode, String> {
    let told = |error: WhatIfError| error.to_string();
    let assumptions = assumptions(asked).map_err(told)?;
    let reader = JournalReader::open(journal).map_err(|error| error.to_string())?.pipelines(pipelines.iter().cloned());
    let run = runs::known(&reader, &asked.run, journal)?;
    let details = reader.details(&run).map_err(|error| error.to_string())?;
    let there = details.history();
    let here = WhatIf::of(details.summary().stored(), there, pipelines, &assumptions, LONGEST).map_err(told)?;
    output::to_stdout(summary::drawn(&here.history, here.latest()).trim_end());
    output::to_stdout(&format!("\n{}", differences(there, &here)));
    for (id, arrived) in &here.arrivals {
        if let Some(Window { after: Some(after), by }) = arrived.recorded {
            let taken = arrived.assumed.map_or_else(|| "never".to_owned(), |assumed| format!("at {}", offset(assumed)));
            output::to_stdout(&format!("what {id} found came between {} and {}; here {taken}", offset(after), offset(by)));
        }
    }
    for note in &here.notes {
        output::to_stdout(&format!("note: {note}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn assumptions(asked: &WhatIfArgs) -> Result<Assumptions, WhatIfError> {
    let WhatIfArgs { arrivals, failures, options, slots, .. } = asked;
    let all = [("arrive", arrivals), ("fail", failures), ("set", options), ("slots", slots)];
    Assumptions::of(all.iter().flat_map(|(what, texts)| texts.iter().map(|text| (*what, text.as_str()))))
}

/// Lists the differences, for the whole run and for each node.
fn differences(there: &RunHistory, here: &WhatIf) -> String {
    let whole = |state: &str, finished: Option<Duration>| match finished {
        Some(finished) => format!("{state} after {}", brief(finished)),
        None => state.to_owned(),
    };
    let state_here = if here.is_known() { here.history.state.name() } else { "unknown" };
    let mut lines =
        vec![format!("the run: {}; what if: {}", whole(there.state.name(), there.finished), whole(state_here, here.finished()))];
    let of_node = |history: &RunHistory, slot: Slot| {
        let node = history.node(slot);
        let at = node.finished_at().map(|at| format!(" at {}", offset(at))).unwrap_or_default();
        let attempts = if node.attempts() > 1 { format!(", {} attempts", node.attempts()) } else { String::new() };
        let pokes = if node.pokes() > 0 { format!(", {} pokes", node.pokes()) } else { String::new() };
        format!("{}{at}{attempts}{pokes}", node.state())
    };
    let none = || "not there".to_owned();
    let mut differ = Vec::new();
    for (id, of_run, of_here) in here.beside(there) {
        if !here.differs(there, of_run, of_here) {
            continue;
        }
        let was = of_run.map_or_else(none, |slot| of_node(there, slot));
        let is = match of_here {
            Some(slot) if here.is_unknown(slot) => "unknown".to_owned(),
            Some(slot) => of_node(&here.history, slot),
            None => none(),
        };
        differ.push(format!("  {id}: {was}; what if: {is}"));
    }
    let more = differ.len().saturating_sub(MOST);
    differ.truncate(MOST);
    if differ.is_empty() {
        lines.push("  no node differs".to_owned());
    }
    lines.extend(differ);
    if more > 0 {
        lines.push(format!("  … and {more} more nodes"));
    }
    lines.join("\n")
}
