//! Wake-ups on `file://`: a poke's reads are watched, and a change there triggers the next poke at once.
//!
//! - A file counts as arrived when its writer closes it, or when it is renamed to its key; never when it is created, so that no
//!   sensor wakes for half a file. If the system does not report when a file is closed, and for files found in a folder that was
//!   just created, a file counts once its size was stable for [200 ms](super::trace::STABLE_AFTER).
//! - A folder that does not exist yet is awaited in its nearest existing parent, up to the bucket itself.
//! - The watch starts before the poke reads, so that changes in between are not missed. It ends with the sensor's next poke,
//!   which has its own, or with the sensor.
//! - All watches of a process share one watcher: sensors that read one folder share its watch. (`tests/sensors/wake_ups.rs`)
//! - The poke interval is the fallback for everything that cannot be watched: too many folders, a file system without
//!   notifications or on another machine, changes that came faster than they could be read. Nothing is lost then, but it is only
//!   seen at the next tick; the log reports that once.
//!
//! | file | subject |
//! |---|---|
//! | `hub` | the watcher and the thread that receives its events |
//! | `table` | which sensors wait for what, and in which folders |
//! | `event` | the meaning of the system's events |
//! | `unstable` | files whose close is not reported |
//!
//! # Why it has no feature of its own
//!
//! notify, which receives the system's events, costs 2.4 CPU seconds in a first build.

mod event;
mod hub;
mod table;
mod unstable;

use super::key::Key;
use super::store::KeyFilter;
use crate::engine::{self, Attempt, Watching};
use hub::Hub;
use std::path::Path;
use std::sync::Arc;
use table::Id;

/// The current poke, if its reads can be watched.
#[derive(Debug, Clone)]
pub(super) struct Poke(Arc<Watching>);

impl Poke {
    /// The poke of the code that runs here and now. A task has none, and in a simulation nothing is watched.
    pub(super) fn current() -> Option<Self> {
        engine::current(|attempt: &Attempt| attempt.watching().cloned()).flatten().map(Self)
    }

    /// The poke of an earlier process, whose reads are repeated.
    pub(super) fn of(watching: &Arc<Watching>) -> Self {
        Self(Arc::clone(watching))
    }

    /// Records a trace of a read for a later process.
    pub(super) fn record_trace(&self, trace: String) {
        self.0.leave(trace);
    }

    /// Watches for a key of the bucket with this folder.
    pub(super) fn watch_key(&self, root: &Arc<Path>, key: &Key) {
        self.watch(root, |hub| hub.table().await_key(root, key.as_ref(), self.0.wake().clone()));
    }

    /// Watches for all wanted keys. Pass each folder to the returned listing before it is read.
    pub(super) fn watch_listing(&self, root: &Arc<Path>, filter: &KeyFilter) -> Option<WatchedListing> {
        let (hub, id) = self.watch(root, |hub| hub.table().await_keys(root, filter, self.0.wake().clone()))?;
        Some(WatchedListing { hub, id })
    }

    fn watch(&self, root: &Path, watch: impl FnOnce(&Hub) -> notify::Result<Id>) -> Option<(&'static Hub, Id)> {
        let hub = Hub::of_process().filter(|_| self.0.has_room())?;
        match watch(hub) {
            Ok(id) => {
                self.0.keep(WatchGuard { hub, id });
                Some((hub, id))
            }
            Err(error) => {
                hub::warn_unwatched(root, &error);
                None
            }
        }
    }
}

/// A listing in progress.
#[derive(Debug)]
pub(super) struct WatchedListing {
    hub: &'static Hub,
    id: Id,
}

impl WatchedListing {
    /// Watches a folder; `below` is the prefix of the keys in it.
    pub(super) fn visit(&self, folder: &Path, below: &str) {
        if let Err(error) = self.hub.table().add_folder(self.id, folder, below) {
            hub::warn_unwatched(folder, &error);
        }
    }
}

/// Ends a watch when it is dropped, without blocking.
#[derive(Debug)]
struct WatchGuard {
    hub: &'static Hub,
    id: Id,
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        self.hub.end(self.id);
    }
}
