//! Why a task ended without a value, and whether another attempt may help.
//!
//! # Why an error says itself that no retry mends it
//!
//! `?` makes a [`TaskError`] of any error, and this folder does not know `storage`. So a `BucketError` that is hopeless has [`Hopeless`] as its
//! source. It is found anywhere in the chain, also below an error of the user's own.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The result of a task; the error is a [`TaskError`] unless another is named.
pub type Result<T, E = TaskError> = std::result::Result<T, E>;

/// Why a task ended without a value.
///
/// `?` reaches it from any error, and the attempt is retried as the task's options say. [`TaskError::fatal`] is not
/// retried, nor is what no retry mends by itself: a [`BucketError`](crate::BucketError) for a bucket that does not exist or may not
/// be entered, a key or a URL that is none, also as the source of another error. (To have it retried all the same, pass on its text:
/// `.map_err(|error| error.to_string())?`.) [`TaskError::skip`] ends the node `skipped`. It is itself no `std::error::Error` (that is what lets `?` take
/// every error); [`TaskError::into_error`] leads out of it.
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

/// What becomes of a node whose attempt ended with the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Retry,
    Fatal,
    Skip,
}

impl TaskError {
    /// An error that no retry can mend: the node ends `failed` at once.
    pub fn fatal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), kind: Kind::Fatal }
    }

    /// Not an error but a decision: the node ends `skipped`, for the reason given.
    pub fn skip(why: impl Into<String>) -> Self {
        Self { source: why.into().into(), kind: Kind::Skip }
    }

    /// Whether no retry mends it, as it was made by [`fatal`](Self::fatal) or is of a kind that no retry mends.
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

    /// Whether it ends the node `skipped`, as it was made by [`skip`](Self::skip).
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

    /// After which time it asks to be tried again, if it says so.
    pub(crate) fn later(&self) -> Option<Duration> {
        sources(&*self.source).find_map(|error| error.downcast_ref::<Later>()).map(|later| later.after)
    }

    /// The message and those of all its sources, which is what the journal keeps.
    pub(crate) fn chain(&self) -> String {
        chain(&*self.source)
    }
}

/// The longest text that is kept of what somebody else says: an error, the reason of a skip, a notifier's error, a text input in a
/// notification, the answer to a command. A run's history holds one for each attempt.
pub(crate) const MAX_TEXT: usize = 16 << 10;

/// Such a text as it is kept and told: what is too long is cut, and says how much is missing.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    let more = text.len() - end;
    text.truncate(end);
    text + &format!("… and {more} more bytes")
}

/// The same of a text that is shared.
pub(crate) fn cut_shared(text: Arc<str>) -> Arc<str> {
    if text.len() <= MAX_TEXT { text } else { cut(String::from(&*text)).into() }
}

/// So many characters of what a message quotes.
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

/// The source of an error that no retry mends: what stands in its place otherwise, by whose text it is shown. Where there is none, a
/// text that the error's own message ends with, so that a chain says it once.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Hopeless(pub(crate) Box<dyn Error + Send + Sync>);

fn is_hopeless(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<Hopeless>)
}

/// A notifier's error whose cause says when it wants to be asked again.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Later {
    pub(crate) text: String,
    pub(crate) after: Duration,
}

/// An error, what led to it, and so on.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// What the `E` of a task's `Result<T, E>` may be: a [`TaskError`], or any error that has one.
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

/// So that a test that returns `Result<(), Box<dyn Error>>` may write `task::call(..).await?`.
impl From<TaskError> for Box<dyn Error> {
    fn from(error: TaskError) -> Self {
        error.source
    }
}
