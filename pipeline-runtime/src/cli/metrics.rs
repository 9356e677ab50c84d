//! `--metrics FILE`: writes run metrics when the run ends.

use super::output;
use crate::journal::{SqliteJournal, absolute};
use crate::{RunMetrics, RunReport};
use std::path::{Path, PathBuf};

/// Where to write metrics.
#[derive(Debug)]
pub(super) struct MetricsFile<'a> {
    named: &'a Path,
    /// Absolute, since a body may change the process's working folder.
    path: PathBuf,
    /// The journal, as an absolute path; its files are not replaced.
    journal: PathBuf,
    /// True if stdout is for programs.
    quiet: bool,
}

impl<'a> MetricsFile<'a> {
    /// Returns an error for a file that cannot be written or must not be replaced, before anything has run.
    pub(super) fn new(named: &'a Path, journal: &Path, quiet: bool) -> Result<Self, String> {
        let folder = match named.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(format!("--metrics: `{}` is not a file; name one, as in `--metrics run.prom`", named.display())),
        };
        if named.is_dir() {
            return Err(format!("--metrics: `{}` is a folder; name a file in it", named.display()));
        }
        if !folder.is_dir() {
            return Err(format!(
                "--metrics: there is no folder `{}`; create it, or name a file in another folder",
                folder.display()
            ));
        }
        if let Some(reason) = not_replaced(named, journal) {
            return Err(format!("--metrics: `{}` is not replaced, since it {reason}; name another file", named.display()));
        }
        Ok(Self { named, path: absolute(named), journal: absolute(journal), quiet })
    }

    pub(super) fn named(&self) -> &Path {
        self.named
    }

    /// Writes the file and, unless stdout is for programs, prints the metrics as tables. The run has ended by then and does not
    /// change.
    pub(super) fn write(&self, metrics: &RunMetrics) {
        self.write_to(metrics, self.named, &self.path);
    }

    /// As [`write`](Self::write), with a file per pipeline. A file is about one run: the pipeline's run that started last.
    pub(super) fn write_each(&self, reports: &[RunReport]) {
        let mut reports: Vec<&RunReport> = reports.iter().collect();
        reports.sort_by_key(|report| report.history().started);
        for report in reports {
            let of_pipeline = |file: &Path| of_pipeline(file, report.pipeline());
            self.write_to(&report.metrics(), &of_pipeline(self.named), &of_pipeline(&self.path));
        }
    }

    fn write_to(&self, metrics: &RunMetrics, named: &Path, path: &Path) {
        if !self.quiet {
            output::to_stdout(&format!("\n{}", metrics.to_string().trim_end()));
        }
        // Another process may have created it meanwhile.
        let failed = match not_replaced(path, &self.journal) {
            Some(reason) => format!("it {reason}"),
            None => match metrics.write(path) {
                Ok(()) => return,
                Err(error) => error.to_string(),
            },
        };
        output::to_stderr(&format!("\nwarning: the metrics could not be written to {}: {failed}", named.display()));
    }
}

/// Returns why a file must not be replaced, if so.
fn not_replaced(file: &Path, journal: &Path) -> Option<&'static str> {
    if SqliteJournal::owns(journal, file) {
        return Some("belongs to the journal");
    }
    // Follows links. A device or a pipe has other readers, who would find a file in its place.
    let is_irregular = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    is_irregular.then_some("is not a regular file")
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
