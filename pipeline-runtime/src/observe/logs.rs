//! Log lines: what bodies and the engine say through `tracing`, each line tied to its node and attempt.
//!
//! `2024-03-25T06:00:01Z INFO process#2: parsed 3 records rows=3` is a line of the second attempt of node `process`. The time is that
//! of the run's clock. The attempt is found through the scope that the engine sets around each poll, so a line costs no span.

use super::feed::LogSink;
use crate::engine;
use crate::journal::{LogLine, SqliteJournal};
use crate::time::{Clock, Timestamp};
use chrono::SecondsFormat;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A longer line is cut.
const MAX_LINE: usize = 16 << 10;

/// Where lines go, and which time they tell.
static DESK: Mutex<Option<Desk>> = Mutex::new(None);

#[derive(Debug, Clone)]
struct Desk {
    sink: LogSink,
    /// Keeps those of attempts.
    journal: Option<Arc<SqliteJournal>>,
    clock: Clock,
    /// Several pipelines run at once, so that a node's id alone does not name it.
    many: bool,
}

/// Sends this process's log lines to `sink`, and those of attempts to the journal too, until the guard is dropped; at other times
/// they go to stderr. No body waits for who shows them.
///
/// The first call in a process also decides its level, and has panics of bodies logged instead of printed. A program that
/// has set a `tracing` subscriber of its own keeps it.
pub(crate) fn collect(
    level: LevelFilter,
    sink: LogSink,
    journal: Option<Arc<SqliteJournal>>,
    clock: Clock,
    many: bool,
) -> Collecting {
    install(level);
    *DESK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Desk { sink, journal, clock, many });
    Collecting(())
}

/// Ends the collecting when it is dropped.
#[derive(Debug)]
pub(crate) struct Collecting(());

impl Drop for Collecting {
    fn drop(&mut self) {
        *DESK.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Logs from now on, at `level`.
pub(crate) fn install(level: LevelFilter) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Lines(level));
        // The program's own subscriber stays.
        let _ = tracing::subscriber::set_global_default(subscriber);
        hear_panics();
    });
}

/// A panic of a body is its attempt's error, and shown as that; where it happened only the hook can tell.
fn hear_panics() {
    let other = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if engine::current(|_| ()).is_none() {
            return other(panic);
        }
        let at = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let what = panic.payload_as_str().unwrap_or("(no message)");
        tracing::error!("the body panicked at {at}: {what}");
    }));
}

/// The layer that writes the lines.
#[derive(Debug)]
struct Lines(LevelFilter);

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.0
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let desk = DESK.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = desk.as_ref().map_or_else(Clock::system, |desk| desk.clock).now();
        let many = desk.as_ref().is_some_and(|desk| desk.many);
        let metadata = event.metadata();
        let mut text = String::new();
        event.record(&mut Words { line: &mut text, begun: false });
        cut(&mut text);
        let about = engine::current(|attempt| {
            let pipeline = if many { format!("{}/", attempt.spec.info.pipeline) } else { String::new() };
            let (node, number) = (attempt.id(), attempt.number);
            let about = format!("{pipeline}{node}#{number}");
            if let Some(journal) = desk.as_ref().and_then(|desk| desk.journal.as_ref()) {
                let (run, level, text) = (attempt.spec.key, *metadata.level(), text.clone());
                journal.log(LogLine { run, node, attempt: number, at: now, level, text });
            }
            about
        });
        let about = about.unwrap_or_else(|| match metadata.target() {
            // Which of its modules speaks is the engine's own affair.
            ours if ours.starts_with(env!("CARGO_CRATE_NAME")) => "engine".to_owned(),
            target => target.to_owned(),
        });
        let line = line(now, *metadata.level(), &about, &text);
        let unsent = match desk {
            Some(desk) => desk.sink.log(line),
            None => Err(line),
        };
        if let Err(line) = unsent {
            // There is nowhere to say that stderr is closed.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// A line as people read it. `about` is its node and attempt.
pub(crate) fn line(at: Timestamp, level: Level, about: &str, text: &str) -> String {
    format!("{} {level} {about}: {text}", at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn cut(line: &mut String) {
    if line.len() > MAX_LINE {
        let more = line.len() - MAX_LINE;
        let end = (0..=MAX_LINE).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
        line.truncate(end);
        // Writing to a text cannot fail.
        let _ = write!(line, "… ({more} bytes more)");
    }
}

/// Writes the message first as it is, then the fields as `name=value`.
struct Words<'a> {
    line: &'a mut String,
    begun: bool,
}

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let between = if std::mem::replace(&mut self.begun, true) { " " } else { "" };
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.line, "{between}{value:?}"),
            name => write!(self.line, "{between}{name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let mut line = "ä".repeat(MAX_LINE);
        cut(&mut line);
        assert!(line.ends_with(&format!("… ({MAX_LINE} bytes more)")), "{}", &line[line.len() - 40..]);
    }
}
