//! `list`

use super::output;
use crate::Pipeline;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline]) -> ExitCode {
    let mut rows = vec![["pipeline", "schedule", "tags", "description"].map(str::to_owned)];
    rows.extend(pipelines.iter().map(row));
    output::to_stdout(&output::table(&rows));
    ExitCode::SUCCESS
}

fn row(pipeline: &Pipeline) -> [String; 4] {
    let options = pipeline.options();
    let schedule = match (options.schedule, options.timezone) {
        (Some(cron), Some(zone)) => format!("{cron} ({zone})"),
        (Some(cron), None) => format!("{cron} (UTC)"),
        (None, _) => "none".to_owned(),
    };
    let description = pipeline.description().trim().lines().next().unwrap_or_default();
    [pipeline.id().to_owned(), schedule, pipeline.tags().join(", "), description.to_owned()]
}
