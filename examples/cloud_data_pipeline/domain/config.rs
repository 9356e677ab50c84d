//! The configuration for processing the day's transactions.

use super::{BadInput, Source};
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// The expected format, for error messages.
pub const FORMAT: &str = "YAML with `processing:` and in it `batch_size:` (transactions) and `timeout:` (seconds), both above 0";

/// The configuration for processing the day's transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessingConfig {
    /// How many transactions are joined per batch.
    pub batch_size: NonZeroUsize,
    /// The time limit of the join, in seconds.
    timeout: NonZeroU64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with `processing:`")]
struct File {
    processing: ProcessingConfig,
}

impl ProcessingConfig {
    /// Reads a configuration.
    pub fn read(source: &Source) -> Result<Self, BadInput> {
        let File { processing } = yaml_serde::from_str(source.text()).map_err(|error| {
            let message = error.to_string();
            let Some(location) = error.location() else { return source.bad_as_a_whole(message) };
            let (line, column) = (location.line(), location.column());
            let problem = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
            source.bad(format_args!("line {line}, column {column}"), problem, FORMAT)
        })?;
        Ok(processing)
    }

    /// The time limit of the join.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.get())
    }
}
