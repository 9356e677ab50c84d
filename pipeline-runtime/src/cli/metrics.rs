//! `--metrics FILE`: what a run can be measured by, at its end.

use super::output;
use crate::{RunMetrics, RunReport};
use std::path::{Path, PathBuf};

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

/// As [`keep`], with a file for each pipeline: of its runs the one that started last, as files are about one run each.
pub(super) fn keep_each(reports: &[RunReport], file: &Path, quiet: bool) {
    let mut reports: Vec<&RunReport> = reports.iter().collect();
    reports.sort_by_key(|report| report.history().started);
    for report in reports {
        keep(&report.metrics(), &of_pipeline(file, report.pipeline()), quiet);
    }
}

/// `m.prom` becomes `m.sales.prom`.
fn of_pipeline(file: &Path, pipeline: &str) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(pipeline);
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}
