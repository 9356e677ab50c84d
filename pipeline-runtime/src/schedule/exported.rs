//! A schedule in a form that another scheduler understands.

use super::Schedule;
use super::schedule::Rule;
use chrono::{DateTime, Utc};

/// What a schedule is, for a scheduler with its own kinds of schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportedSchedule {
    /// These cron lines, each of whose ticks belongs to the schedule.
    Cron(Vec<String>),
    /// A number of seconds, from that time on.
    Every(i64, DateTime<Utc>),
    /// Days of a local calendar.
    Days,
    /// A calendar in Rust.
    Custom,
}

impl Schedule {
    /// Converts the schedule for a scheduler with its own kinds of schedules.
    pub(crate) fn export(&self) -> ExportedSchedule {
        match &self.rule {
            Rule::Lines(lines) => ExportedSchedule::Cron(lines.iter().map(|line| line.text().to_owned()).collect()),
            Rule::Every(delta) => match delta.seconds(self.zone()) {
                Some(seconds) => ExportedSchedule::Every(seconds, delta.from()),
                None => ExportedSchedule::Days,
            },
            Rule::Custom(_) => ExportedSchedule::Custom,
        }
    }
}
