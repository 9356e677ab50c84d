//! Suppresses repeated messages: a process logs each once, so that a problem with every one of 296 alerts is one warning.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The number of messages that are remembered; further ones are logged every time.
const MOST_REMEMBERED: usize = 1000;

/// The messages that were logged.
#[derive(Debug)]
pub(crate) struct News(Mutex<BTreeSet<String>>);

impl News {
    /// No messages yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    /// Returns whether the message is new, and remembers it.
    pub(crate) fn is_news(&self, said: String) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_REMEMBERED { !all.contains(&said) } else { all.insert(said) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_news_once_while_it_is_remembered() {
        let news = News::new();
        assert!(news.is_news("one".into()) && !news.is_news("one".into()) && news.is_news("two".into()));
        for at in 0..MOST_REMEMBERED {
            news.is_news(at.to_string());
        }
        assert!(!news.is_news("one".into()), "it is still known");
        assert!(news.is_news("late".into()) && news.is_news("late".into()), "it is not remembered");
    }
}
