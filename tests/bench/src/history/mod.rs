//! What reading a journal of 100,000 runs costs, and starting a process on it, beside a journal of ten runs.

use pipeline_bench::rounds::{Contender, alternate};
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// The logical date of the last of ten runs, one each minute.
pub(crate) const FEW: &str = "2024-01-01T00:09";
/// The logical date of the last of [`RUNS`].
pub(crate) const MANY: &str = "2024-03-10T10:39";
const RUNS: u64 = 100_000;
/// A run in both journals.
const RUN: &str = "backfill__2024-01-01T00:05:00Z";

const COMMANDS: [(&str, &[&str]); 7] = [
    ("`runs`", &["runs"]),
    ("`runs --state failed`", &["runs", "--state", "failed"]),
    (
        "`runs --pipeline minutely --kind backfill --limit 100`",
        &["runs", "--pipeline", "minutely", "--kind", "backfill", "--limit", "100"],
    ),
    ("`show RUN`", &["show", RUN]),
    ("`logs RUN load`", &["logs", RUN, "load"]),
    ("`run --new`, from exec to exit", &["run", "minutely", "--new", "--logical-date", "2024-05-31T00:01"]),
    ("`prune --older-than 1s --dry-run`", &["prune", "--older-than", "1s", "--dry-run"]),
];

pub(crate) fn run() -> Vec<Table> {
    let (few, many) = (filled(FEW), filled(MANY));
    let mut table = Table::new(
        "A process that reads a journal of two-node runs, or begins one more, from exec to exit",
        ["what", "10 runs, ms", "100,000 runs, ms", "×"],
    );
    for (name, args) in COMMANDS {
        let on = |folder: &TempDir| {
            let folder = folder.path().to_owned();
            move || {
                let begun = Instant::now();
                let status = command(&folder).args(args).status().expect(BUILT);
                assert!(status.success(), "{args:?}: {status}");
                begun.elapsed()
            }
        };
        let standings = alternate(1, vec![Contender::new("few", on(&few)), Contender::new("many", on(&many))]);
        let millis = |of: Spread| Spread { median: of.median / 1e6, least: of.least / 1e6, greatest: of.greatest / 1e6 }.text(1);
        let [few, many] = standings.as_slice() else { unreachable!("there are two") };
        table.row([name.to_owned(), millis(few.nanos), millis(many.nanos), many.ratio.text(2)]);
    }
    vec![table, size(&many)]
}

/// Returns a folder with a journal of the runs up to `to`, on the target folder's disk.
pub(crate) fn filled(to: &str) -> TempDir {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(place).expect("the target folder can be written");
    let args = ["backfill", "minutely", "--from", "2024-01-01", "--to", to, "--max-active-runs", "1000", "--log", "info"];
    // One run in a hundred fails, so the exit code is 1.
    let status = command(folder.path()).args(args).status().expect(BUILT);
    assert_eq!(status.code(), Some(1), "the backfill");
    folder
}

fn size(many: &TempDir) -> Table {
    let bytes = std::fs::metadata(many.path().join(".pipeline/journal.db")).map_or(0, |file| file.len());
    let mut table = Table::new("The larger file", ["runs", "MB", "bytes a run, with the log lines of its two nodes"]);
    table.row([RUNS.to_string(), (bytes / 1_000_000).to_string(), (bytes / RUNS).to_string()]);
    table
}

const BUILT: &str = "it was built: `cargo build --release -p pipeline-bench`";

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The path of `bench-kept`, another binary of this package.
fn binary() -> PathBuf {
    std::env::current_exe().expect("it has a place").with_file_name("bench-kept")
}
