//! The folder in which the process was started. A body may change the current folder, but paths in the author's code keep their
//! meaning.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// `None` if the folder had already been removed.
static START: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Remembers the current folder, unless one is already remembered. Called when a pipeline is created, which is before any body
/// runs.
pub(crate) fn remember() {
    START.get_or_init(|| std::env::current_dir().ok());
}

/// Resolves a path relative to the folder in which the process was started.
pub(super) fn from_start(path: &Path) -> PathBuf {
    remember();
    match START.get() {
        Some(Some(start)) => start.join(path),
        _ => path.to_owned(),
    }
}
