//! The log of the data validation that ran before us.

use super::{BadInput, Source};
use serde::{Deserialize, Serialize};

/// What a validation log looks like.
pub const FORMAT: &str = "lines such as `INFO: Data validation completed successfully`, none of them an ERROR";

/// What a validation found that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// How many lines the log has.
    pub lines: usize,
    /// Its warnings, as they stand.
    pub warnings: Vec<String>,
}

impl Validation {
    /// Reads a log. One that reports an error is refused as is one that cannot be read: nobody may use such data.
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
