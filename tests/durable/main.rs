//! A run that started, finishes: it is killed at random points, inside bodies and inside commits, and resumed.
//!
//! Promises are checked against the file of side effects, not against the journal that makes them.

#![allow(clippy::unwrap_used, reason = "a test's own means are there or it fails")]
#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

mod across;
mod arrivals;
#[cfg(target_os = "linux")]
mod body_notes;
mod commands;
mod damage;
mod deploys;
mod faults;
mod folder;
mod golden;
mod history;
mod keyed;
mod kills;
mod locked;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod power;
mod promise;
mod queued;
mod run_facts;
mod set_aside;
#[cfg(target_os = "linux")]
mod soak;
mod stalls;
mod torn_down;

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[test]
#[ignore = "what processes do to their files is recorded by LD_PRELOAD, on Linux with glibc"]
fn power_failures() {
    panic!("nothing is recorded on this system");
}
