//! [`Trace`]: what a poke read on `file://` and what it found, for the process that resumes the run.
//!
//! That process reads again before the sensor's next poke is due, until the result is stable. If the result is the same, nothing
//! happens; if it differs, that is a change like any other, and the sensor is poked.

use super::bucket::Bucket;
use super::lookup::Lookup;
use super::object::Object;
use super::watch::Poke;
use crate::author::notify::BoxFuture;
use crate::engine::Watching;
use crate::hash::Fnv1a;
use crate::time::Clock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long a file must stay unchanged before it counts as arrived, if the system does not report its close.
pub(super) const STABLE_AFTER: Duration = Duration::from_millis(200);

/// Recorded with the poke, as JSON on one line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trace {
    bucket: String,
    look: StoredLookup,
    seen: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredLookup {
    Key(String),
    Prefix(String),
    Glob(String),
    FirstWithPrefix(String),
    FirstOfGlob(String),
}

/// Records what a poke has read and found.
pub(super) fn record(poke: &Poke, bucket: &Bucket, look: StoredLookup, fingerprint: Fingerprint) {
    let trace = Trace { bucket: bucket.url().to_owned(), look, seen: fingerprint.value() };
    // Strings and a number always serialize to JSON.
    poke.record_trace(serde_json::to_string(&trace).unwrap_or_default());
}

/// Repeats a read of an earlier process's poke, watches from there on, and wakes the sensor if the result differs.
pub(crate) fn look_again(trace: String, watching: Arc<Watching>) -> BoxFuture<()> {
    Box::pin(async move {
        // This only saves waiting: if the trace cannot be read or the read fails, the next poke reports it.
        let Ok(Trace { bucket, look, seen }) = serde_json::from_str(&trace) else { return };
        let Ok(bucket) = Bucket::open(&bucket) else { return };
        let mut before = None;
        loop {
            let Ok(of) = Lookup::from_stored(&bucket, &look) else { return };
            let Ok(objects) = bucket.look_for(of, Some(Poke::of(&watching))).await else { return };
            let (there, now) = (Fingerprint::of(&objects).value(), Clock::system().now());
            if there == seen {
                return;
            }
            // A recent file may still be being written, and its opening was not observed.
            let is_young = objects.iter().any(|object| now.since(object.last_modified.into()) < STABLE_AFTER);
            if !is_young || before == Some(there) {
                return watching.wake().wake();
            }
            before = Some(there);
            Clock::system().sleep_until(now + STABLE_AFTER).await;
        }
    })
}

/// A hash of the objects' keys and etags.
#[derive(Clone, Copy, Default)]
pub(super) struct Fingerprint(Fnv1a);

impl Fingerprint {
    fn value(self) -> u64 {
        self.0.value()
    }

    pub(super) fn of(objects: &[Object]) -> Self {
        let mut fingerprint = Self::default();
        for object in objects {
            fingerprint.add(object);
        }
        fingerprint
    }

    pub(super) fn add(&mut self, object: &Object) {
        let etag = object.etag.as_deref().unwrap_or_default();
        for part in [object.key.as_bytes(), &[0], etag.as_bytes(), &[0]] {
            self.0.add(part);
        }
    }
}
