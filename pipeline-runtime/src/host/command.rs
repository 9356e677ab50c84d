//! Commands that change the journal. Its holder carries them out, in this process or another.

use super::StartError;
use super::backfill::{Backfill, Reprocess};
use crate::author::redaction::redacted;
use crate::author::setting::SettingInput;
use crate::engine::Edit;
use crate::journal::{Act, Inbox, JournalError};
use crate::time::Clock;
#[cfg(feature = "dashboard")]
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A request to the holder of a journal. A misspelled field is refused: without its field a command would have another effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// Start a new run.
    Trigger {
        pipeline: String,
        logical_date: Option<String>,
        #[serde(default)]
        params: Value,
    },
    /// Run intervals that have ended.
    Backfill(Backfill),
    /// Pause or unpause the schedule.
    Pause { pipeline: String, paused: bool },
    /// Update an asset from outside.
    Update { asset: String, value: Value },
    /// Change a setting, for runs that begin from then on.
    Set { setting: String, to: SettingInput },
    /// Cut off attempts and end the run.
    Cancel { run: String },
    /// End a node as skipped.
    Skip { run: String, node: String },
    /// Retry nodes.
    Retry { run: String, nodes: Vec<String>, downstream: bool },
    /// Delete runs that ended longer ago.
    Prune { older_than: Duration },
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) done: bool,
    /// What was done, or why it was not.
    pub(crate) text: String,
}

impl std::fmt::Display for Command {
    /// Writes the command as on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trigger { pipeline, logical_date, params } => {
                write!(f, "trigger {pipeline}")?;
                logical_date.iter().try_for_each(|date| write!(f, " --logical-date {date}"))?;
                f.write_str(&arguments(params))
            }
            Self::Backfill(Backfill { pipeline, from, to, params, max_active_runs, reprocess }) => {
                let reprocess = match reprocess {
                    Reprocess::None => "",
                    Reprocess::Failed => " --reprocess failed",
                    Reprocess::All => " --reprocess all",
                };
                write!(f, "backfill {pipeline} --from {from} --to {to}{reprocess}")?;
                max_active_runs.iter().try_for_each(|runs| write!(f, " --max-active-runs {runs}"))?;
                f.write_str(&arguments(params))
            }
            Self::Pause { pipeline, paused: true } => write!(f, "pause {pipeline}"),
            Self::Pause { pipeline, .. } => write!(f, "unpause {pipeline}"),
            Self::Update { asset, .. } => write!(f, "assets update {asset}"),
            Self::Set { setting, to: SettingInput::Text(text) } => write!(f, "settings set {setting}={text}"),
            Self::Set { setting, to: SettingInput::Json(value) } => write!(f, "settings set {setting}={value}"),
            Self::Set { setting, to: SettingInput::Default } => write!(f, "settings unset {setting}"),
            Self::Cancel { run } => write!(f, "cancel {run}"),
            Self::Skip { run, node } => write!(f, "skip {run} {node}"),
            Self::Retry { run, nodes, downstream } => {
                write!(f, "retry {run}")?;
                nodes.iter().try_for_each(|node| write!(f, " {node}"))?;
                if *downstream { f.write_str(" --downstream") } else { Ok(()) }
            }
            Self::Prune { older_than } => write!(f, "prune --older-than {}", short_duration(*older_than)),
        }
    }
}

/// Formats params as arguments of the command line: ` --param NAME=VALUE` for each. Values of secrets are hidden.
fn arguments(params: &Value) -> String {
    let mut text = String::new();
    write_arguments("", params, &mut text);
    redacted(&text).into_owned()
}

fn write_arguments(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) if name.is_empty() || !fields.is_empty() => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                write_arguments(&name, value, text);
            }
        }
        Value::Null if name.is_empty() => {}
        value => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/@+%=".contains(c);
            let argument = format!("{name}={value}");
            let quoted = if argument.chars().all(is_plain) { argument } else { format!("'{}'", argument.replace('\'', r"'\''")) };
            text.push_str(" --param ");
            text.push_str(&quoted);
        }
    }
}

