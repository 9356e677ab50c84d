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
    Lazy(LazyPrevious),
}

impl LastSuccess {
    pub(crate) fn get(&self) -> Option<Previous> {
        match self {
            Self::Known(previous) => *previous,
            #[cfg(feature = "airflow")]
            Self::Lazy(lazy) => **lazy.0,
        }
    }
}

impl From<Option<Previous>> for LastSuccess {
    fn from(previous: Option<Previous>) -> Self {
        Self::Known(previous)
    }
}

#[cfg(feature = "airflow")]
type LoadPrevious = Box<dyn FnOnce() -> Option<Previous> + Send>;

/// A predecessor that is looked up at the first access.
#[cfg(feature = "airflow")]
#[derive(Clone)]
pub(crate) struct LazyPrevious(Arc<LazyLock<Option<Previous>, LoadPrevious>>);

#[cfg(feature = "airflow")]
impl LazyPrevious {
    pub(crate) fn new(load: impl FnOnce() -> Option<Previous> + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(load))))
    }
}

#[cfg(feature = "airflow")]
impl fmt::Debug for LazyPrevious {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyPrevious").finish_non_exhaustive()
    }
}

#[cfg(feature = "airflow")]
impl PartialEq for LazyPrevious {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(feature = "airflow")]
impl Eq for LazyPrevious {}
