//! A compact optional time.

use std::time::Duration;

/// An optional time since the run's start in 8 bytes; an `Option<Duration>` takes 16.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset(u64);

impl Offset {
    pub(super) const NONE: Self = Self(u64::MAX);

    pub(super) fn get(self) -> Option<Duration> {
        (self != Self::NONE).then(|| Duration::from_nanos(self.0))
    }

    pub(super) fn get_or_insert(&mut self, at: Duration) {
        if *self == Self::NONE {
            *self = at.into();
        }
    }
}

impl Default for Offset {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<Duration> for Offset {
    /// Saturates after 584 years.
    fn from(at: Duration) -> Self {
        Self(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX - 1))
    }
}

impl std::fmt::Debug for Offset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}
