//! Suppresses repeated messages: a process logs each once, so that a problem with every one of 296 alerts is one warning.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The number of messages that are remembered; further ones are logged every time.
const MOST_REMEMBERED: usize = 1000;

/// The messages that were logged.
#[derive(Debug)]
pub(crate) struct LogOnce(Mutex<BTreeSet<String>>);

impl LogOnce {
    /// No messages yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    /// Returns whether the message is logged for the first time, and remembers it.
    pub(crate) fn is_first(&self, message: String) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_REMEMBERED { !all.contains(&message) } else { all.insert(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_logged_once_while_it_is_remembered() {
        let log = LogOnce::new();
        assert!(log.is_first("one".into()) && !log.is_first("one".into()) && log.is_first("two".into()));
        for at in 0..MOST_REMEMBERED {
            log.is_first(at.to_string());
        }
        assert!(!log.is_first("one".into()), "it is remembered");
        assert!(log.is_first("late".into()) && log.is_first("late".into()), "it is not remembered");
    }
}
