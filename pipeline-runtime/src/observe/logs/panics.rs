//! Panics: those of bodies are log lines, and none shows the value of a secret.
//!
//! A body's panic becomes its attempt's error, which is redacted. Before that, the process's hook prints its message to stderr.
//! So it does for panics in threads and tasks that bodies start, and in notifiers, for which the source is unknown.

use super::super::terminal::print_error;
use crate::author::redaction::redacted;
use crate::engine;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// True if panics of bodies are logged.
static ARE_LOGGED: AtomicBool = AtomicBool::new(false);

/// Logs panics of bodies instead of printing them, and [redacts](redact) all others.
pub(crate) fn log() {
    ARE_LOGGED.store(true, Ordering::Relaxed);
    redact();
}

/// Prints a panic whose message contains a secret's value with `***` in its place. All others go to the hook that the program set
/// before.
pub(crate) fn redact() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let other = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if ARE_LOGGED.load(Ordering::Relaxed) && engine::current(|_| ()).is_some() {
                let what = panic.payload_as_str().unwrap_or("(no message)");
                return tracing::error!("the body panicked at {}: {what}", location_of(panic));
            }
            match panic.payload_as_str().map(redacted) {
                Some(Cow::Owned(hidden)) => print(panic, &hidden),
                _ => other(panic),
            }
        }));
    });
}

fn location_of(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

/// Prints a panic like the standard library.
fn print(panic: &PanicHookInfo<'_>, what: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let trace = Backtrace::capture();
    let more = match trace.status() {
        BacktraceStatus::Captured => format!("stack backtrace:\n{trace}"),
        _ => "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace".to_owned(),
    };
    print_error(&format!("\nthread '{name}' panicked at {}:\n{what}\n{more}", location_of(panic)));
}
