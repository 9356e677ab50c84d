//! What a process takes: wall time, processor time, and memory as the system reports it. On a busy machine only processor time
//! says what work costs.

use std::time::{Duration, Instant};

/// Runs from its creation.
#[derive(Debug)]
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

/// How long something took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of all threads of this process.
    pub cpu: Duration,
}

impl From<Duration> for Took {
    /// Of a measurement of wall time only.
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
    /// Starts a stopwatch.
    pub fn start() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    /// The time since its start.
    pub fn took(&self) -> Took {
        let wall = self.wall.elapsed();
        Took { wall, cpu: cpu().saturating_sub(self.cpu) }
    }
}

/// The peak resident memory of this process in bytes, as the system reports it; zero if it does not.
pub fn most_resident() -> usize {
    status("VmHWM:")
}

/// The resident memory of this process in bytes, as the system reports it; zero if it does not.
pub fn resident() -> usize {
    status("VmRSS:")
}

fn status(of: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(of)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) * 1024
}

/// Processor time of all threads, those that have ended and running ones included. The scheduler's accounting in `/proc` leaves
/// out what a thread has run since its last tick, which is most of a short run.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
