//! Why a task ended without a value, and whether another attempt may help.
//!
//! # Why an error itself marks that no retry can help
//!
//! `?` makes a [`TaskError`] of any error, and this folder does not know `storage`. So a `BucketError` that no retry can fix has
//! [`NotRetryable`] as its source. It is found anywhere in the chain, also below an error of the user's own.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The result of a task; the error is a [`TaskError`] unless another type is named.
pub type Result<T, E = TaskError> = std::result::Result<T, E>;

/// Why a task ended without a value.
///
/// `?` converts any error into it, and the attempt is retried as the task's options say. A [`TaskError::fatal`] is not retried,
/// nor is an error that no retry can fix: a [`BucketError`](crate::BucketError) for a bucket that does not exist or may not be
/// accessed, or for an invalid key or URL, also as the source of another error. (To retry such an error all the same, pass on its
/// text: `.map_err(|error| error.to_string())?`.) [`TaskError::skip`] ends the node `skipped`. `TaskError` does not implement
/// `std::error::Error`, so that `?` can convert every error; [`TaskError::into_error`] returns the error inside.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// fn rows(text: &str) -> Result<u64> {
///     if text.is_empty() {
///         return Err(TaskError::skip("nothing was exported"));
///     }
///     Ok(text.trim().parse()?) // a ParseIntError: the attempt fails and is retried
/// }
/// assert_eq!(rows("7\n").unwrap(), 7);
/// assert_eq!(rows("").unwrap_err().to_string(), "nothing was exported");
/// ```
pub struct TaskError {
    source: Box<dyn Error + Send + Sync>,
    kind: Kind,
}

/// What happens to a node whose attempt ended with the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Retry,
    Fatal,
    Skip,
}

impl TaskError {
    /// An error that no retry can fix: the node ends `failed` at once.
    pub fn fatal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), kind: Kind::Fatal }
    }

    /// Not an error but a decision: the node ends `skipped`, for the reason given.
    pub fn skip(why: impl Into<String>) -> Self {
        Self { source: why.into().into(), kind: Kind::Skip }
    }

    /// True if no retry can help: the error was made by [`fatal`](Self::fatal), or is of a kind that is never retried.
    ///
    /// ```
    /// use pipeline_runtime::TaskError;
    ///
    /// assert!(TaskError::fatal("the key is wrong").is_fatal());
    /// assert!(!TaskError::from("busy").is_fatal());
    /// ```
    pub fn is_fatal(&self) -> bool {
        self.kind == Kind::Fatal
    }

    /// True if the error ends the node `skipped`: it was made by [`skip`](Self::skip).
    pub fn is_skip(&self) -> bool {
        self.kind == Kind::Skip
    }

    /// The error inside, for code that works with `std::error::Error`.
    pub fn into_error(self) -> Box<dyn Error + Send + Sync> {
        self.source
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The delay that the error requests before the next attempt, if it requests one.
    pub(crate) fn later(&self) -> Option<Duration> {
        sources(&*self.source).find_map(|error| error.downcast_ref::<RetryLater>()).map(|later| later.after)
    }

    /// The message followed by those of all its sources, as the journal records it.
    pub(crate) fn chain(&self) -> String {
        chain(&*self.source)
    }
}

/// The maximum length of a recorded text that comes from elsewhere: an error, the reason of a skip, a notifier's error, a text
/// input in a notification, the answer to a command. A run's history holds one for each attempt.
pub(crate) const MAX_TEXT: usize = 16 << 10;

/// Cuts a text that is longer than [`MAX_TEXT`], and appends how many bytes are missing.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    let more = text.len() - end;
    text.truncate(end);
    text + &format!("… and {more} more bytes")
}

/// [`cut`] for a shared text.
pub(crate) fn cut_shared(text: Arc<str>) -> Arc<str> {
    if text.len() <= MAX_TEXT { text } else { cut(String::from(&*text)).into() }
}

/// The first `most` characters of a text that a message quotes.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// An error's message followed by its sources', leaving out a source that the message before it already ends with.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Marks an error that no retry can fix, as its source. It wraps the error's real source, and shows the text of that. An error
/// without a source wraps a text that its own message ends with, so that a chain prints it once.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NotRetryable(pub(crate) Box<dyn Error + Send + Sync>);

fn is_hopeless(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<NotRetryable>)
}

/// A notifier's error that states when to try again.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct RetryLater {
    pub(crate) text: String,
    pub(crate) after: Duration,
}

/// An error, its source, the source's source, and so on.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The `E` of a task's `Result<T, E>`: a [`TaskError`], or any error that converts into one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a task's error",
    label = "its error is not `Into<Box<dyn Error + Send + Sync>>`",
    note = "for a type of your own implement `std::error::Error`, as `#[derive(thiserror::Error)]` does; or return `Result<T>`, whose `TaskError` takes by \
            `?` any error that is `Send + Sync`",
    note = "a `Box<dyn Error>` may not change threads, as an attempt does: write `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoTaskError: Into<TaskError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<TaskError>> IntoTaskError for E {}

/// What becomes a [`TaskError`] by `?`. As one trait it is one message, where rustc has three for a `Box<dyn Error>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot become a `TaskError`",
    label = "an error changes threads, as its attempt does: write `Box<dyn Error + Send + Sync>` for `Box<dyn Error>`, and for a type of your own \
             implement `std::error::Error`",
    note = "where the type is not yours to change, pass on its text: `.map_err(|error| error.to_string())?`"
)]
pub trait ThreadSafeError: Into<Box<dyn Error + Send + Sync>> {}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> ThreadSafeError for E {}

impl<E: ThreadSafeError> From<E> for TaskError {
    fn from(error: E) -> Self {
        let source = error.into();
        let kind = if is_hopeless(&*source) { Kind::Fatal } else { Kind::Retry };
        Self { source, kind }
    }
}

/// Lets a test that returns `Result<(), Box<dyn Error>>` write `task::call(..).await?`.
impl From<TaskError> for Box<dyn Error> {
    fn from(error: TaskError) -> Self {
        error.source
    }
}
