//! `acts`: the commands that users issued, newest first.

use super::output;
use crate::host::Command;
use crate::journal::{Act, Reader};
use crate::observe::one_line;
use chrono::SecondsFormat;
use std::path::Path;
use std::process::ExitCode;

/// The most characters of a command and of its answer that the table shows. `--json` prints all that is stored.
const MAX_SHOWN: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct ActsArgs {
    /// List the acts before this number: the next page
    #[arg(long, value_name = "N")]
    before: Option<i64>,
    /// Maximum number of acts
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Print one JSON object per line and act
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ActsArgs, journal: &Path) -> Result<ExitCode, String> {
    let reader = Reader::open(journal).map_err(|error| error.to_string())?;
    let found = reader.acts(args.before, args.limit).map_err(|error| error.to_string())?;
    if args.json {
        for (id, act) in &found {
            output::json(&as_json(*id, act));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["when", "who", "command", "answer"].map(str::to_owned)];
    rows.extend(found.iter().map(|(_, act)| row(act)));
    output::to_stdout(&output::table(&rows));
    if let Some((last, _)) = found.last().filter(|_| found.len() == args.limit as usize) {
        output::to_stderr(&format!("the next page: --before {last}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(act: &Act) -> [String; 4] {
    let refused = if act.done { "" } else { "refused: " };
    // One line per act, since an answer may have a long explanation.
    let answer = output::first_statement(&act.answer);
    let short = |text: String| output::truncated(one_line(&text).into_owned(), MAX_SHOWN);
    [when(act), short(act.who.clone().unwrap_or_default()), short(Command::text_of(act)), short(format!("{refused}{answer}"))]
}

fn when(act: &Act) -> String {
    act.at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_json(id: i64, act: &Act) -> serde_json::Value {
    let command = serde_json::from_str(&act.command).unwrap_or_else(|_| serde_json::Value::from(act.command.as_str()));
    serde_json::json!({
        "id": id,
        "at": when(act),
        "who": act.who,
        "command": command,
        "done": act.done,
        "answer": act.answer,
    })
}
