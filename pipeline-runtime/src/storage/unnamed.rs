//! [`Unnamed`]: what lies in a bucket under a name that is no key, and that it is said.
//!
//! No operation reaches such an object and no listing shows it, so nobody would know of it. It is most often a slip of whoever writes it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The names that a listing has met and that are no keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unnamed {
    pub(super) count: usize,
    /// One of them, to find the producer by.
    pub(super) example: String,
}

/// The most names that were no keys in one listing, as far as it was said.
#[derive(Debug, Default)]
pub(super) struct Said(AtomicUsize);

impl Unnamed {
    #[cfg(feature = "cloud")]
    pub(super) fn add(&mut self, other: Self) {
        if self.count == 0 {
            self.example = other.example;
        }
        self.count += other.count;
    }

    pub(super) fn note(&mut self, name: &str) {
        if self.count == 0 {
            self.example = name.chars().take(200).collect();
        }
        self.count += 1;
    }

    /// Says it once, and again when there is more of it: a sensor looks each minute.
    pub(super) fn say(&self, said: &Said, bucket: &str, prefix: &str) {
        let Self { count, example } = self;
        if said.0.fetch_max(*count, Ordering::Relaxed) < *count {
            tracing::warn!(
                "in `{bucket}` {count} name(s) that begin with {prefix:?} are no keys, such as {example:?}; they are not listed, and no \
                 operation reaches them: whoever writes them has to name them in UTF-8, without `//`, a `/` at either end, `.` and `..` \
                 as segments, and control characters"
            );
        }
    }
}
