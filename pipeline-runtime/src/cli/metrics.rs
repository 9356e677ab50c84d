//! `--metrics FILE`: what a run can be measured by, at its end.

use super::output;
use crate::RunMetrics;
use std::path::Path;

/// Refuses a file that could not be written, before anything has run.
pub(super) fn check(file: &Path) -> Result<(), String> {
    let folder = match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(format!("--metrics: `{}` is no file; name one, as in `--metrics run.prom`", file.display())),
    };
    if file.is_dir() {
        return Err(format!("--metrics: `{}` is a folder; name a file in it", file.display()));
    }
    if !folder.is_dir() {
        return Err(format!("--metrics: there is no folder `{}`; make it, or name a file in another one", folder.display()));
    }
    Ok(())
}

/// Writes the file and, unless stdout is for programs, shows the same as tables. The run has ended by then and is not changed.
pub(super) fn keep(metrics: &RunMetrics, file: &Path, quiet: bool) {
    if !quiet {
        output::to_stdout(&format!("\n{}", metrics.to_string().trim_end()));
    }
    if let Err(error) = metrics.write(file) {
        output::to_stderr(&format!("\nwarning: the metrics could not be written to {}: {error}", file.display()));
    }
}
