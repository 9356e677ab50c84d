use crate::observe::logs;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Keeps in the journal what attempts log through `tracing`, for a program that embeds a [`Host`](crate::Host): a layer of
/// tracing-subscriber 0.3.
///
/// The command line has it built in. A program has a subscriber of its own, and adds this layer to it, with a filter of the levels to keep.
/// Events that no attempt logs pass it by.
///
/// ```
/// use pipeline_runtime::AttemptLogs;
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(AttemptLogs.with_filter(tracing::level_filters::LevelFilter::INFO))
///     .init();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptLogs;

impl<S: Subscriber> Layer<S> for AttemptLogs {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        logs::keep_event(event);
    }
}
