//! [`BucketError`], and how a store's failure becomes one.
//!
//! A store reports what went wrong ([`Failure`]); the bucket adds the operation and its target. Messages contain URLs, keys and
//! the operating system's words, never credentials.

use crate::author::error::NotRetryable;
use std::error::Error;
use std::io;

/// The kinds of bucket errors; see [`BucketError::kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BucketErrorKind {
    /// The bucket does not exist. Waiting does not help, so a sensor fails at once.
    NoSuchBucket,
    /// The bucket exists and the key does not.
    NoSuchKey,
    /// [`put_if_absent`](super::Bucket::put_if_absent) found the key taken.
    AlreadyExists,
    /// [`put_if_match`](super::Bucket::put_if_match) found the object changed or gone.
    PreconditionFailed,
    /// The store refused: a file's mode, a link that leads out of the bucket, missing or wrong credentials.
    PermissionDenied,
    /// The credentials were valid once, and have expired.
    ExpiredCredentials,
    /// The store asks for fewer requests, even after retries at growing intervals.
    Throttled,
    /// The key, prefix or pattern is invalid.
    InvalidKey,
    /// The bucket's URL is invalid, or its scheme is unknown.
    InvalidUrl,
    /// The store cannot do it, or would not guarantee what the operation promises.
    Unsupported,
    /// The store could not be reached; the same call may succeed later.
    Network,
    /// Everything else, such as a full disk.
    Other,
}

impl BucketErrorKind {
    /// True if no retry helps: the pipeline or its environment has to be corrected.
    fn is_hopeless(self) -> bool {
        matches!(self, Self::NoSuchBucket | Self::PermissionDenied | Self::InvalidKey | Self::InvalidUrl | Self::Unsupported)
    }
}

/// Why an operation on a [`Bucket`](super::Bucket) failed: the operation, the key and the bucket, and what to do about it. The
/// store's own error, or its text, is its [`source`](Error::source).
///
/// If a task or a sensor returns it with `?` and no retry can help, the node fails at once without retries: for
/// [`NoSuchBucket`](BucketErrorKind::NoSuchBucket), [`PermissionDenied`](BucketErrorKind::PermissionDenied),
/// [`InvalidKey`](BucketErrorKind::InvalidKey), [`InvalidUrl`](BucketErrorKind::InvalidUrl) and
/// [`Unsupported`](BucketErrorKind::Unsupported).
///
/// ```
/// use pipeline_runtime::{Bucket, BucketErrorKind};
///
/// let error = Bucket::open("ftp://exports").unwrap_err();
/// assert_eq!(error.kind(), BucketErrorKind::InvalidUrl);
/// assert!(error.to_string().contains("file://"), "{error}");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BucketError {
    kind: BucketErrorKind,
    message: String,
    source: Option<Source>,
}

type Source = Box<dyn Error + Send + Sync>;

impl BucketError {
    /// The kind of the failure, for code that handles kinds differently.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), pipeline_runtime::BucketError> {
    /// use pipeline_runtime::{Bucket, BucketErrorKind};
    ///
    /// let bucket = Bucket::open("memory://docs-kind")?;
    /// let claimed = match bucket.put_if_absent("locks/2024-03-25", "mine").await {
    ///     Ok(_) => true,
    ///     Err(error) if error.kind() == BucketErrorKind::AlreadyExists => false,
    ///     Err(error) => return Err(error),
    /// };
    /// assert!(claimed);
    /// # Ok(())
    /// # }
    /// ```
    pub fn kind(&self) -> BucketErrorKind {
        self.kind
    }

    fn new(kind: BucketErrorKind, message: String, source: Option<Source>) -> Self {
        let hopeless = |source: Option<Source>| NotRetryable(source.unwrap_or_else(|| message.as_str().into()));
        let source = if kind.is_hopeless() { Some(hopeless(source).into()) } else { source };
        Self { kind, message, source }
    }

