use crate::observe::logs;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Stores in the journal what attempts log through `tracing`, for a program that embeds a [`Host`](crate::Host): a layer of
/// tracing-subscriber 0.3.
///
/// The command line has it built in. A program has its own subscriber, and adds this layer with a filter of the levels to store.
/// The layer ignores events from outside of attempts.
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
        logs::store_event(event);
    }
}
