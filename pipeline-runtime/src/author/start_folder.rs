//! The folder that the process was started in. A body may change the process's own, and what its author wrote means the same before and after.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// None where it had been removed by then.
static START: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Remembers the present folder, if none is remembered yet. Called wherever a pipeline is made, which is before any body runs.
pub(crate) fn remember() {
    START.get_or_init(|| std::env::current_dir().ok());
}

/// A path as it was meant where the process was started.
pub(super) fn from_start(path: &Path) -> PathBuf {
    remember();
    match START.get() {
        Some(Some(start)) => start.join(path),
        _ => path.to_owned(),
    }
}
