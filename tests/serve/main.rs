//! `serve`, and the commands that it carries out: real processes, on a clock that is six hundred times as fast.
#![cfg(unix)]

mod backfill;
mod commands;
mod elsewhere;
mod logs;
mod one_file;
mod process;
mod retention;
mod schedule;
mod short;
mod supervised;
