//! `airflow`: exports the pipelines as Airflow tasks.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::{choose, output};
use crate::Pipeline;
use crate::airflow::{Export, ExportStatus};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The subcommands of `airflow`.
#[derive(Debug, Subcommand)]
pub(super) enum AirflowCommand {
    /// Write a DAG file, and the executable that runs its tasks
    ///
    /// The DAG file is for Airflow's DAG folder and imports nothing of this program; the executable is for the folder that an
    /// `ExecutableCoordinator` of Airflow 3.3 reads. Without a coordinator, Airflow runs the executable next to the DAG file, or
    /// the one that the environment variable PIPELINE_BUNDLE names. The same code gives the same bytes.
    Export {
        /// The folder
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Write nothing; fail if the files there differ from what this program would write
        #[arg(long)]
        check: bool,
        /// The queue that a coordinator serves
        #[arg(long, value_name = "QUEUE", default_value = "rust")]
        queue: String,
        /// Leave out a feature that Airflow does not have
        #[arg(long, value_name = "WHAT")]
        without: Vec<crate::airflow::Omission>,
        /// The pipelines to export; without any, all of them
        #[arg(value_name = "PIPELINE")]
        pipelines: Vec<String>,
    },
}

pub(super) fn run(pipelines: &[Pipeline], command: AirflowCommand) -> Result<ExitCode, String> {
    let AirflowCommand::Export { to, check, queue, without, pipelines: named } = command;
    let chosen: Vec<Pipeline> = match named.as_slice() {
        [] => pipelines.to_vec(),
        named => named.iter().map(|id| choose::one(pipelines, Some(id)).cloned()).collect::<Result<_, _>>()?,
    };
    let executable = std::env::current_exe().map_err(|error| format!("the path of this executable is unknown: {error}"))?;
    let name = name_of(&executable);
    let export = Export { pipelines: &chosen, queue: &queue, without: &without, name: &name };
    if !check {
        let [bundle, file] = export.write(&executable, &to).map_err(|error| error.to_string())?;
        output::to_stdout(&format!("wrote {}\nwrote {}\n", file.display(), bundle.display()));
        return Ok(ExitCode::SUCCESS);
    }
    match export.check(&executable, &to).map_err(|error| error.to_string())? {
        ExportStatus::Current => {
            output::to_stdout(&format!("{} is the export of this program\n", to.display()));
            Ok(ExitCode::SUCCESS)
        }
        ExportStatus::Stale(stale) => {
            let why = if stale == [to.join(&name)] {
                ": the DAGs are the same, but the executable is another build, or only one of the two is stripped"
            } else {
                ""
            };
            let stale: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
            output::to_stderr(&format!("stale: re-export: {} not as this program would write it{why}\n", stale.join(", ")));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Returns the program's name, which also names the Python file.
fn name_of(executable: &Path) -> String {
    executable.file_stem().map_or_else(|| "pipelines".to_owned(), |name| name.to_string_lossy().into_owned())
}
