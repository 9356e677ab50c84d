//! When Airflow starts runs.

use crate::author::asset::WhenRule;
use crate::plan::Plan;
use crate::schedule::ExportedSchedule;
use chrono::{DateTime, Utc};

/// The schedule of a DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DagSchedule {
    /// Runs are started manually.
    Never,
    /// A cron line in a zone, with data intervals.
    Cron { line: String, zone: String },
    /// Every so many seconds, counted from the DAG's start.
    Every { seconds: i64, from: DateTime<Utc> },
    /// When these assets are updated: all of them, or any.
    Assets { all: bool, names: Vec<&'static str> },
    /// Airflow has no such schedule; the export was refused before.
    Unsupported,
}

/// Returns the DAG's schedule for a pipeline.
pub(super) fn of(plan: &Plan) -> DagSchedule {
    if let Some((when, _)) = &plan.assets.when {
        let names = when.assets.iter().map(|asset| asset.name).collect();
        return DagSchedule::Assets { all: when.rule == WhenRule::All, names };
    }
    let Some(schedule) = plan.schedule.as_ref().filter(|_| !plan.calendar.by_hand) else { return DagSchedule::Never };
    match schedule.export() {
        ExportedSchedule::Cron(lines) => match lines.as_slice() {
            [line] => DagSchedule::Cron { line: line.clone(), zone: plan.zone.to_string() },
            _ => DagSchedule::Unsupported,
        },
        ExportedSchedule::Every(seconds, from) => DagSchedule::Every { seconds, from },
        ExportedSchedule::Days | ExportedSchedule::Custom => DagSchedule::Unsupported,
    }
}
