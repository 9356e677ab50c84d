//! The core by itself: without a clock, a runtime or bodies, which is what its sans-IO shape is for.
//!
//! [`random`] drives random plans with random answers at random times, through crashes, and holds the core against [`model`], a
//! reference that recomputes everything from the rules at each event. The other modules have
//! single cases, by hand.

mod callbacks;
mod edits;
mod harness;
mod locks;
mod model;
mod permits;
mod random;
mod recipe;
mod removals;
mod retries;
mod rules;
mod wake;
