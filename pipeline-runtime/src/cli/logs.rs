//! `logs`: what a node's attempts said, read beside whoever runs them.

use super::{choose, output, runs};
use crate::journal::{Reader, RunKey, StoredLine, StoredRun};
use crate::observe::{Followed, logs};
use crate::plan;
use crate::{Clock, Pipeline};
use chrono::SecondsFormat;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How many lines are read at once.
const PAGE: u32 = 1_000;
/// How often somebody who follows looks for more.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// The run's id, as `runs` lists it
    run: String,
    /// The node, an element's being `upload[3]`
    node: String,
    /// That attempt's lines alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// Waits for further lines until the node has ended
    #[arg(long, short)]
    follow: bool,
    /// Prints one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(pipelines: &[Pipeline], logs: &Logs, journal: &Path) -> Result<ExitCode, String> {
    let reader = Reader::open(journal).map_err(|error| error.to_string())?;
    let run = runs::known(&reader, &logs.run, journal)?;
    is_there(&run, logs)?;
    let mut printed = Printed { reader: &reader, run: &run, logs, last: 0 };
    if logs.follow {
        let mut followed =
            Followed::new(choose::one(pipelines, Some(&run.pipeline))?, &run).map_err(|error| error.to_string())?;
        follow(&mut printed, &mut followed)?;
    } else {
        printed.more()?;
    }
    if printed.last == 0 && !logs.json {
        output::to_stderr(&format!("`{}` has logged nothing{}", logs.node, if logs.follow { "" } else { " so far" }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the run may have such a node: that an element is not there yet, or never was, only its list would say.
fn is_there(run: &StoredRun, logs: &Logs) -> Result<(), String> {
    let (name, indices) = logs.node.find('[').map_or((logs.node.as_str(), ""), |at| logs.node.split_at(at));
    let given = indices.matches('[').count();
    match plan::depth(&run.skeleton, name) {
        None => Err(format!("run `{}` has no node `{}`; `show {}` lists those it has", logs.run, logs.node, logs.run)),
        Some(0) if given > 0 => Err(format!("node `{name}` is not repeated: there is no `{}`; leave the index out", logs.node)),
        Some(depth) if given != depth => {
            Err(format!("node `{name}` is repeated for each element: say which is meant, as in `{name}{}`", "[0]".repeat(depth)))
        }
        Some(_) => Ok(()),
    }
}

fn follow(printed: &mut Printed<'_>, followed: &mut Followed) -> Result<(), String> {
    // Waiting is what a clock does, and clocks wait on a runtime.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
    let clock = Clock::system();
    let mut seen = None;
    loop {
        // Before the lines are read: those that a node leaves are kept no later than its end.
        let version = printed.reader.version().map_err(|error| error.to_string())?;
        if seen != Some(version) {
            seen = Some(version);
            followed.go_on(printed.reader).map_err(|error| error.to_string())?;
            let ended = followed.has_ended(&printed.logs.node);
            printed.more()?;
            if ended {
                return Ok(());
            }
        }
        runtime.block_on(clock.sleep_until(clock.now() + LOOK));
    }
}

/// What has been printed so far.
struct Printed<'a> {
    reader: &'a Reader,
    run: &'a StoredRun,
    logs: &'a Logs,
    /// The number of the last line.
    last: i64,
}

impl Printed<'_> {
    fn more(&mut self) -> Result<(), String> {
        let Logs { node, attempt, json, .. } = self.logs;
        let key: RunKey = self.run.key;
        loop {
            let lines = self.reader.logs(key, node, *attempt, self.last, PAGE).map_err(|error| error.to_string())?;
            let Some(last) = lines.last() else { return Ok(()) };
            self.last = last.id;
            for line in &lines {
                if *json {
                    output::json(&self.as_json(line));
                } else {
                    output::to_stdout(&as_text(node, line));
                }
            }
        }
    }

    fn as_json(&self, line: &StoredLine) -> serde_json::Value {
        serde_json::json!({
            "at": line.at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true),
            "run_id": self.run.run_id,
            "pipeline": self.run.pipeline,
            "node": self.logs.node,
            "attempt": line.attempt,
            "level": line.level.as_str().to_ascii_lowercase(),
            "line": line.text,
        })
    }
}

fn as_text(node: &str, line: &StoredLine) -> String {
    logs::line(line.at, line.level, &format!("{node}#{}", line.attempt), &line.text)
}
