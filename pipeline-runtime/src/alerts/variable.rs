//! The environment variable that holds a notifier's URL.

use crate::author::error::{Result, TaskError};
use crate::author::redaction;
use std::env::VarError;

/// How messages describe a notifier's variable.
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// Its owner, such as `the webhook`.
    pub(super) owner: &'static str,
    /// What to set it to.
    pub(super) expected: &'static str,
}

impl Variable {
    /// Reads its value, and from now on redacts it in all texts, because it permits its holder to send alerts. If it has no
    /// value, that does not change while the process lives, so a retry cannot help.
    pub(super) fn read(&self) -> Result<String> {
        let Self { name, owner, expected } = self;
        match std::env::var(name) {
            Ok(url) if !url.trim().is_empty() => {
                redaction::hide(url.trim());
                Ok(url.trim().to_owned())
            }
            Ok(_) => Err(TaskError::fatal(format!("{owner}'s variable {name} is empty; set it to {expected}"))),
            Err(VarError::NotPresent) => {
                Err(TaskError::fatal(format!("{owner}'s variable {name} is not set; set it to {expected}")))
            }
            // The error itself shows the value.
            Err(VarError::NotUnicode(_)) => Err(TaskError::fatal(format!("{owner}'s variable {name} is not UTF-8 text"))),
        }
    }
}
