//! `what-if`: replays a run on virtual time with something changed.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

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
const MAX_NODES: usize = 200;
/// After this time the replay is abandoned: nobody waits longer for an answer.
const TIME_LIMIT: Duration = Duration::from_mins(10);

#[derive(Debug, clap::Args)]
pub(super) struct WhatIfArgs {
    /// The run's id, as listed by `runs`
    pub(super) run: String,
    /// What a sensor waits for arrives at another time; may be repeated
    ///
    /// `export=+20m` is 20 minutes later than in the run, `export=-5m` earlier, `export=20m` that long after the start of the
    /// run, and `export=never` not at all.
    #[arg(long = "arrive", value_name = "NODE=TIME")]
    pub(super) arrivals: Vec<String>,
    /// This attempt of a node fails: load@1, load@1=503; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT[=ERROR]")]
    pub(super) failures: Vec<String>,
    /// An option of a node has another value: export.poke=20s; the options are poke, timeout, retries and `retry_delay`; may be
    /// repeated
    #[arg(long = "set", value_name = "NODE.OPTION=VALUE")]
    pub(super) options: Vec<String>,
    /// A pool has another number of slots: database=4; may be repeated
    #[arg(long = "slots", value_name = "POOL=SLOTS")]
    pub(super) slots: Vec<String>,
}

pub(super) fn run(pipelines: &[Pipeline], args: &WhatIfArgs, journal: &Path) -> Result<ExitCode, String> {
    let to_text = |error: WhatIfError| error.to_string();
    let assumptions = assumptions(args).map_err(to_text)?;
    let reader = JournalReader::open(journal).map_err(|error| error.to_string())?.pipelines(pipelines.iter().cloned());
    let run = runs::find_run(&reader, &args.run, journal)?;
    let details = reader.details(&run).map_err(|error| error.to_string())?;
    let recorded = details.history();
    let replayed = WhatIf::of(details.summary().stored(), recorded, pipelines, &assumptions, TIME_LIMIT).map_err(to_text)?;
    output::to_stdout(summary::timeline_or_counts(&replayed.history, replayed.latest()).trim_end());
    output::to_stdout(&format!("\n{}", differences(recorded, &replayed)));
    for (id, arrived) in &replayed.arrivals {
        if let Some(Window { after: Some(after), by }) = arrived.recorded {
            let taken = arrived.assumed.map_or_else(|| "never".to_owned(), |assumed| format!("at {}", offset(assumed)));
            output::to_stdout(&format!("what {id} found came between {} and {}; here {taken}", offset(after), offset(by)));
        }
    }
    for note in &replayed.notes {
        output::to_stdout(&format!("note: {note}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn assumptions(args: &WhatIfArgs) -> Result<Assumptions, WhatIfError> {
    let WhatIfArgs { arrivals, failures, options, slots, .. } = args;
    let all = [("arrive", arrivals), ("fail", failures), ("set", options), ("slots", slots)];
    Assumptions::of(all.iter().flat_map(|(what, texts)| texts.iter().map(|text| (*what, text.as_str()))))
}

/// Lists the differences, for the whole run and for each node.
fn differences(recorded: &RunHistory, replayed: &WhatIf) -> String {
    let whole = |state: &str, finished: Option<Duration>| match finished {
        Some(finished) => format!("{state} after {}", brief(finished)),
        None => state.to_owned(),
    };
    let state_replayed = if replayed.is_known() { replayed.history.state.name() } else { "unknown" };
    let mut lines = vec![format!(
        "the run: {}; what if: {}",
        whole(recorded.state.name(), recorded.finished),
        whole(state_replayed, replayed.finished())
    )];
    let of_node = |history: &RunHistory, slot: Slot| {
        let node = history.node(slot);
        let at = node.finished_at().map(|at| format!(" at {}", offset(at))).unwrap_or_default();
        let attempts = if node.attempts() > 1 { format!(", {} attempts", node.attempts()) } else { String::new() };
        let pokes = if node.pokes() > 0 { format!(", {} pokes", node.pokes()) } else { String::new() };
        format!("{}{at}{attempts}{pokes}", node.state())
    };
    let none = || "not there".to_owned();
    let mut differ = Vec::new();
    for (id, of_run, of_here) in replayed.beside(recorded) {
        if !replayed.differs(recorded, of_run, of_here) {
            continue;
        }
        let was = of_run.map_or_else(none, |slot| of_node(recorded, slot));
        let is = match of_here {
            Some(slot) if replayed.is_unknown(slot) => "unknown".to_owned(),
            Some(slot) => of_node(&replayed.history, slot),
            None => none(),
        };
        differ.push(format!("  {id}: {was}; what if: {is}"));
    }
    let more = differ.len().saturating_sub(MAX_NODES);
    differ.truncate(MAX_NODES);
    if differ.is_empty() {
        lines.push("  no node differs".to_owned());
    }
    lines.extend(differ);
    if more > 0 {
        lines.push(format!("  … and {more} more nodes"));
    }
    lines.join("\n")
}
