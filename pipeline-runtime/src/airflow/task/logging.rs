//! Sends what a task logs to Airflow's log of the task.

use super::super::wire::LogSocket;
use super::Task;
use crate::engine;
use crate::observe::logs;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Sends log lines to Airflow from now on, at the level that Airflow is set to. A program's own subscriber stays in place.
pub(super) fn install(task: &Task) {
    let level = std::env::var("AIRFLOW__LOGGING__LOGGING_LEVEL").unwrap_or_default();
    let layer =
        AirflowLayer { log_socket: Arc::clone(&task.log_socket), level: level_of(&level), pipeline: task.dag_run.dag_id.clone() };
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
    logs::log_panics();
}

fn level_of(airflow: &str) -> LevelFilter {
    match airflow.to_ascii_uppercase().as_str() {
        "DEBUG" | "NOTSET" => LevelFilter::DEBUG,
        "WARNING" | "WARN" => LevelFilter::WARN,
        "ERROR" | "CRITICAL" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

#[derive(Debug)]
struct AirflowLayer {
    log_socket: Arc<LogSocket>,
    level: LevelFilter,
    pipeline: String,
}

impl<S: Subscriber> Layer<S> for AirflowLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (message, fields) = logs::message_and_fields(event);
        let node = engine::current(|attempt| format!("{}.{}#{}", self.pipeline, attempt.id(), attempt.number));
        let logger = node.unwrap_or_else(|| event.metadata().target().to_owned());
        self.log_socket.send(chrono::Utc::now(), *event.metadata().level(), &logger, &message, fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airflows_level_says_from_where_on_lines_are_sent() {
        let levels = ["DEBUG", "info", "WARNING", "ERROR", "CRITICAL", ""].map(level_of);
        let expected =
            [LevelFilter::DEBUG, LevelFilter::INFO, LevelFilter::WARN, LevelFilter::ERROR, LevelFilter::ERROR, LevelFilter::INFO];
        assert_eq!(levels, expected);
    }
}
