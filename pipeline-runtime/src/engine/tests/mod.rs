//! The core by itself, without a clock, a runtime or bodies: its sans-IO design makes this possible.
//!
//! [`random`] drives random plans with random answers at random times, through crashes, and compares the core with [`model`], a
//! reference that recomputes everything from the rules at each event. The other modules test single cases.

mod callbacks;
mod edits;
mod harness;
mod locks;
mod model;
mod permits;
mod random;
mod random_plan;
mod removals;
mod retries;
mod rules;
mod wake;
