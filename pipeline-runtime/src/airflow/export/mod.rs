//! The export: one file of DAGs, which imports no code of this project, and the bundle that runs their tasks.
//!
//! - [`dag`]: a pipeline in terms of Airflow.
//! - [`unsupported`]: what Airflow cannot express.
//! - [`schedule`]: when Airflow starts runs.
//! - [`python`]: the file of DAGs.
//! - `prelude.py`: the operators in that file, which run the same executable where no coordinator does.
//!
//! The same pipelines always give the same bytes, so that the file can be committed and CI can compare it with the code.

mod dag;
mod python;
mod schedule;
mod unsupported;

use super::bundle;
use crate::Pipeline;
use crate::plan::{PlanError, Problem};
use dag::Dag;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What to export, and under which name and queue.
#[derive(Debug)]
pub(crate) struct Export<'a> {
    pub(crate) pipelines: &'a [Pipeline],
    /// The queue that a coordinator serves.
    pub(crate) queue: &'a str,
    /// What the user has chosen to leave out.
    pub(crate) without: &'a [Omission],
    /// The name of the bundle and of the file.
    pub(crate) name: &'a str,
}

/// What Airflow lacks and an export may leave out at the author's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Omission {
    /// `sla` of tasks and pipelines, and their ladders
    Sla,
    /// Locks of groups
    Locks,
}

/// Why an export fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Everything that Airflow cannot express.
    #[error("{}", list_problems(.0))]
    Unsupported(Vec<(&'static str, Vec<Problem>)>),
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
}

fn list_problems(unsupported: &[(&'static str, Vec<Problem>)]) -> String {
    let of_pipeline = |(pipeline, problems): &(&str, Vec<Problem>)| {
        let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let things = if problems.len() == 1 { "1 thing".to_owned() } else { format!("{} things", problems.len()) };
        format!("{}\n\npipeline `{pipeline}` has {things} that Airflow cannot do", each.join("\n\n"))
    };
    let all: Vec<String> = unsupported.iter().map(of_pipeline).collect();
    format!("{}\nnothing was exported", all.join("\n"))
}

/// Whether an export is up to date with the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportStatus {
    Current,
    /// These files differ from what would be written.
    Stale(Vec<PathBuf>),
}

impl Export<'_> {
    /// Writes the export of that executable into a folder, and returns the paths of the written files.
    pub(crate) fn write(&self, executable: &Path, folder: &Path) -> Result<[PathBuf; 2], ExportError> {
        let (dags, manifest) = self.dags()?;
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| ExportError::Io { path, error }
        };
        fs::create_dir_all(folder).map_err(io(folder))?;
        let [bundle, file] = self.paths(folder);
        bundle::write(executable, &manifest, &bundle).map_err(io(&bundle))?;
        let text = python::file(&dags, self.name, self.queue);
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut new| {
            use io::Write;
            use std::os::unix::fs::PermissionsExt;
            new.write_all(text.as_bytes())?;
            new.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            new.persist(&file).map_err(|error| error.error)
        });
        written.map_err(io(&file))?;
        Ok([bundle, file])
    }

    /// Returns whether a folder contains the export of that executable.
    pub(crate) fn check(&self, executable: &Path, folder: &Path) -> Result<ExportStatus, ExportError> {
        let (dags, manifest) = self.dags()?;
        let [bundle, file] = self.paths(folder);
        let is_bundle =
            bundle::matches(&bundle, executable, &manifest).map_err(|error| ExportError::Io { path: bundle.clone(), error })?;
        let text = python::file(&dags, self.name, self.queue);
        let is_file = fs::read_to_string(&file).is_ok_and(|found| found == text);
        let stale: Vec<PathBuf> =
            [(is_bundle, bundle), (is_file, file)].into_iter().filter(|(is_of, _)| !is_of).map(|(_, path)| path).collect();
        Ok(if stale.is_empty() { ExportStatus::Current } else { ExportStatus::Stale(stale) })
    }

    fn paths(&self, folder: &Path) -> [PathBuf; 2] {
        [folder.join(self.name), folder.join(format!("{}.py", self.name))]
    }

    fn dags(&self) -> Result<(Vec<Dag>, String), ExportError> {
        let (mut dags, mut unsupported) = (Vec::new(), Vec::new());
        for pipeline in self.pipelines {
            let plan = pipeline.plan(&Value::Null)?;
            let problems = unsupported::problems(pipeline, &plan, self.without);
            if problems.is_empty() {
                dags.push(Dag::of(pipeline, &plan));
            } else {
                unsupported.push((pipeline.id(), problems));
            }
        }
        if !unsupported.is_empty() {
            return Err(ExportError::Unsupported(unsupported));
        }
        dags.sort_by_key(|dag| dag.id);
        let tasks = |dag: &Dag| (dag.id, dag.tasks.iter().map(|task| task.id.clone()).collect());
        let manifest = bundle::manifest(&dags.iter().map(tasks).collect::<Vec<_>>());
        Ok((dags, manifest))
    }
}

#[cfg(test)]
mod tests;
