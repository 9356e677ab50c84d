//! Exercise 2, tasks 1 and 2: the validation criteria of the exercise, one module each where they are simulations, then what
//! the pipelines do with bad input, when they run again, and in real time.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in its helpers too")]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod bad_input;
mod bodies;
mod criteria;
mod real_time;
mod runs_again;
mod support;
