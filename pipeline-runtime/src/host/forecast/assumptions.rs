//! The assumptions of a forecast, as written on the command line and in a URL.

use super::ForecastError;
use crate::schedule::{Schedule, parse_date};
use crate::time::{Timestamp, Zone};
use chrono::{DateTime, Utc};
use pipeline_syntax::duration::{self, Zero};
use std::time::Duration;

/// The assumptions, beside what the journal and the pipeline say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForecastAssumptions {
    /// Number of ticks, if `until` is missing.
    pub(super) ticks: Option<usize>,
    pub(super) until: Option<DateTime<Utc>>,
    /// How long a run takes.
    pub(super) takes: Option<Duration>,
    /// When no process serves.
    pub(super) stopped: Vec<Period>,
    /// When the pipeline is paused.
    pub(super) paused: Vec<Period>,
    /// The logical dates of intervals whose runs fail, as written.
    pub(super) fails: Vec<String>,
    pub(super) catchup: Option<bool>,
    pub(super) max_active_runs: Option<u32>,
    pub(super) depends_on_past: Option<bool>,
}

/// A period; without a start it has begun, and without an end it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Period {
    pub(super) fn contains(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// The maximum number of ticks.
pub(crate) const MAX_TICKS: usize = 500;

impl ForecastAssumptions {
    /// Parses assumptions from name and text, as in options of the command line and arguments of a URL. Dates without a zone are
    /// in `zone`.
    pub(crate) fn of<'a>(given: impl IntoIterator<Item = (&'a str, &'a str)>, zone: Zone) -> Result<Self, ForecastError> {
        let mut assumptions = Self::default();
        for (name, text) in given.into_iter().filter(|(_, text)| !text.is_empty()) {
            assumptions.set(name, text, zone).map_err(|why| ForecastError::Wrong { what: format!("{name} {text}"), why })?;
        }
        Ok(assumptions)
    }

    fn set(&mut self, name: &str, text: &str, zone: Zone) -> Result<(), String> {
        match name {
            "ticks" => {
                let ticks = text.parse().ok().filter(|ticks| (1..=MAX_TICKS).contains(ticks));
                self.ticks = Some(ticks.ok_or_else(|| format!("write a number from 1 to {MAX_TICKS}"))?);
            }
            "until" => self.until = Some(date(text, zone)?),
            "takes" => self.takes = Some(duration::parse(text, Zero::Allowed)?),
            "stopped" => self.stopped.push(period(text, zone)?),
            "paused" => self.paused.push(period(text, zone)?),
            // The schedule resolves it.
            "fail" => self.fails.push(text.to_owned()),
            "set" => self.set_option(text)?,
            _ => {
                return Err(
                    "unknown parameter, expected `ticks`, `until`, `takes`, `stopped`, `paused`, `fail` or `set`".to_owned()
                );
            }
        }
        Ok(())
    }

    /// Returns the starts of the intervals that fail: dates are parsed as for `--logical-date`.
    pub(super) fn failing(&self, schedule: &Schedule) -> Result<Vec<DateTime<Utc>>, ForecastError> {
        let start = |text: &String| match schedule.interval_of(text) {
            Ok(interval) => Ok(interval.start),
            Err(error) => Err(ForecastError::Wrong { what: format!("fail {text}"), why: error.to_string() }),
        };
        self.fails.iter().map(start).collect()
    }

    fn set_option(&mut self, text: &str) -> Result<(), String> {
        let form = "write OPTION=VALUE, of `catchup`, `depends_on_past` and `max_active_runs`, as in `catchup=true`";
        let (option, value) = text.split_once('=').ok_or(form)?;
        let flag = || value.parse().map_err(|_| format!("`{value}` is neither `true` nor `false`"));
        match option {
            "catchup" => self.catchup = Some(flag()?),
            "depends_on_past" => self.depends_on_past = Some(flag()?),
            "max_active_runs" => {
                let runs = value.parse().ok().filter(|runs| *runs > 0);
                self.max_active_runs = Some(runs.ok_or_else(|| format!("`{value}` is not a number of runs from 1 on"))?);
            }
            _ => return Err(format!("there is no option `{option}` here; {form}")),
        }
        Ok(())
    }
}

