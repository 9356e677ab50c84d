//! Wake-ups on `file://`: what a poke looks at is watched, and a change there pokes at once.
//!
//! - A file counts as arrived when whoever wrote it closes it, or when it is renamed to its key; never as it is created, so that
//!   nobody is woken for half a file. Where the system does not tell when a file is closed, and for what is found in a folder that
//!   was made a moment ago, it counts once its size stood still for [200 ms](super::trace::STILL).
//! - A folder that does not exist yet is awaited in the nearest one above it that does, down to the bucket itself.
//! - The watch is there before the poke reads, so that what comes in between is not missed. It ends with the sensor's next poke,
//!   which has its own, or with the sensor.
//! - All watches of a process are one watcher's: sensors that look into one folder share its watch. (`tests/sensors/wake_ups.rs`)
//! - The poke interval is the fallback for all that cannot be watched: too many folders, a file system without notifications or
//!   one on another machine, changes that came faster than they could be read. Nothing is lost then, but seen at the next tick;
//!   the log says so once.
//!
//! | file | subject |
//! |---|---|
//! | `hub` | the watcher and the thread that hears it |
//! | `table` | who waits for what, and in which folders |
//! | `news` | what the system's events mean |
//! | `settle` | files whose end nobody tells |
//!
//! # Why it is no feature of its own
//!
//! notify, which hears the system's events, costs 2.4 CPU seconds in a first build.

mod hub;
mod news;
mod settle;
mod table;

use super::key::Key;
use super::store::Wanted;
use crate::engine::{self, Attempt, Watching};
use hub::Hub;
use std::path::Path;
use std::sync::Arc;
use table::Id;

/// The poke that looks, if its looks can be watched.
#[derive(Debug, Clone)]
pub(super) struct Poke(Arc<Watching>);

impl Poke {
    /// That of the code which runs here and now. There is none in a task, and in a simulation nothing is watched.
    pub(super) fn current() -> Option<Self> {
        engine::current(|attempt: &Attempt| attempt.watching().cloned()).flatten().map(Self)
    }

    /// One of an earlier process, whose looks are made again.
    pub(super) fn of(watching: &Arc<Watching>) -> Self {
        Self(Arc::clone(watching))
    }

    /// Leaves a trace of a look for a later process.
    pub(super) fn leave(&self, trace: String) {
        self.0.leave(trace);
    }

    /// Watches for a key, of a bucket that is this folder.
    pub(super) fn watch_key(&self, root: &Arc<Path>, key: &Key) {
        self.watch(root, |hub| hub.table().await_key(root, key.as_ref(), self.0.wake().clone()));
    }

    /// Watches for all wanted keys. The folders are to be shown to what this returns, each before it is read.
    pub(super) fn watch_listing(&self, root: &Arc<Path>, wanted: &Wanted) -> Option<Listing> {
        let (hub, id) = self.watch(root, |hub| hub.table().await_keys(root, wanted, self.0.wake().clone()))?;
        Some(Listing { hub, id })
    }

    fn watch(&self, root: &Path, watch: impl FnOnce(&Hub) -> notify::Result<Id>) -> Option<(&'static Hub, Id)> {
        let hub = Hub::of_process().filter(|_| self.0.has_room())?;
        match watch(hub) {
            Ok(id) => {
                self.0.keep(Ends { hub, id });
                Some((hub, id))
            }
            Err(error) => {
                hub::say_unwatched(root, &error);
                None
            }
        }
    }
}

/// A listing under way.
#[derive(Debug)]
pub(super) struct Listing {
    hub: &'static Hub,
    id: Id,
}

impl Listing {
    /// Watches a folder, in which keys begin with `below`.
    pub(super) fn visit(&self, folder: &Path, below: &str) {
        if let Err(error) = self.hub.table().add_folder(self.id, folder, below) {
            hub::say_unwatched(folder, &error);
        }
    }
}

/// Ends a watch as it is dropped, without waiting for that.
#[derive(Debug)]
struct Ends {
    hub: &'static Hub,
    id: Id,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.hub.end(self.id);
    }
}