impl Command {
    /// Creates the act of the current user, who asks for this command now and gets that answer.
    pub(crate) fn act(&self, answer: &str) -> Act {
        let command = serde_json::to_string(self).unwrap_or_default();
        Act { at: Clock::system().now(), who: user_name(), command, done: true, answer: answer.to_owned() }
    }

    /// Returns the command of an act as on the command line; the stored text if another version wrote it.
    pub(crate) fn text_of(act: &Act) -> String {
        serde_json::from_str::<Self>(&act.command).map_or_else(|_| act.command.clone(), |command| command.to_string())
    }

    /// True if the holder may take as long as it needs once it has taken the command.
    fn may_take_long(&self) -> bool {
        matches!(self, Self::Prune { .. })
    }

    /// Returns the run to edit and the edit, if this command is one.
    pub(crate) fn edit(&self) -> Option<(&str, Edit)> {
        Some(match self {
            Self::Cancel { run } => (run, Edit::Cancel),
            Self::Skip { run, node } => (run, Edit::Skip { node: node.clone() }),
            Self::Retry { run, nodes, downstream } => (run, Edit::Retry { nodes: nodes.clone(), downstream: *downstream }),
            _ => return None,
        })
    }
}

/// Returns the name of the user from the environment.
fn user_name() -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
}

/// Formats a duration as a user would write it: `90d`, `12h`.
pub(super) fn short_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole =
        [(86_400, "d"), (3_600, "h"), (60, "m")].into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) if duration.subsec_nanos() == 0 => format!("{}{name}", seconds / unit),
        _ => humantime::format_duration(duration).to_string(),
    }
}

/// Returns the answer for an edit that was applied.
pub(crate) fn edit_answer(edit: &Edit, run_id: &str, pipeline: &str) -> String {
    match edit {
        Edit::Cancel => format!("run {run_id} of {pipeline} is cancelled"),
        Edit::Skip { node } => format!("node {node} of run {run_id} of {pipeline} is skipped"),
        Edit::Retry { .. } => format!("run {run_id} of {pipeline} continues"),
    }
}

/// Returns the answer for a run whose pending notifications are given up.
pub(crate) fn given_up_answer(run_id: &str, pipeline: &str) -> String {
    format!("the pending notifications of run {run_id} of {pipeline} are given up")
}

/// How long a holder has to answer, in real time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to check for an answer, and how many checks pass between checks for the holder.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const POLLS_PER_HOLDER_CHECK: u32 = 50;

/// Leaves a command for the journal's holder and waits for its answer. Returns `None` if nobody holds the journal any more and
/// the command was withdrawn: then it was not carried out, and never will be.
pub(crate) fn ask(journal: &Path, command: &Command) -> Result<Option<Answer>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| StartError::Refused(format!("the tokio runtime cannot be started: {error}")))?;
    runtime.block_on(post_and_wait(journal, command))
}

/// As [`ask`], for several commands, of which [`AT_ONCE`] wait at once, so that the holder finds many each time it reads the
/// inbox. The answers are in the order of the commands.
#[cfg(feature = "dashboard")]
pub(crate) fn ask_all(journal: &Path, commands: &[Command]) -> Result<Vec<Result<Option<Answer>, StartError>>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| StartError::Refused(format!("the tokio runtime cannot be started: {error}")))?;
    let answers = futures_util::stream::iter(commands).map(|command| post_and_wait(journal, command)).buffered(AT_ONCE);
    Ok(runtime.block_on(answers.collect()))
}

/// Bounded, since each has its own connection to the journal.
#[cfg(feature = "dashboard")]
const AT_ONCE: usize = 50;

