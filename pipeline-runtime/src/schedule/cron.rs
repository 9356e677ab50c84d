//! One cron line.

use pipeline_syntax::cron::{self, CronError, Days};

use super::describe::describe;
use super::error::ScheduleError;
use super::times::Times;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    pub(super) days: Days,
    pub(super) times: Times,
    pub(super) fixed_time: bool,
}

impl Line {
    pub(super) fn parse(cron: &str) -> Result<Self, ScheduleError> {
        let line = cron::parse(cron).map_err(|error| match error {
            CronError::Form(reason) => ScheduleError::Cron { cron: cron.to_owned(), reason },
            CronError::Never => ScheduleError::Never { cron: cron.to_owned() },
        })?;
        let times = Times::new(line.hours, line.minutes);
        Ok(Self { text: cron.trim().to_owned(), days: line.days, times, fixed_time: line.fixed_time })
    }

    /// The line as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line in words, without its zone.
    pub(super) fn describe(&self) -> String {
        describe(&self.days, &self.times)
    }
}
