//! The holder of a journal, according to the lock file beside it.

use super::file;
use crate::time::Clock;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The process that holds a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The process's number.
    pub process: u32,
    /// Since when, by the wall clock. `None` if the file with this information was just removed.
    pub since: Option<DateTime<Utc>>,
    /// Its command line, with `…` for everything that may be a secret, such as the values of `--param`. Empty if that file was
    /// removed.
    pub command: String,
}

/// The options whose values are not secrets.
const SHOWN: [&str; 13] = [
    "--journal",
    "--log",
    "--log-format",
    "--logical-date",
    "--from",
    "--to",
    "--max-active-runs",
    "--reprocess",
    "--parallelism",
    "--drain",
    "--keep",
    "--metrics",
    "--older-than",
];
/// The commands that may hold a journal. The meaning of the arguments of a binary's own commands is unknown.
const COMMANDS: [&str; 13] =
    ["run", "serve", "resume", "trigger", "backfill", "retry", "skip", "cancel", "pause", "unpause", "prune", "repair", "assets"];

/// The file beside a journal that its holder keeps locked.
pub(super) fn beside(journal: &Path) -> PathBuf {
    file::beside(journal, ".lock")
}

/// True if any process holds the journal.
pub(super) fn is_held(journal: &Path) -> bool {
    let Ok(file) = File::open(beside(&file::resolve(journal))) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// True if certainly no process holds the journal: the file does not exist, or it can be locked. A file that cannot be opened
/// proves nothing.
pub(super) fn is_free(journal: &Path) -> bool {
    match File::open(beside(journal)) {
        Ok(file) => file.try_lock_shared().is_ok(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

impl Holder {
    /// This process, from now on.
    pub(super) fn this() -> Self {
        let command = without_secrets(std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()));
        Self { process: std::process::id(), since: Some(Clock::system().now().to_utc()), command }
    }

    /// Returns the present holder of the journal.
    pub(crate) fn of(journal: &Path) -> Option<Self> {
        let mut file = File::open(beside(&file::resolve(journal))).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Self::read(&mut file),
            // Nobody holds it; the file names an earlier holder.
            _ => None,
        }
    }

    pub(super) fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let (process, rest) = text.split_once('\n')?;
        let (since, command) = rest.split_once('\n')?;
        Some(Self { process: process.trim().parse().ok()?, since: Some(since.parse().ok()?), command: command.trim().to_owned() })
    }

    pub(super) fn write(&self, file: &mut File) -> std::io::Result<()> {
        let since = self.since.map(|since| since.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default();
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}\n{since}\n{}", self.process, self.command)
    }
}

/// Returns a command line that anybody may read. It stays in the file after the process has ended.
fn without_secrets(mut args: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = args.next().into_iter().collect();
    let mut is_known = false;
    while let Some(arg) = args.next() {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !name.starts_with('-') {
            is_known |= COMMANDS.contains(&arg.as_str());
            words.push(arg);
            if !is_known {
                words.extend(args.next().map(|_| "…".to_owned()));
                break;
            }
        } else if SHOWN.contains(&name) {
            let next = if value.is_none() { args.next() } else { None };
            words.push(arg);
            words.extend(next);
        } else if let Some((name, _)) = arg.split_once('=') {
            words.push(format!("{name}=…"));
        } else if matches!(name, "--json" | "--new" | "--downstream" | "--dry-run" | "--accept-removed" | "--force") {
            words.push(arg);
        } else {
            words.push(arg);
            words.extend(args.next().map(|_| "…".to_owned()));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_kept_without_what_may_be_a_secret() {
        let of = |line: &str| without_secrets(line.split(' ').map(str::to_owned));
        for (line, kept) in [
            ("sales serve", "sales serve"),
            (
                "sales --journal j.db run nightly --logical-date 2024-03-25 --json",
                "sales --journal j.db run nightly --logical-date 2024-03-25 --json",
            ),
            ("sales run nightly --param password=hunter2 --new", "sales run nightly --param … --new"),
            ("sales run nightly --param=password=hunter2", "sales run nightly --param=…"),
            ("sales --journal=j.db run --params secret.json --log=debug", "sales --journal=j.db run --params … --log=debug"),
            ("sales resume --accept-removed --log-format json", "sales resume --accept-removed --log-format json"),
            ("sales assets update prices --value 7", "sales assets update prices --value …"),
            ("sales sync --token hunter2", "sales sync …"),
            ("sales sync", "sales sync"),
            ("sales", "sales"),
        ] {
            assert_eq!(of(line), kept);
        }
    }
}
