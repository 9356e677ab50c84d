//! Exercise 2, tasks 1 and 2: the validation criteria of the exercise, one module each where they are simulations, then what
//! the pipelines do with bad input, when they run again, and in real time.

mod bad_input;
mod bodies;
mod criteria;

mod runs_again;
mod support;
