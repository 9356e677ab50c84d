//! The two clocks of a process: the clock of the runs and the calendar of the schedules.
//!
//! The runs' clock starts no earlier than the newest time in the journal, so that the times of a run never go back. The calendar
//! is always the wall clock, whatever the journal says. If the two are far apart from the start, one of them is wrong, and only a
//! person can tell which: then nothing starts.

use super::StartError;
use crate::journal::NewestTime;
use crate::time::{Calendar, Clock, Timestamp};
use chrono::SecondsFormat;
use std::time::Duration;

/// How far the newest time of a journal may be ahead of the wall clock: more than clocks are corrected by in service.
const FUTURE: Duration = Duration::from_mins(5);

/// Returns the clocks of a process that continues a journal with that newest time. If `speed` is above 1, the calendar is the
/// faster clock, which is ahead of the wall clock by design.
pub(crate) fn clocks(newest: Option<NewestTime>, speed: u32) -> Result<(Clock, Calendar), StartError> {
    let calendar = Calendar::wall();
    if speed > 1 {
        let clock = newest.map_or_else(Clock::system, |newest| Clock::system_from(newest.at)).faster(speed);
        return Ok((clock, Calendar::of(clock)));
    }
    let Some(newest) = newest else { return Ok((Clock::system(), calendar)) };
    let at = newest.at;
    refuse_future(newest, calendar.now())?;
    Ok((Clock::system_from(at), calendar))
}

fn refuse_future(newest: NewestTime, now: Timestamp) -> Result<(), StartError> {
    if newest.at <= now + FUTURE {
        return Ok(());
    }
    let text = |time: Timestamp| time.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true);
    let NewestTime { at, run_id, pipeline } = newest;
    Err(StartError::JournalAhead { run_id, pipeline, newest: text(at), now: text(now) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(at: Timestamp) -> NewestTime {
        NewestTime { at, run_id: "manual__1".into(), pipeline: "nightly".into() }
    }

    #[test]
    fn a_journal_may_be_five_minutes_ahead_and_no_more() {
        let now = Timestamp::from(chrono::DateTime::parse_from_rfc3339("2026-11-28T12:00:00Z").unwrap().to_utc());
        assert!(refuse_future(newest(now + FUTURE), now).is_ok());
        let error = refuse_future(newest(now + Duration::from_hours(400 * 24)), now).unwrap_err().to_string();
        let said = "run `manual__1` of `nightly` has times up to 2028-01-02T12:00:00Z, and this machine's clock reads \
                    2026-11-28T12:00:00Z: ";
        assert!(error.starts_with(said) && error.contains("`repair` moves"), "{error}");
        assert!(refuse_future(newest(now + FUTURE + Duration::from_nanos(1)), now).is_err());
    }

    #[test]
    fn the_calendar_of_a_process_that_is_faster_goes_by_its_clock() {
        let ahead = Clock::system().now() + Duration::from_hours(400 * 24);
        let (clock, calendar) = clocks(Some(newest(ahead)), 600).unwrap();
        assert!(clock.now() >= ahead && calendar.now() >= ahead);
    }

    #[test]
    fn the_runs_clock_begins_at_the_newest_time_and_the_calendar_at_the_wall() {
        let ahead = Clock::system().now() + Duration::from_mins(4);
        let (clock, calendar) = clocks(Some(newest(ahead)), 1).unwrap();
        assert!(clock.now() >= ahead);
        assert!(calendar.now() < ahead);
    }
}
