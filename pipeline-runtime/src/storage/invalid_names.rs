//! [`InvalidNames`]: objects in a bucket whose names are not valid keys.
//!
//! No operation reaches such an object and no listing shows it, so a warning reports it. Most often its producer made a mistake.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The names in a listing that are not valid keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct InvalidNames {
    pub(super) count: usize,
    /// One of them, which helps to find the producer.
    pub(super) example: String,
}

/// The highest count that has been reported for one listing.
#[derive(Debug, Default)]
pub(super) struct ReportedCount(AtomicUsize);

impl InvalidNames {
    #[cfg(feature = "cloud")]
    pub(super) fn merge(&mut self, other: Self) {
        if self.count == 0 {
            self.example = other.example;
        }
        self.count += other.count;
    }

    pub(super) fn add(&mut self, name: &str) {
        if self.count == 0 {
            self.example = name.chars().take(200).collect();
        }
        self.count += 1;
    }

    /// Logs the count once, and again when it grows: a sensor may list every minute.
    pub(super) fn report(&self, reported: &ReportedCount, bucket: &str, prefix: &str) {
        let Self { count, example } = self;
        if reported.0.fetch_max(*count, Ordering::Relaxed) < *count {
            tracing::warn!(
                "in `{bucket}` {count} name(s) that begin with {prefix:?} are not valid keys, such as {example:?}; they are not listed, and no \
                 operation reaches them: a key is UTF-8 without `//`, a `/` at either end, `.` and `..` \
                 as segments, and control characters"
            );
        }
    }
}
