//! Exercise 5: event files go into the archives of their hours, each exactly once, whatever happens meanwhile.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, in its helpers too")]

mod archive;
mod demo;
#[path = "../figures.rs"]
mod figures;
mod headers;
mod intervals;
mod killed;
mod listing;
mod support;
mod together;
