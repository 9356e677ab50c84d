//! A run that started, finishes: killed at random points, inside bodies and inside commits, and gone on with.
//!
//! Promises are checked against the file of side effects, not against the journal that makes them.

#![allow(clippy::unwrap_used, reason = "a test's own means are there or it fails")]
#![allow(clippy::needless_raw_string_hashes, reason = "goldens are written by expect-test")]

mod arrivals;
mod asked;
mod damage;
mod deploys;
mod faults;
mod folder;
mod golden;
#[cfg(target_os = "linux")]
mod heard;
mod history;
mod kills;
#[cfg(target_os = "linux")]
mod power;
mod promise;
mod queued;
mod set_aside;
#[cfg(target_os = "linux")]
mod soak;
mod stalls;
