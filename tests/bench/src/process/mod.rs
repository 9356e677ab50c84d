//! What a process costs, from exec to exit: time, memory, disk space.

use pipeline_bench::rounds::{Contender, Standing, alternate};
use pipeline_bench::stats::Spread;
use pipeline_bench::table::Table;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const KINDS: [(&str, Kind); 4] = [
    ("no run at all", Kind::None),
    ("a run in memory", Kind::Memory),
    ("a durable run, a new journal", Kind::New),
    ("a durable run, a journal that is there", Kind::Same),
];

#[derive(Clone, Copy)]
enum Kind {
    None,
    Memory,
    New,
    Same,
}

pub(crate) fn run() -> Vec<Table> {
    vec![startup(), size()]
}

fn startup() -> Table {
    let mut table =
        Table::new("A process that makes one run of one no-op task, from exec to exit", ["what", "ms", "most resident, MB"]);
    // A folder on the target folder's disk: a temporary one may be in memory, where nothing is synced.
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(place).expect("the target folder can be written");
    let contender = |(name, kind)| {
        let (folder, mut n) = (folder.path().to_owned(), 0);
        Contender::new(name, move || {
            n += 1;
            let begun = Instant::now();
            // The exit code is checked below, where the memory is measured.
            command(kind, &folder, n).stdout(Stdio::null()).status().expect(BUILT);
            begun.elapsed()
        })
    };
    for (Standing { name, nanos, .. }, (_, kind)) in alternate(1, KINDS.map(contender).into()).into_iter().zip(KINDS) {
        let output = command(kind, folder.path(), 0).arg("tell").output().expect(BUILT);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let most: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints its memory");
        let millis = Spread { median: nanos.median / 1e6, least: nanos.least / 1e6, greatest: nanos.greatest / 1e6 };
        table.row([name.to_owned(), millis.text(1), format!("{:.1}", most / 1e6)]);
    }
    table
}

const BUILT: &str = "it was built: `cargo build --release -p pipeline-bench`";

fn command(kind: Kind, folder: &Path, n: u32) -> Command {
    let mut command = Command::new(binary());
    command.stdin(Stdio::null()).env("PIPELINE_LOG", "off");
    match kind {
        Kind::None => &mut command,
        Kind::Memory => command.arg("memory"),
        Kind::New => command.arg("kept").arg(folder.join(format!("{n}.db"))),
        Kind::Same => command.arg("kept").arg(folder.join("same.db")),
    };
    command
}

/// The path of `bench-empty`, another binary of this package.
fn binary() -> PathBuf {
    std::env::current_exe().expect("it has a place").with_file_name("bench-empty")
}

#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
fn size() -> Table {
    let mut table = Table::new("The binary of that process: release, thin LTO", ["what", "MB"]);
    let mut row = |what: &str, of: &Path| {
        let size = std::fs::metadata(of).map(|metadata| format!("{:.1}", metadata.len() as f64 / 1e6));
        table.row([what.to_owned(), size.unwrap_or_else(|error| format!("not known: {error}"))]);
    };
    row("as it is built", &binary());
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let stripped = folder.path().join("stripped");
    let strip = Command::new("strip").arg("-o").arg(&stripped).arg(binary()).status();
    if strip.is_ok_and(|status| status.success()) {
        row("stripped", &stripped);
    }
    table
}
