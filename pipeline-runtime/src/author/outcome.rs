use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How an upstream ended, for a task that runs however that was (Airflow's `all_done`).
///
/// The task runs unless its run ends first. A run that is cancelled, or that reaches its own `timeout`, ends: nodes that have not
/// started by then are skipped, including those that take an `Outcome<T>`. A node that must run even then is a
/// [teardown](crate::Node::teardown). A task's own `timeout` fails that task alone, and the tasks that take its outcome run.
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
    /// It was skipped, by itself or because its own upstream was.
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
    /// The failure of the node `node`, whose last of `attempts` attempts ended with `error`: for calling a body in a test.
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

    /// Its last error, followed by the errors that caused it.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// How many attempts the node had.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// A sensor's answer to a poke.
///
/// ```
/// use pipeline_runtime::Poke;
///
/// let found: Option<u64> = Some(3);
/// assert_eq!(Poke::from(found), Poke::Ready(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poke<T> {
    /// The condition holds; the value flows on to the sensor's downstreams.
    Ready(T),
    /// The condition does not hold yet: poke again.
    NotYet,
    /// The condition cannot hold before that time: poke again then, and not earlier. A time in the past means
    /// [`NotYet`](Self::NotYet). The sensor's timeout takes precedence.
    NotBefore(DateTime<Utc>),
}

impl<T> From<Option<T>> for Poke<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::NotYet, Self::Ready)
    }
}
