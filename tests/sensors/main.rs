//! Ready-made sensors, wake-ups by the file system, and what a run is measured by.

mod buckets;
mod metrics;
mod time;
mod timeouts;
// How soon a change is seen elsewhere depends on what the system tells.
#[cfg(target_os = "linux")]
mod wake_ups;
