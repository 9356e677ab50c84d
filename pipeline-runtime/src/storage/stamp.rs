//! Virtual modification times. The stores use the real clock for what they write, so a simulated world remembers the virtual time
//! of each of its own writes and returns it instead.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::meta::Meta;

/// Keyed by object: a memory bucket's URL with the key, or a file's path, whichever bucket it was reached through.
#[derive(Debug, Default)]
pub(super) struct Stamps(Mutex<HashMap<String, Stamp>>);

/// Valid only while the object has the etag that was written: an object that another program wrote later keeps its own time.
#[derive(Debug)]
struct Stamp {
    etag: Option<String>,
    at: DateTime<Utc>,
}

impl Stamps {
    pub(super) fn written(&self, object_id: String, meta: &mut Meta, at: DateTime<Utc>) {
        meta.last_modified = at;
        self.lock().insert(object_id, Stamp { etag: meta.etag.clone(), at });
    }

    pub(super) fn read(&self, object_id: &str, meta: &mut Meta) {
        if let Some(stamp) = self.lock().get(object_id)
            && stamp.etag == meta.etag
        {
            meta.last_modified = stamp.at;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