fn date(text: &str, zone: Zone) -> Result<DateTime<Utc>, String> {
    parse_date(text, zone).map_err(|error| error.to_string())
}

fn period(text: &str, zone: Zone) -> Result<Period, String> {
    let form = "write FROM..UNTIL, as in `2026-03-28T06:00..2026-03-31`; one of them may be left out, and `..now` ends it now";
    let (from, until) = text.split_once("..").ok_or(form)?;
    if from.is_empty() && until == "now" {
        // Any time in the past: it is over.
        return Ok(Period { from: None, until: Some(DateTime::UNIX_EPOCH.into()) });
    }
    let read = |text: &str| (!text.is_empty()).then(|| date(text, zone)).transpose();
    let (from, until) = (read(from)?, read(until)?);
    match (from, until) {
        (Some(from), Some(until)) if until == from => Err("it ends when it begins".to_owned()),
        (Some(from), Some(until)) if until < from => Err("it ends before it begins".to_owned()),
        _ => Ok(Period { from: from.map(Timestamp::from), until: until.map(Timestamp::from) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Result<ForecastAssumptions, String> {
        ForecastAssumptions::of([(name, text)], Zone::UTC).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_in_the_zone_of_the_schedule() {
        let at = |text: &str| Some(Timestamp::from(text.parse::<DateTime<Utc>>().unwrap()));
        let berlin = crate::schedule::Schedule::parse("@daily", "Europe/Berlin").unwrap().zone();
        let given = [("stopped", "2026-03-28T06:00..2026-03-31"), ("paused", "..2026-01-01"), ("paused", "2026-02-01..")];
        let assumptions = ForecastAssumptions::of(given, berlin).unwrap();
        assert_eq!(assumptions.stopped, [Period { from: at("2026-03-28T05:00:00Z"), until: at("2026-03-30T22:00:00Z") }]);
        let (until, from) = (at("2025-12-31T23:00:00Z"), at("2026-01-31T23:00:00Z"));
        assert_eq!(assumptions.paused, [Period { from: None, until }, Period { from, until: None }]);
        assert_eq!(of("set", "catchup=true").unwrap().catchup, Some(true));
        assert_eq!(of("set", "max_active_runs=3").unwrap().max_active_runs, Some(3));
    }

    #[test]
    fn what_is_written_wrong_is_told_with_its_form() {
        for (name, text, said) in [
            ("ticks", "0", "ticks 0: write a number from 1 to 500"),
            ("until", "soon", "until soon: "),
            ("tick", "2", "tick 2: unknown parameter, expected `ticks`"),
            ("takes", "5", "takes 5: "),
            ("stopped", "2026-01-01", "write FROM..UNTIL"),
            ("paused", "2026-01-02..2026-01-01", "it ends before it begins"),
            ("paused", "2026-01-01..2026-01-01", "it ends when it begins"),
            ("set", "retries=3", "there is no option `retries` here; write OPTION=VALUE"),
            ("set", "max_active_runs=0", "`0` is not a number of runs from 1 on"),
            ("set", "catchup=yes", "`yes` is neither `true` nor `false`"),
        ] {
            let error = of(name, text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let daily = Schedule::parse("30 2 * * *", "UTC").unwrap();
        let failing = |text| of("fail", text).unwrap().failing(&daily).map_err(|error| error.to_string());
        assert_eq!(failing("2026-03-28"), Ok(vec!["2026-03-28T02:30:00Z".parse().unwrap()]), "a date alone is a day");
        assert!(failing("x").unwrap_err().starts_with("fail x: "));
    }
}
