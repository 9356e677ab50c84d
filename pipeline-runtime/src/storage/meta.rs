//! [`Meta`]: what every store reports about an object.

use chrono::{DateTime, Utc};

use super::key::Key;

/// An object as a store reports it, before the bucket adds its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) key: Key,
    pub(super) last_modified: DateTime<Utc>,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
}
