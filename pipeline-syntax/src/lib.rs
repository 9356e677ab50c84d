//! The grammar of options: durations, dates, cron lines, time zones, ids and the names in templates, with their limits and defaults.
//!
//! This crate is a part of `pipeline-runtime` and is used through it. Its interface follows the needs of the macros and of the
//! runtime, and may change in any release; both ask for exactly this version.
//!
//! The macros call it for what stands in an attribute. The runtime calls it for the same text when a plan is built, for what a node
//! is given by a method, and for the arguments of the command line. So what `cargo check` accepts, a run understands, and one mistake
//! has one message.
//!
//! | module | its one subject |
//! |---|---|
//! | [`cron`] | schedules |
//! | [`date`] | dates, and the window between two of them |
//! | [`duration`] | durations |
//! | [`every`] | schedules that come round after a time of their own |
//! | [`id`] | the ids of nodes and pipelines |
//! | [`key`] | the keys of a list's elements |
//! | [`limits`] | defaults, and the bounds of values |
//! | [`suggest`] | the nearest known name to what was typed |
//! | [`template`] | what a template may name |
//! | [`zone`] | time zones: their names, the two databases of them, and a zone's wall clock |
//!
//! # Invariants
//!
//! - It reads no clock, and no file but those of the machine's time zone database.
//! - A message is a fragment that says what is wrong and what to write. Whoever shows it says first what was read.
//!
//! ```
//! use pipeline_syntax::duration::{self, Zero};
//!
//! assert_eq!(duration::parse("1h30m", Zero::Refused)?, std::time::Duration::from_secs(5400));
//! assert_eq!(duration::parse("45", Zero::Refused), Err("the unit is missing: write `45s`, `45m` or `45h`".to_owned()));
//! # Ok::<(), String>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod cron;
pub mod date;
pub mod duration;
pub mod every;
pub mod id;
pub mod key;
pub mod limits;
pub mod suggest;
pub mod template;
pub mod zone;
