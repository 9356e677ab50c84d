//! A chain whose side effects go to a file, in a process that is killed at a given place: `kills.rs` kills it.
//!
//! `durable-pipeline JOURNAL EFFECTS STAGE [body:N | before:N | middle:N | during:N | after:N | panic:N]`. It prints `on` when
//! its first body starts. In the body that would write the N-th line, or at that stage of its N-th commit, it prints `here` and
//! waits to be killed; with `during` it continues meanwhile, so that the signal comes while the commit is written; with `panic`
//! it panics there instead. STAGE always has the journal's stage: `b` a commit has begun, `w` its rows are written, `c` it is
//! durable.

use pipeline_runtime::__private::commits::{self, Stage};
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunReport};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Once, OnceLock};

/// The arguments of the process.
struct Arguments {
    effects: PathBuf,
    stage: File,
    /// The place at which it is to be killed.
    at: Option<(String, u64)>,
}

static ARGUMENTS: OnceLock<Arguments> = OnceLock::new();

fn here() {
    say("here");
}

fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    // The reader may be gone.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn wait_to_be_killed() -> ! {
    here();
    loop {
        std::thread::park();
    }
}

/// Appends a line, unless the process is to be killed at this one.
fn effect(line: &str) -> Result<()> {
    static ON: Once = Once::new();
    ON.call_once(|| say("on"));
    let arguments = ARGUMENTS.get().ok_or("there are no arguments")?;
    let lines = std::fs::read_to_string(&arguments.effects).unwrap_or_default().lines().count();
    if arguments.at.as_ref().is_some_and(|(what, n)| what == "body" && *n == lines as u64) {
        wait_to_be_killed();
    }
    let mut file = OpenOptions::new().append(true).create(true).open(&arguments.effects)?;
    // One write, so that the lines of a killed process are whole.
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

fn reached(stage: Stage) {
    static COMMITS: AtomicU64 = AtomicU64::new(0);
    let Some(arguments) = ARGUMENTS.get() else { return };
    let (letter, name) = match stage {
        Stage::Begun => (b"b", "before"),
        Stage::Written => (b"w", "middle"),
        Stage::Kept => (b"c", "after"),
    };
    // If this write fails, the test only counts fewer kills inside commits.
    let _ = arguments.stage.write_at(letter, 0);
    let commit = COMMITS.fetch_add(u64::from(stage == Stage::Begun), Ordering::Relaxed) + u64::from(stage == Stage::Begun);
    match &arguments.at {
        Some((what, n)) if *n == commit && what == name => wait_to_be_killed(),
        Some((what, n)) if *n == commit && what == "panic" && stage == Stage::Written => panic!("it was told to"),
        Some((what, n)) if *n == commit && what == "during" && stage == Stage::Written => here(),
        _ => {}
    }
}

fn start(ctx: &Context) -> Result<()> {
    effect(&format!("start {} {} {}", ctx.node(), ctx.idempotency_key(), ctx.attempt()))
}

#[task]
async fn first(ctx: Context) -> Result<u64> {
    start(&ctx)?;
    Ok(1)
}

#[task]
async fn step(ctx: Context, n: u64) -> Result<u64> {
    start(&ctx)?;
    effect(&format!("end {}", ctx.node()))?;
    Ok(n + 1)
}

#[task]
async fn total(ctx: Context, n: u64) -> Result<()> {
    effect(&format!("total {n} {} {}", ctx.idempotency_key(), ctx.attempt()))
}

/// The chain's length; `kills.rs` has the same number.
const STEPS: usize = 25;

#[pipeline]
fn chain() {
    let mut last = first().named("step_0");
    for n in 1..STEPS {
        last = step(last).named(format!("step_{n}"));
    }
    total(last);
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [journal, effects, stage, at @ ..] = args.as_slice() else { return ExitCode::from(2) };
    let at = at.first().and_then(|at| at.split_once(':')).and_then(|(what, n)| Some((what.to_owned(), n.parse().ok()?)));
    let stage = match OpenOptions::new().write(true).create(true).truncate(true).open(stage) {
        Ok(stage) => stage,
        Err(error) => {
            eprintln!("{stage}: {error}");
            return ExitCode::from(2);
        }
    };
    let _ = ARGUMENTS.set(Arguments { effects: effects.into(), stage, at });
    commits::watch(reached);
    match Runner::new().pipeline(chain(), ()).journal(journal).progress(Progress::Silent).run() {
        Ok(finished) => {
            for node in finished.reports().iter().flat_map(RunReport::nodes).filter(|node| node.state() == NodeState::Failed) {
                eprintln!("{} failed: {}", node.id(), node.error().unwrap_or_default());
            }
            finished.exit_code()
        }
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    }
}
