//! The grammar of options: durations, dates, cron lines, time zones, ids and the names in templates, with their limits and
//! defaults.
//!
//! This crate is a part of `pipeline-runtime` and is used through it. Its interface follows the needs of the macros and of the
//! runtime, and may change in any release; both depend on exactly this version.
//!
//! The macros use it for the text in an attribute. The runtime uses it for the same text when a plan is built, for the values
//! that a node gets from a method, and for the arguments of the command line. So a run accepts exactly what `cargo check`
//! accepts, and each mistake has one message.
//!
//! | module | subject |
//! |---|---|
//! | [`cron`] | schedules |
//! | [`date`] | dates, and the window between two of them |
//! | [`duration`] | durations |
//! | [`every`] | schedules with a fixed distance between their ticks |
//! | [`id`] | the ids of nodes and pipelines |
//! | [`key`] | the keys of a list's elements |
//! | [`limits`] | defaults, and the bounds of values |
//! | [`suggest`] | the known name that is nearest to a typed one |
//! | [`template`] | the names that a template may use |
//! | [`zone`] | time zones: their names, their two databases, and a zone's wall clock |
//!
//! # Invariants
//!
//! - It reads no clock, and only the files of the machine's time zone database.
//! - A message is a fragment that states the mistake and what to write. The caller puts the text that was read in front of it.
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
