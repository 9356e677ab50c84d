use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How an upstream ended, for a task that is to run however that was (Airflow's `all_done`).
///
/// It runs as long as its run does. A run that is cancelled, or that reaches its own `timeout`, ends: what has not begun by then is skipped, and so is a
/// task that takes an `Outcome<T>`. What must run then, too, is a [teardown](crate::Node::teardown). A task's own `timeout` fails that task alone, and what
/// takes its outcome runs.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task]
/// async fn notify(rows: Outcome<u64>) -> Result<String> {
///     Ok(match rows {
///         Outcome::Success(n) => format!("{n} rows"),
///         Outcome::Skipped => "nothing today".into(),
///         Outcome::Failed(failure) => format!("{} failed: {}", failure.node(), failure.error()),
///     })
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It returned this value.
    Success(T),
    /// It was skipped, by itself or since its own upstream was.
    Skipped,
    /// It ended `failed` or `upstream_failed`.
    Failed(Failure),
}

impl<T> Outcome<T> {
    /// The value, if there is one.
    pub fn success(self) -> Option<T> {
        match self {
            Self::Success(value) => Some(value),
            Self::Skipped | Self::Failed(_) => None,
        }
    }
}

/// Why an upstream failed for good: the root cause, however many `upstream_failed` nodes lie between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    node: Arc<str>,
    error: Arc<str>,
    attempts: u32,
}

impl Failure {
    /// Of the node `node`, whose last of `attempts` attempts ended with `error`: to call a body with it in a test.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// #[task]
    /// fn report(rows: Outcome<u64>) -> Result<String> {
    ///     Ok(match rows {
    ///         Outcome::Failed(failure) => format!("{}: {}", failure.node(), failure.error()),
    ///         _ => "all is well".into(),
    ///     })
    /// }
    ///
    /// let failed = Outcome::Failed(Failure::new("load", "disk full", 3));
    /// assert_eq!(report::call(failed).unwrap(), "load: disk full");
    /// ```
    pub fn new(node: impl Into<Arc<str>>, error: impl Into<Arc<str>>, attempts: u32) -> Self {
        Self { node: node.into(), error: error.into(), attempts }
    }

    /// The id of the node that failed first.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Its last error, with the errors that led to it.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// How many attempts it had.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// What a sensor answers when it is poked.
///
/// ```
/// use pipeline_runtime::Poke;
///
/// let found: Option<u64> = Some(3);
/// assert_eq!(Poke::from(found), Poke::Ready(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poke<T> {
    /// What it waited for is there; the value flows on to its downstreams.
    Ready(T),
    /// Not there yet: ask again.
    NotYet,
    /// Not before that time: ask again then, and not meanwhile. A time that has passed is as [`NotYet`](Self::NotYet), and the sensor's
    /// timeout comes first.
    NotBefore(DateTime<Utc>),
}

impl<T> From<Option<T>> for Poke<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::NotYet, Self::Ready)
    }
}
