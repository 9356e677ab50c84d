//! When a pipeline's schedule starts its next run, for listings of pipelines.

use super::StartError;
use crate::Pipeline;
use crate::journal::Reader;
use crate::schedule::{Schedule, Window};
use chrono::{DateTime, Utc};

/// When a schedule starts its next run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextRun {
    NoSchedule,
    /// This program does not follow its schedule.
    ByHand,
    Paused,
    /// When assets are updated.
    Updated,
    At(DateTime<Utc>),
    /// Its `end` is past, or its own calendar has ended.
    Never,
}

impl NextRun {
    /// Returns the next tick that a serving process would run. Ticks missed before do not count. Without a reader nothing has run
    /// before.
    ///
    /// # Errors
    ///
    /// If the pipeline's `start` or `end` is not a valid date, or the journal cannot be read.
    pub(crate) fn of(
        pipeline: &Pipeline,
        schedule: Option<&Schedule>,
        is_paused: bool,
        reader: Option<&Reader>,
        now: DateTime<Utc>,
    ) -> Result<Self, StartError> {
        let options = pipeline.options();
        // Checked before the pause, since unpausing would not change it.
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
