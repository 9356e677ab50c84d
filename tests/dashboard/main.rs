//! The dashboard: its API, asked as a page asks it, of real processes.

mod api;
mod beside;
mod commands;
mod events;
mod gate;
mod http;
mod openapi;
mod process;
mod travel;
