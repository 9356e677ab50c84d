//! The log of the data validation that ran before this pipeline.

use super::{BadInput, Source};
use serde::{Deserialize, Serialize};

/// The expected format, for error messages.
pub const FORMAT: &str = "lines such as `INFO: Data validation completed successfully`, none of them an ERROR";

/// The result of a validation that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The number of lines in the log.
    pub lines: usize,
    /// Its warnings, as written.
    pub warnings: Vec<String>,
}

impl Validation {
    /// Reads a log. A log that reports an error is refused like an unreadable one, because the data must not be used.
    pub fn read(source: &Source) -> Result<Self, BadInput> {
        let mut validation = Self { lines: 0, warnings: Vec::new() };
        let lines = source.text().lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        for (line, number) in lines {
            match line.split_once(':').map(|(level, _)| level.trim()) {
                Some("DEBUG" | "INFO") => {}
                Some("WARN" | "WARNING") => validation.warnings.push(line.to_owned()),
                Some("ERROR" | "CRITICAL" | "FATAL") => {
                    let problem = format_args!("the validation failed: `{line}`");
                    return Err(source.bad(format_args!("line {number}"), problem, "a log without errors"));
                }
                _ => {
                    let problem = format_args!("`{line}` has no level");
                    return Err(source.bad(format_args!("line {number}"), problem, FORMAT));
                }
            }
            validation.lines += 1;
        }
        Ok(validation)
    }
}
