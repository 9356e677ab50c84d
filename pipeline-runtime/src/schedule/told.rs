//! A schedule in the words of another scheduler.

use super::Schedule;
use super::schedule::Rule;
use chrono::{DateTime, Utc};

/// What a schedule is, for whoever has schedules of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// These cron lines, each of whose ticks is one of the schedule's.
    Cron(Vec<String>),
    /// So many seconds, from that time on.
    Every(i64, DateTime<Utc>),
    /// Days of a local calendar.
    Days,
    /// A calendar in Rust.
    Own,
}

impl Schedule {
    /// What it is, for whoever has schedules of their own.
    pub(crate) fn told(&self) -> Told {
        match &self.rule {
            Rule::Lines(lines) => Told::Cron(lines.iter().map(|line| line.text().to_owned()).collect()),
            Rule::Every(delta) => match delta.seconds(self.zone()) {
                Some(seconds) => Told::Every(seconds, delta.from()),
                None => Told::Days,
            },
            Rule::Own(_) => Told::Own,
        }
    }
}
