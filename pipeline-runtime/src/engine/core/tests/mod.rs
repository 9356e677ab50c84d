//! The core by itself: without a clock, a runtime or bodies, which is what its sans-IO shape is for.
//!
//! [`random`] drives random plans with random answers at random times, through crashes, and holds the core against [`model`], a
//! reference that recomputes everything from the rules at each event. [`rules`], [`edits`] and [`wake`] have single cases, by
//! hand.

mod edits;
mod harness;
mod model;
mod random;
mod recipe;
mod rules;
mod wake;
