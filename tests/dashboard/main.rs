//! The dashboard: its API, called as a page calls it, on real processes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod api;
mod beside;
mod commands;
mod events;
mod gate;
mod http;
mod metrics;
mod openapi;
mod process;
mod travel;
mod turns;
