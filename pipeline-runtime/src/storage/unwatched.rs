//! What `watch` is without its feature: nothing is watched, and sensors are poked alone.

use super::key::Key;
use super::store::Wanted;
use crate::engine::Watching;
use std::path::Path;
use std::sync::Arc;

/// The poke that looks, if its looks can be watched: none is.
#[derive(Debug, Clone)]
pub(super) struct Poke;

impl Poke {
    pub(super) fn current() -> Option<Self> {
        None
    }

    pub(super) fn of(_: &Arc<Watching>) -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "it stands in for what is watched")]
    pub(super) fn leave(&self, _: String) {}

    #[allow(clippy::unused_self, reason = "it stands in for what is watched")]
    pub(super) fn watch_key(&self, _: &Arc<Path>, _: &Key) {}

    #[allow(clippy::unused_self, reason = "it stands in for what is watched")]
    pub(super) fn watch_listing(&self, _: &Arc<Path>, _: &Wanted) -> Option<Listing> {
        None
    }
}

/// A listing under way, which nobody watches.
#[derive(Debug)]
pub(super) struct Listing;

impl Listing {
    #[allow(clippy::unused_self, reason = "it stands in for what is watched")]
    pub(super) fn visit(&self, _: &Path, _: &str) {}
}
