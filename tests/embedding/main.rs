//! The engine within another program, here a test: what it is asked for, how it ends, and what is read beside it.

mod asked;
mod ending;
mod gate;
mod page;
mod reading;
mod schedule;
mod service;
