//! When a pipeline's schedule begins its next run, for whoever lists pipelines.

use super::StartError;
use crate::Pipeline;
use crate::journal::Reader;
use crate::schedule::{Schedule, Window};
use chrono::{DateTime, Utc};

/// When a schedule begins its next run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextRun {
    NoSchedule,
    /// Nobody follows its schedule here.
    ByHand,
    Paused,
    /// As assets are updated.
    Updated,
    At(DateTime<Utc>),
    /// Its `end` is past, or a calendar of its own has ended.
    Never,
}

impl NextRun {
    /// The next tick that a process that serves would run. What was missed before it does not count. Without a reader nothing has run before.
    ///
    /// # Errors
    ///
    /// If `start` or `end` of the pipeline is no date, or the journal cannot be read.
    pub(crate) fn of(
        pipeline: &Pipeline,
        schedule: Option<&Schedule>,
        is_paused: bool,
        reader: Option<&Reader>,
        now: DateTime<Utc>,
    ) -> Result<Self, StartError> {
        let options = pipeline.options();
        // Before that it is paused: to unpause it changes nothing here.
        if options.by_hand {
            return Ok(Self::ByHand);
        }
        if is_paused {
            return Ok(Self::Paused);
        }
        let Some(schedule) = schedule else {
            return Ok(if options.when.is_some() { Self::Updated } else { Self::NoSchedule });
        };
        let window = Window::read(options.start, options.end, options.catchup, schedule.zone())
            .map_err(|refused| StartError::Refused(refused.error.to_string()))?;
        let last = reader.map(|reader| reader.last_scheduled(pipeline.id(), now.into())).transpose()?;
        Ok(window.next_due(schedule, last.flatten(), now).map_or(Self::Never, Self::At))
    }
}
