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
    /// On a processor, of all this process's threads.
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

/// Of all threads, those that have ended and those that run at this moment included. The scheduler's account in `/proc` leaves out what a
/// thread has run since its last tick, which is most of a short run.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
