//! What a waiting sensor costs: the resident memory of a whole process, as the system reports it.
//!
//! Each figure is of a process of its own, in which all sensors of one plan were poked once and now wait, in mode `reschedule`,
//! each with a key and a bucket of its own.

use crate::stopwatch::resident;
use crate::table::Table;
use pipeline_runtime::__measure::Live;
use pipeline_runtime::cli::{Progress, Runner};
use pipeline_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SIZES: [usize; 4] = [1, 1_000, 100_000, 1_000_000];
/// How long the idle process is observed.
const IDLE: Duration = Duration::from_secs(10);
const CHILD: &str = "PIPELINE_BENCH_WAITING";
/// The largest size to measure, for a quick check of a change.
const LARGEST: &str = "PIPELINE_BENCH_SENSORS";

static POKES: AtomicUsize = AtomicUsize::new(0);

/// No second poke is due during the measurement.
#[sensor(poke = "6h", timeout = "7d")]
async fn waits(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    POKES.fetch_add(1, Ordering::Relaxed);
    Ok(bucket.head(&key).await?.into())
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Options {
    sensors: usize,
}

#[pipeline]
fn waiting(options: Options) -> Result<()> {
    for n in 0..options.sensors {
        waits(Bucket::open("memory://data-bucket")?, format!("raw/2024/03/daily_export_{n:07}.json"));
    }
    Ok(())
}

/// # Panics
///
/// If a process cannot be started or does not report its figures.
pub(super) fn table() -> Table {
    let mut table = Table::new(
        "Sensors that wait in one process",
        ["what runs", "sensors", "resident MB", "bytes a sensor", "pokes a second", "CPU ms in 10 s of waiting"],
    );
    let largest = std::env::var(LARGEST).ok().and_then(|most| most.parse().ok()).unwrap_or(usize::MAX);
    for mode in ["the engine", "a run with its history", "a run with its history, journaled"] {
        let mut least = None;
        for sensors in SIZES.into_iter().filter(|sensors| *sensors <= largest) {
            let Figures { resident, pokes_per_second, cpu_ms } = measure(mode, sensors);
            let least = *least.get_or_insert(resident);
            let each = resident.saturating_sub(least) / sensors.saturating_sub(1).max(1);
            let each = if sensors == 1 { "–".to_owned() } else { each.to_string() };
            let resident = resident / 1_000_000;
            table.row([
                mode,
                &sensors.to_string(),
                &resident.to_string(),
                &each,
                &pokes_per_second.to_string(),
                &cpu_ms.to_string(),
            ]);
        }
    }
    table
}

#[derive(Serialize, Deserialize)]
struct Figures {
    resident: usize,
    pokes_per_second: u64,
    cpu_ms: u64,
}

fn measure(mode: &str, sensors: usize) -> Figures {
    let said = std::env::current_exe().and_then(|exe| Command::new(exe).env(CHILD, format!("{mode}:{sensors}")).output());
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match said.as_deref().map(serde_json::from_str::<Figures>) {
        Ok(Ok(figures)) => figures,
        other => panic!("{sensors} sensors failed: {:?} {said:?}", other.map(|figures| figures.is_ok())),
    }
}

pub(super) fn is_child() -> bool {
    let Ok(wanted) = std::env::var(CHILD) else { return false };
    let (mode, sensors) = wanted.split_once(':').unwrap_or_default();
    let options = Options { sensors: sensors.parse().unwrap_or(1) };
    match mode {
        "the engine" => engine(options),
        _ => run(options, mode.ends_with("journaled")),
    }
    true
}

fn engine(options: Options) {
    let plan = match waiting().plan(&serde_json::to_value(options).unwrap_or_default()) {
        Ok(plan) => Arc::new(plan),
        Err(error) => panic!("{error}"),
    };
    let Ok(live) = Live::in_memory(2) else { panic!("cannot start threads") };
    let started = Instant::now();
    let _run = live.start(&plan);
    tell(options, started);
}

fn run(options: Options, journaled: bool) {
    let journal = std::env::temp_dir().join(format!("pipeline-bench-{}.db", std::process::id()));
    let started = Instant::now();
    std::thread::spawn(move || {
        tell(options, started);
        for end in ["", "-wal", "-shm", ".lock"] {
            // Not all of these files exist.
            let _ = std::fs::remove_file(format!(
                "{}{end}",
                std::env::temp_dir().join(format!("pipeline-bench-{}.db", std::process::id())).display()
            ));
        }
        std::process::exit(0);
    });
    let runner = Runner::new().pipeline(waiting(), options).progress(Progress::Silent);
    let runner = if journaled { runner.journal(journal) } else { runner };
    if let Err(error) = runner.run() {
        panic!("{error}");
    }
}

/// Prints the process's figures, once all sensors were poked.
fn tell(options: Options, started: Instant) {
    while POKES.load(Ordering::Relaxed) < options.sensors {
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = started.elapsed();
    // Time for the last answers and commits.
    std::thread::sleep(Duration::from_secs(2));
    let (before, resident) = (cpu_ms(), resident());
    std::thread::sleep(IDLE);
    let per_second = options.sensors as u128 * 1_000_000 / took.as_micros().max(1);
    let pokes_per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
    let figures = Figures { resident, pokes_per_second, cpu_ms: cpu_ms() - before };
    println!("{}", serde_json::to_string(&figures).unwrap_or_default());
}

/// User and kernel time of all threads, in milliseconds.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may contain anything: fields 12 and 13, in hundredths of a second.
    let times = stat.rsplit_once(')').unwrap_or_default().1.split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
