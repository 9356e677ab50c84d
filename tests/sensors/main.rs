//! Ready-made sensors, wake-ups by the file system, and a run's metrics.

mod buckets;
mod metrics;
mod time;
mod timeouts;
// On other systems, when a change is noticed depends on the system's notifications.
#[cfg(target_os = "linux")]
mod wake_ups;
