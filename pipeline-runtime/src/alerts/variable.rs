//! The environment variable that holds a URL to tell somebody by.

use crate::author::error::{Result, TaskError};
use crate::author::redaction;
use std::env::VarError;

/// What messages say of a notifier's variable.
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// Whose it is, such as `the webhook`.
    pub(super) whose: &'static str,
    /// What to set it to.
    pub(super) wanted: &'static str,
}

impl Variable {
    /// Its value, which from now on is kept out of all texts: whoever knows it may tell people things. That it has none does not change
    /// while the process lives, so no further try would help.
    pub(super) fn read(&self) -> Result<String> {
        let Self { name, whose, wanted } = self;
        match std::env::var(name) {
            Ok(url) if !url.trim().is_empty() => {
                redaction::hide(url.trim());
                Ok(url.trim().to_owned())
            }
            Ok(_) => Err(TaskError::fatal(format!("{whose}'s variable {name} is empty; set it to {wanted}"))),
            Err(VarError::NotPresent) => {
                Err(TaskError::fatal(format!("{whose}'s variable {name} is not set; set it to {wanted}")))
            }
            // Not the error itself: it shows the value.
            Err(VarError::NotUnicode(_)) => Err(TaskError::fatal(format!("{whose}'s variable {name} holds no text"))),
        }
    }
}
