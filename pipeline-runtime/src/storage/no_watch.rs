//! `watch` without its feature: nothing is watched, and sensors are only poked at their intervals.

use super::key::Key;
use super::store::KeyFilter;
use crate::engine::Watching;
use std::path::Path;
use std::sync::Arc;

/// The current poke, if its reads can be watched. Here none can.
#[derive(Debug, Clone)]
pub(super) struct Poke;

impl Poke {
    pub(super) fn current() -> Option<Self> {
        None
    }

    pub(super) fn of(_: &Arc<Watching>) -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "`watch` needs it")]
    pub(super) fn record_trace(&self, _: String) {}

    #[allow(clippy::unused_self, reason = "`watch` needs it")]
    pub(super) fn watch_key(&self, _: &Arc<Path>, _: &Key) {}

    #[allow(clippy::unused_self, reason = "`watch` needs it")]
    pub(super) fn watch_listing(&self, _: &Arc<Path>, _: &KeyFilter) -> Option<WatchedListing> {
        None
    }
}

/// A listing in progress, which is not watched.
#[derive(Debug)]
pub(super) struct WatchedListing;

impl WatchedListing {
    #[allow(clippy::unused_self, reason = "`watch` needs it")]
    pub(super) fn visit(&self, _: &Path, _: &str) {}
}
