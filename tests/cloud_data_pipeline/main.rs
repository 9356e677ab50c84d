//! Exercise 2: the validation criteria of the exercise and its extension challenges, one module each where they are simulations,
//! then what the pipelines do with bad input, when they run again, and in real time. What `docs/exercise-2.md` says of it is checked
//! by the tests that it names: see `figures`.

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
