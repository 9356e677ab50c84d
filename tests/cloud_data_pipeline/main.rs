//! Exercise 2: the validation criteria of the exercise and its extension challenges, with a module for each if they are
//! simulations. Then the pipelines with bad input, when they run again, and in real time. The claims in `docs/exercise-2.md` are
//! checked by the tests that it names: see `figures`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in its helpers too")]
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod bad_input;
mod bodies;
mod criteria;
mod extensions;
#[path = "../figures.rs"]
mod figures;
mod real_time;
mod runs_again;
mod support;
mod table;
