//! The last successful run before this one.

use crate::schedule::Interval;
use chrono::{DateTime, Utc};
#[cfg(feature = "airflow")]
use std::fmt;
#[cfg(feature = "airflow")]
use std::sync::{Arc, LazyLock};

/// The last successful run before this one, by its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) interval: Interval,
    /// `None` for runs that an earlier version started.
    pub(crate) began: Option<DateTime<Utc>>,
}

/// What a run knows about its last successful predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LastSuccess {
    /// `None` if no run has succeeded.
    Known(Option<Previous>),
    /// Determined at the first access, because most bodies never need it.
    #[cfg(feature = "airflow")]
    Asked(Asked),
}

impl LastSuccess {
    pub(crate) fn get(&self) -> Option<Previous> {
        match self {
            Self::Known(previous) => *previous,
            #[cfg(feature = "airflow")]
            Self::Asked(asked) => **asked.0,
        }
    }
}

impl From<Option<Previous>> for LastSuccess {
    fn from(previous: Option<Previous>) -> Self {
        Self::Known(previous)
    }
}

#[cfg(feature = "airflow")]
type Ask = Box<dyn FnOnce() -> Option<Previous> + Send>;

/// A lazily determined answer.
#[cfg(feature = "airflow")]
#[derive(Clone)]
pub(crate) struct Asked(Arc<LazyLock<Option<Previous>, Ask>>);

#[cfg(feature = "airflow")]
impl Asked {
    pub(crate) fn new(ask: impl FnOnce() -> Option<Previous> + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(ask))))
    }
}

#[cfg(feature = "airflow")]
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

#[cfg(feature = "airflow")]
impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(feature = "airflow")]
impl Eq for Asked {}
