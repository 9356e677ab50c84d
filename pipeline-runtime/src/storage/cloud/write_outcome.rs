//! The outcome of a write whose answer was lost: the marks on the object at the key reveal it.
//!
//! A mark is metadata of the object that a conditional write, or one in parts, leaves. It contains a unique number of the write,
//! and its condition. The current object then shows the outcome of a write of ours in doubt:
//!
//! | the object is | our write was |
//! |---|---|
//! | ours | done |
//! | the one to be replaced, or missing if that was the condition | not done yet |
//! | another's, written on the same condition | not done: only one write can be the first to replace the same object |
//! | any other | unknown: another write has replaced the object since |
//!
//! The last case is an error of its own: a caller that repeats the write, as after a conflict, might do it twice. The store's own
//! copy cannot carry a mark, so `copy_if_absent` goes through the process. (`tests/s3/faults.rs`)

use hyper::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetResult, ObjectMeta};

use super::super::error::{BucketErrorKind, Failure};
use super::super::store::Condition;
use super::Cloud;
use super::conditions::Spelling;
use super::pending_writes::WriteGuard;
use super::vendor::Vendor;
use crate::random;

/// A header that requests a condition.
pub(super) type ConditionHeader = (HeaderName, HeaderValue);

/// Identifies one write: its number, and its condition.
#[derive(Debug)]
pub(super) struct Mark {
    number: String,
    condition: Condition,
}

/// What is known of a write that failed.
pub(super) enum WriteOutcome {
    /// It was done, and only its answer was lost.
    Done(ObjectMeta),
    /// It was not done, and its condition still holds.
    NotYet(Failure),
    /// The store answered that its condition does not hold, although it does. So another writer has restored the former object,
    /// or the store does not understand the condition.
    Refused(Failure),
    Failed(Failure),
}

impl WriteOutcome {
    /// The result if the write is not tried again.
    pub(super) fn into_result(self) -> Result<ObjectMeta, Failure> {
        match self {
            Self::Done(meta) => Ok(meta),
            Self::NotYet(failure) | Self::Refused(failure) | Self::Failed(failure) => Err(failure),
        }
    }
}

impl Mark {
    pub(super) fn new(condition: &Condition) -> Self {
        Self { number: format!("{:032x}", random::new_id()), condition: condition.clone() }
    }

    pub(super) fn number(&self) -> &str {
        &self.number
    }

    pub(super) fn attributes(&self, vendor: Vendor) -> Attributes {
        Attributes::from_iter([(Attribute::Metadata(vendor.mark().into()), self.value())])
    }

    /// The text of the metadata.
    pub(super) fn value(&self) -> String {
        let on = match &self.condition {
            Condition::Always => "always",
            Condition::Absent => "*",
            Condition::Match(etag) => etag,
        };
        format!("{} {on}", self.number)
    }

    /// The header that requests the condition, in the store's spelling.
    pub(super) fn condition_header(&self, spelling: Spelling) -> Option<ConditionHeader> {
        // A text that is not a valid header is not an etag either, so it has to match nothing.
        let header = |etag: &str| HeaderValue::from_str(etag).unwrap_or(HeaderValue::from_static("\"none\""));
        match &self.condition {
            Condition::Always => None,
            Condition::Absent => Some((IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Condition::Match(etag) => Some((IF_MATCH, header(spelling.of(etag)))),
        }
    }

    pub(super) fn is_on(&self, object: &GetResult) -> bool {
        marked(object).is_some_and(|(number, _)| number == self.number)
    }

    /// True if a write on the condition would replace the object.
    fn may_replace(&self, object: Option<&GetResult>) -> bool {
        match (&self.condition, object) {
            (Condition::Absent, None) => true,
            (Condition::Match(etag), Some(found)) => found.meta.e_tag.as_ref() == Some(etag),
            _ => false,
        }
    }

    /// True if the object has replaced the one that a write on the condition was to replace.
    fn is_beaten_by(&self, object: &GetResult) -> bool {
        match (&self.condition, marked(object)) {
            (Condition::Absent, Some((_, on))) => on == "*",
            (Condition::Match(etag), Some((_, on))) => on == etag,
            _ => false,
        }
    }
}

/// The number and the condition of the write that created the object.
fn marked(object: &GetResult) -> Option<(&str, &str)> {
    let of = |vendor: Vendor| object.attributes.get(&Attribute::Metadata(vendor.mark().into()));
    of(Vendor::Amazon).or_else(|| of(Vendor::Azure))?.as_ref().split_once(' ')
}

impl Cloud {
    /// Finds the outcome of a marked write that failed.
    pub(super) async fn outcome_of(&self, key: &Path, mark: &Mark, write: &WriteGuard, failure: Failure) -> WriteOutcome {
        use BucketErrorKind as K;
        if matches!(failure.kind(), K::NoSuchBucket | K::ExpiredCredentials | K::InvalidUrl | K::Unsupported) {
            return WriteOutcome::Failed(failure);
        }
        let found = match self.limited(self.get_meta(key)).await {
            Ok(Some(found)) if mark.is_on(&found) => return WriteOutcome::Done(found.meta),
            found if write.is_in_doubt() => found,
            Ok(found) if is_conflict(&failure) && mark.may_replace(found.as_ref()) => return WriteOutcome::Refused(failure),
            _ => return WriteOutcome::Failed(failure),
        };
        match found {
            Ok(found) if mark.may_replace(found.as_ref()) => WriteOutcome::NotYet(failure),
            Ok(Some(found)) if mark.is_beaten_by(&found) => WriteOutcome::Failed(match mark.condition {
                Condition::Absent => Failure::already_exists(),
                _ => Failure::precondition(),
            }),
            Ok(_) => WriteOutcome::Failed(unknown("somebody else has written the key since").because(failure)),
            Err(failed) => WriteOutcome::Failed(unknown("the key cannot be looked up").because(failed)),
        }
    }
}

fn is_conflict(failure: &Failure) -> bool {
    matches!(failure.kind(), BucketErrorKind::PreconditionFailed | BucketErrorKind::AlreadyExists)
}

fn unknown(why: &str) -> Failure {
    let detail = format!("the answer was lost, and {why}, so whether it was written is not known; read the object, then repeat");
    Failure::new(BucketErrorKind::Network, detail)
}
