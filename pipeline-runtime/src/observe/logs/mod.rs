//! Log lines: what bodies and the engine log through `tracing`, each line tied to its node and attempt.
//!
//! `2024-03-25T06:00:01Z INFO process#2: parsed 3 records rows=3` is a line of the second attempt of node `process`. The time is
//! that of the run's clock. The attempt is found through the scope that the engine sets around each poll, so a line needs no
//! span.
//!
//! Lines of the engine about a run have the fields `pipeline`, `run` and `node`, as far as they are known. In text these are
//! written where they are in a body's lines.
//!
//! - `text.rs`: lines for people.
//! - `json.rs`: lines for programs.
//! - `attempt_log.rs`: lines of attempts in the journal.
//! - `panics.rs`: how panics are printed.

mod attempt_log;
mod json;
mod panics;
mod text;

pub(crate) use attempt_log::{AttemptLog, store_event};
#[cfg(feature = "airflow")]
pub(crate) use json::message_and_fields;
#[cfg(feature = "airflow")]
pub(crate) use panics::log as log_panics;
pub(crate) use panics::redact as redact_panics;
pub(crate) use text::line;

use attempt_log::store;

use super::RunPrefixes;
use super::feed::LogSink;
use super::terminal::print_error;
use crate::engine;
use crate::storage::World;
use crate::time::{Clock, Timestamp};
use std::sync::{Mutex, Once, PoisonError};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The destination of lines, and their clock.
static OUTPUT: Mutex<Option<LogOutput>> = Mutex::new(None);

#[derive(Debug, Clone)]
struct LogOutput {
    sink: LogSink,
    clock: Clock,
    prefixes: RunPrefixes,
}

/// What is logged, and in which format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Logging {
    pub(crate) level: LevelFilter,
    pub(crate) format: LogFormat,
}

/// The format of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub(crate) enum LogFormat {
    /// For people: `TIME LEVEL NODE#ATTEMPT: MESSAGE field=value`
    #[default]
    Text,
    /// For programs: one JSON object per line
    Json,
}

/// What a line is about, as far as it is known.
#[derive(Debug, Default)]
struct LogSubject {
    pipeline: Option<String>,
    run: Option<String>,
    node: Option<String>,
    attempt: Option<u32>,
}

/// Sends this process's log lines to `sink` until the guard is dropped; otherwise they go to stderr. Bodies never wait for a
/// reader of the lines. Lines of attempts are also stored, by the [`AttemptLog`] of their thread.
///
/// The first call in a process also decides level and format, and makes panics of bodies log lines. A program that has set its
/// own `tracing` subscriber keeps it.
pub(crate) fn collect(logging: Logging, sink: LogSink, clock: Clock, prefixes: RunPrefixes) -> CollectGuard {
    install(logging);
    *OUTPUT.lock().unwrap_or_else(PoisonError::into_inner) = Some(LogOutput { sink, clock, prefixes });
    CollectGuard(())
}

/// Stops collecting when it is dropped.
#[derive(Debug)]
pub(crate) struct CollectGuard(());

impl Drop for CollectGuard {
    fn drop(&mut self) {
        *OUTPUT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Logs from now on.
pub(crate) fn install(logging: Logging) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Lines(logging));
        // The program's own subscriber stays.
        let _ = tracing::subscriber::set_global_default(subscriber);
        panics::log();
    });
}

/// The layer that writes the lines.
#[derive(Debug)]
struct Lines(Logging);

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.0.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let output = OUTPUT.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of_process = || output.as_ref().map_or_else(Clock::system, |output| output.clock).now();
        let now = World::simulated_time().map_or_else(of_process, Timestamp::from);
        let metadata = event.metadata();
        let (text, about) = text::text_and_subject(event, is_engines(metadata));
        let of_attempt = engine::current(|attempt| {
            let (info, node, number) = (&attempt.spec.info, attempt.id(), attempt.number);
            store(attempt, *metadata.level(), || text.clone());
            let (pipeline, run) = (info.pipeline.clone(), info.run_id.clone());
            LogSubject { pipeline: Some(pipeline), run: Some(run), node: Some(node), attempt: Some(number) }
        });
        let about = of_attempt.unwrap_or(about);
        let line = match self.0.format {
            LogFormat::Text => {
                let about = text::about(&about, output.as_ref().map(|output| &output.prefixes), metadata);
                text::line(now, *metadata.level(), &about, &text)
            }
            LogFormat::Json => json::line(now, event, about),
        };
        let unsent = match output {
            Some(output) => output.sink.log(line),
            None => Err(line),
        };
        if let Err(line) = unsent {
            print_error(&line);
        }
    }
}

/// True if the engine logs about a run. The log notifier is excluded, since it passes this data as fields.
fn is_engines(metadata: &Metadata<'_>) -> bool {
    is_ours(metadata) && !metadata.target().starts_with(concat!(env!("CARGO_CRATE_NAME"), "::alerts"))
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}