async fn post_and_wait(journal: &Path, command: &Command) -> Result<Option<Answer>, StartError> {
    let inbox = Inbox::open(journal)?;
    let clock = Clock::system();
    let until = clock.now() + ANSWER_TIMEOUT;
    // Strings, numbers and lists of them, which JSON can represent.
    let ticket = inbox.post(&serde_json::to_string(command).unwrap_or_default(), user_name().as_deref(), clock.now())?;
    let mut polls = 0;
    let take = || -> Result<Option<Answer>, JournalError> {
        let answer = inbox.answer(ticket)?;
        Ok(answer.map(|text| serde_json::from_str(&text).unwrap_or(Answer { done: false, text })))
    };
    loop {
        polls += 1;
        let is_over = clock.now() >= until;
        // Read before the check for the holder: a process that takes the command after that has another number.
        let status = inbox.status(ticket)?;
        let is_left = polls % POLLS_PER_HOLDER_CHECK == 0 && !inbox.is_held();
        if let Some(answer) = take()? {
            inbox.forget(ticket)?;
            return Ok(Some(answer));
        }
        if is_left && inbox.withdraw(ticket, status.taken)? {
            return Ok(None);
        }
        let is_kept = is_left && inbox.status(ticket)?.is_carried && !inbox.is_held();
        if is_kept && take()?.is_none() {
            return Err(StartError::Refused(
                "the process that held the journal ended before it answered; the effects of the command are recorded: see `runs`"
                    .to_owned(),
            ));
        }
        if is_over && !(command.may_take_long() && status.taken.is_some() && inbox.is_held()) {
            let what = match (inbox.withdraw(ticket, None)?, take()?) {
                (true, _) => "was withdrawn",
                (false, None) => "is being carried out: see `runs`",
                // The answer arrived just now.
                (false, Some(answer)) => return Ok(Some(answer)),
            };
            return Err(StartError::Refused(format!(
                "the process that holds the journal \"{}\" has not answered within {}s; the command {what}",
                journal.display(),
                ANSWER_TIMEOUT.as_secs()
            )));
        }
        clock.sleep_until(clock.now() + POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_act_is_written_as_the_command_with_its_params() {
        let trigger = json!({ "command": "trigger", "pipeline": "sales", "logical_date": "2026-01-05",
            "params": { "parts": 2, "store": { "name": "it's a b", "tags": ["x"] } } });
        let command: Command = serde_json::from_value(trigger).unwrap();
        let written = r#"trigger sales --logical-date 2026-01-05 --param parts=2 --param 'store.name=it'\''s a b' --param 'store.tags=["x"]'"#;
        assert_eq!(command.to_string(), written);
        let backfill = json!({ "command": "backfill", "pipeline": "sales", "from": "2026-01-05", "to": "2026-01-06",
            "params": null, "max_active_runs": 3, "reprocess": "failed" });
        let command: Command = serde_json::from_value(backfill).unwrap();
        assert_eq!(
            command.to_string(),
            "backfill sales --from 2026-01-05 --to 2026-01-06 --reprocess failed --max-active-runs 3"
        );
        crate::author::redaction::hide("k3y-of-an-act");
        let secret = Command::Trigger { pipeline: "sales".into(), logical_date: None, params: json!({ "key": "k3y-of-an-act" }) };
        assert!(!secret.to_string().contains("k3y-of-an-act"), "{secret}");
    }

    #[test]
    fn a_misspelled_field_is_refused_and_what_is_stored_is_read_again() {
        let read = |given: Value| serde_json::from_value::<Command>(given).map_err(|error| error.to_string());
        let trigger = json!({ "command": "trigger", "pipeline": "sales", "date": "2027-11-15", "params": {} });
        assert_eq!(read(trigger).unwrap_err(), "unknown field `date`, expected one of `pipeline`, `logical_date`, `params`");
        let backfill =
            json!({ "command": "backfill", "pipeline": "sales", "from": "2026-01-05", "to": "2026-01-06", "max_runs": 1 });
        assert!(read(backfill).unwrap_err().starts_with("unknown field `max_runs`"));
        let all = [
            Command::Pause { pipeline: "sales".into(), paused: true },
            Command::Set { setting: "limit".into(), to: SettingInput::Default },
            Command::Prune { older_than: Duration::from_hours(1) },
            Command::Retry { run: "sales/1".into(), nodes: vec!["load".into()], downstream: true },
        ];
        for command in all {
            assert_eq!(read(serde_json::to_value(&command).unwrap()), Ok(command));
        }
    }
}
