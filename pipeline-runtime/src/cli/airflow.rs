//! `airflow`: exports the pipelines as Airflow tasks.

use super::args::Airflow;
use super::{choose, output};
use crate::Pipeline;
use crate::airflow::{Export, ExportStatus};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], what: Airflow) -> Result<ExitCode, String> {
    let Airflow::Export { to, check, queue, without, pipelines: named } = what;
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