    pub(super) fn invalid_url(message: String) -> Self {
        Self::new(BucketErrorKind::InvalidUrl, message, None)
    }

    /// `what` is `key`, `prefix` or `pattern`; `reason` completes the sentence "it …".
    pub(super) fn invalid_key(bucket: &str, what: &str, written: &str, reason: &str) -> Self {
        // Escaped, because the cause is usually a character that a terminal would not show.
        let message = format!("{written:?} is not a valid {what} in `{bucket}`: it {reason}");
        Self::new(BucketErrorKind::InvalidKey, message, None)
    }
}

/// What a store reports, without the operation and its target.
#[derive(Debug)]
pub(super) struct Failure {
    kind: BucketErrorKind,
    detail: Option<String>,
    source: Option<Source>,
}

impl Failure {
    pub(super) fn new(kind: BucketErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), source: None }
    }

    pub(super) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[cfg(feature = "cloud")]
    pub(super) fn kind(&self) -> BucketErrorKind {
        self.kind
    }

    /// Sets another failure as the cause.
    #[cfg(feature = "cloud")]
    pub(super) fn because(mut self, cause: Self) -> Self {
        self.source = cause.source.or_else(|| cause.detail.map(Into::into));
        self
    }

    pub(super) fn no_such_key() -> Self {
        Self { kind: BucketErrorKind::NoSuchKey, detail: None, source: None }
    }

    pub(super) fn already_exists() -> Self {
        Self { kind: BucketErrorKind::AlreadyExists, detail: None, source: None }
    }

    /// The failure of an operation that cannot continue because an earlier step failed or was dropped.
    pub(super) fn cut_off() -> Self {
        Self::new(BucketErrorKind::Other, "an earlier step failed or was dropped; start again")
    }

    pub(super) fn precondition() -> Self {
        Self { kind: BucketErrorKind::PreconditionFailed, detail: None, source: None }
    }

    /// Adds the operation: `doing` completes the sentence "could not …" and contains the key and the bucket.
    pub(super) fn at(self, doing: &str) -> BucketError {
        let reason = match (self.kind, self.detail) {
            (_, Some(detail)) => detail,
            (BucketErrorKind::NoSuchKey, None) => "there is no such key".into(),
            (BucketErrorKind::AlreadyExists, None) => "the key is taken; `put` would replace the object".into(),
            (BucketErrorKind::PreconditionFailed, None) => {
                "the object changed since its etag was read; read it again, and repeat".into()
            }
            (BucketErrorKind::PermissionDenied, None) => {
                "permission denied; check owner and mode of the file and its folders, or the credentials".into()
            }
            // There is nothing better than the store's own words.
            (_, None) => self.source.as_ref().map_or_else(|| "the store failed".into(), ToString::to_string),
        };
        BucketError::new(self.kind, format!("could not {doing}: {reason}"), self.source)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let (kind, detail) = classify(&error);
        Self { kind, detail, source: Some(error.into()) }
    }
}

fn classify(error: &io::Error) -> (BucketErrorKind, Option<String>) {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound => (BucketErrorKind::NoSuchKey, None),
        K::AlreadyExists => (BucketErrorKind::AlreadyExists, None),
        K::PermissionDenied => (BucketErrorKind::PermissionDenied, None),
        K::ReadOnlyFilesystem => (BucketErrorKind::PermissionDenied, Some("the file system is mounted read-only".into())),
        K::InvalidFilename => (BucketErrorKind::InvalidKey, Some("a name in the key is too long for the file system".into())),
        K::NotADirectory | K::IsADirectory => (
            BucketErrorKind::Other,
            Some("on `file://` a name is either a file or a folder, and the key needs the other kind".into()),
        ),
        K::StorageFull | K::QuotaExceeded => (BucketErrorKind::Other, Some("the disk or the quota is full".into())),
        _ => (BucketErrorKind::Other, None),
    }
}
