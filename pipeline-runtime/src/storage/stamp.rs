//! Virtual modification times: the stores stamp what they write with the real clock, so a simulated world remembers the
//! virtual time of each of its own writes and answers with it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::meta::Meta;

/// By place: a memory bucket's URL with the key, or a file's path, whichever bucket it was reached through.
#[derive(Debug, Default)]
pub(super) struct Stamps(Mutex<HashMap<String, Stamp>>);

/// Holds only while the object's etag is the one that was written: what another program wrote later has a time of its own.
#[derive(Debug)]
struct Stamp {
    etag: Option<String>,
    at: DateTime<Utc>,
}

impl Stamps {
    pub(super) fn written(&self, place: String, meta: &mut Meta, at: DateTime<Utc>) {
        meta.last_modified = at;
        self.lock().insert(place, Stamp { etag: meta.etag.clone(), at });
    }

    pub(super) fn read(&self, place: &str, meta: &mut Meta) {
        if let Some(stamp) = self.lock().get(place)
            && stamp.etag == meta.etag
        {
            meta.last_modified = stamp.at;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
