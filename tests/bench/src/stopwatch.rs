//! What a process takes. Time by the clock on the wall, and time on a processor: on a machine that does much else only the second
//! says what work costs. Memory, as the system counts it.

use std::time::{Duration, Instant};

/// Runs from when it is made.
#[derive(Debug)]
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

/// How long something took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// On the wall.
    pub wall: Duration,
    /// On a processor, of all this process's threads that were there at the start and at the end. Zero where the system does not
    /// say.
    pub cpu: Duration,
}

impl From<Duration> for Took {
    /// What was measured on the wall alone.
    fn from(wall: Duration) -> Self {
        Self { wall, cpu: Duration::ZERO }
    }
}

impl std::iter::Sum for Took {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let none = Self { wall: Duration::ZERO, cpu: Duration::ZERO };
        all.fold(none, |sum, of| Self { wall: sum.wall + of.wall, cpu: sum.cpu + of.cpu })
    }
}

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    /// How long it has been running.
    pub fn took(&self) -> Took {
        let wall = self.wall.elapsed();
        Took { wall, cpu: cpu().saturating_sub(self.cpu) }
    }
}

/// How much memory this process took at most, in bytes, as the system counts it. Zero where it does not say.
pub fn most_resident() -> usize {
    status("VmHWM:")
}

/// How much memory this process takes, in bytes, as the system counts it. Zero where it does not say.
pub fn resident() -> usize {
    status("VmRSS:")
}

fn status(of: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(of)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) * 1024
}

/// The scheduler's own account of each thread, in nanoseconds.
fn cpu() -> Duration {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(|task| of(task.ok()?)).sum())
}
