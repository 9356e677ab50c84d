//! [`Trace`]: what a poke looked at on `file://` and what it saw there, for the process that resumes the run.
//!
//! That process looks again, until what it sees stands still, before the sensor's next poke is due. Where it sees the same, nothing happens; where it sees something
//! else, that is a change like any other, and the sensor is poked for it.

use super::bucket::Bucket;
use super::look::Look;
use super::object::Object;
use super::watch::Poke;
use crate::author::notify::BoxFuture;
use crate::engine::Watching;
use crate::time::Clock;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long a file's size has to stand still before it counts as arrived, where nobody tells its end.
pub(super) const STILL: Duration = Duration::from_millis(200);

/// Kept with the poke, as JSON on one line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trace {
    bucket: String,
    look: Kept,
    seen: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    Key(String),
    Prefix(String),
    Glob(String),
    FirstWithPrefix(String),
    FirstOfGlob(String),
}

/// Leaves a trace of a look with the poke that it is of.
pub(super) fn leave(poke: &Poke, bucket: &Bucket, look: Kept, Print(seen): Print) {
    let trace = Trace { bucket: bucket.url().to_owned(), look, seen };
    // Texts and a number, which JSON can hold.
    poke.leave(serde_json::to_string(&trace).unwrap_or_default());
}

/// Looks again where a poke of an earlier process did, watches on from there, and wakes the sensor if something else is there now.
pub(crate) fn look_again(trace: String, watching: Arc<Watching>) -> BoxFuture<()> {
    Box::pin(async move {
        // It only saves a wait: what cannot be read or looked at is left to the next poke.
        let Ok(Trace { bucket, look, seen }) = serde_json::from_str(&trace) else { return };
        let Ok(bucket) = Bucket::open(&bucket) else { return };
        let mut before = None;
        loop {
            let Ok(of) = Look::of(&bucket, &look) else { return };
            let Ok(objects) = bucket.look_for(of, Some(Poke::of(&watching))).await else { return };
            let (Print(there), now) = (Print::of(&objects), Clock::system().now());
            if there == seen {
                return;
            }
            // Somebody may still be writing what is young, and nobody has seen it opened.
            let is_young = objects.iter().any(|object| now.since(object.last_modified.into()) < STILL);
            if !is_young || before == Some(there) {
                return watching.wake().wake();
            }
            before = Some(there);
            Clock::system().sleep_until(now + STILL).await;
        }
    })
}

/// A number that other objects have another of; the same in every build (FNV-1a).
pub(super) struct Print(u64);

impl Default for Print {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Print {
    pub(super) fn of(objects: &[Object]) -> Self {
        let mut print = Self::default();
        for object in objects {
            print.add(object);
        }
        print
    }

    pub(super) fn add(&mut self, object: &Object) {
        let etag = object.etag.as_deref().unwrap_or_default();
        for byte in object.key.bytes().chain([0]).chain(etag.bytes()).chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
