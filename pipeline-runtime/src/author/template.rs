//! Templates: texts that are rendered when an attempt starts.
//!
//! `template!` checks syntax, names and filters at compile time. What is left for run time is a name that has no value in
//! this run, and printing that is an error: nothing is ever silently empty.

use super::context::RunInfo;
use chrono::{DateTime, NaiveDate, Utc};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context, value};
use std::sync::OnceLock;

/// A text rendered with the run's dates and params when an attempt starts. Made by [`template!`](macro@crate::template).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template(&'static str);

impl Template {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self(source)
    }

    /// The text as it was written.
    pub const fn source(self) -> &'static str {
        self.0
    }

    pub(crate) fn render(self, run: &RunInfo, node: &str, attempt: u32) -> Result<String, RenderError> {
        let values = context! {
            ds => ds(run.interval.start),
            ds_nodash => ds_nodash(run.interval.start),
            ts => ts(run.interval.start),
            ts_nodash => ts_nodash(run.interval.start),
            logical_date => ts(run.interval.start),
            data_interval_start => ts(run.interval.start),
            data_interval_end => ts(run.interval.end),
            run_id => &run.run_id,
            params => value::Serde(&run.params),
            dag => context! { id => &run.pipeline },
            task => context! { id => node },
            try_number => attempt,
            // Left undefined, not none, where there is no such run: it can be tested, and printing it is an error.
            ..run.previous.map_or_else(|| context! {}, |previous| context! {
                prev_data_interval_start_success => ts(previous.start),
                prev_data_interval_end_success => ts(previous.end),
            })
        };
        environment().render_str(self.0, values).map_err(|error| RenderError::new(self.0, &error))
    }
}

/// A template that has no value in this run.
#[derive(Debug, thiserror::Error)]
#[error("the template {template:?} cannot be rendered: {reason}")]
pub(crate) struct RenderError {
    template: &'static str,
    reason: String,
}

impl RenderError {
    fn new(template: &'static str, error: &Error) -> Self {
        let reason = if error.kind() == ErrorKind::UndefinedError {
            let piece = error.range().and_then(|range| template.get(range)).unwrap_or("a variable in it").trim();
            format!(
                "`{piece}` has no value in this run (as `prev_*` before the first success, or a param that was not given); test it \
                 with `{{% if {piece} %}}`, or give it one with `default(..)`"
            )
        } else {
            error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
        };
        Self { template, reason }
    }
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_debug(true); // so that an error tells which piece of the template it is about
        // The macro's list of filters names the same; the test below renders each.
        environment.add_filter("ds", |date: &str| Ok::<_, Error>(ds(parse(date)?)));
        environment.add_filter("ds_nodash", |date: &str| Ok::<_, Error>(ds_nodash(parse(date)?)));
        environment.add_filter("ts", |date: &str| Ok::<_, Error>(ts(parse(date)?)));
        environment.add_filter("ts_nodash", |date: &str| Ok::<_, Error>(ts_nodash(parse(date)?)));
        environment.add_filter("ds_add", ds_add);
        environment.add_filter("date", date);
        environment
    })
}

fn ds(date: DateTime<Utc>) -> String {
    date.format("%Y-%m-%d").to_string()
}

fn ds_nodash(date: DateTime<Utc>) -> String {
    date.format("%Y%m%d").to_string()
}

fn ts(date: DateTime<Utc>) -> String {
    date.to_rfc3339()
}

fn ts_nodash(date: DateTime<Utc>) -> String {
    date.format("%Y%m%dT%H%M%S").to_string()
}

/// `{{ ds | ds_add(-1) }}`: the day that many days later.
fn ds_add(date: &str, days: i64) -> Result<String, Error> {
    let out_of_range = || Error::new(ErrorKind::InvalidOperation, format!("{days} days from {date} is no date"));
    let days = chrono::TimeDelta::try_days(days).ok_or_else(out_of_range)?;
    parse(date)?.checked_add_signed(days).map(ds).ok_or_else(out_of_range)
}

/// `{{ logical_date | date("%H") }}`: as `strftime` would.
fn date(date: &str, format: &str) -> Result<String, Error> {
    use std::fmt::Write;
    let mut text = String::new();
    write!(text, "{}", parse(date)?.format(format))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{format:?} is no strftime format")))?;
    Ok(text)
}

fn parse(text: &str) -> Result<DateTime<Utc>, Error> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|date| date.to_utc())
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{text:?} is no date")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Interval;

    fn run() -> RunInfo {
        let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        RunInfo {
            pipeline: "nightly".into(),
            run_id: "manual__1".into(),
            interval: Interval { start: date("2024-03-25T06:30:00Z"), end: date("2024-03-26T06:30:00Z") },
            previous: None,
            params: serde_json::json!({ "region": "eu" }),
        }
    }

    fn render(source: &'static str) -> Result<String, String> {
        Template::new(source).render(&run(), "load", 2).map_err(|error| error.to_string())
    }

    #[test]
    fn all_variables_have_a_value() {
        let all = "{{ ds }} {{ ds_nodash }} {{ ts }} {{ ts_nodash }} {{ logical_date }} {{ data_interval_start }} \
                   {{ data_interval_end }} {{ run_id }} {{ params.region }} {{ dag.id }} {{ task.id }} {{ try_number }}";
        let expected = "2024-03-25 20240325 2024-03-25T06:30:00+00:00 20240325T063000 2024-03-25T06:30:00+00:00 \
                        2024-03-25T06:30:00+00:00 2024-03-26T06:30:00+00:00 manual__1 eu nightly load 2";
        assert_eq!(render(all).unwrap(), expected);
    }

    #[test]
    fn all_date_filters_are_there() {
        let all = "{{ ts|ds }} {{ ts|ds_nodash }} {{ ds|ts }} {{ ds|ts_nodash }} {{ ds|ds_add(-25) }} {{ ts|date('%H:%M') }}";
        let expected = "2024-03-25 20240325 2024-03-25T00:00:00+00:00 20240325T000000 2024-02-29 06:30";
        assert_eq!(render(all).unwrap(), expected);
    }

    #[test]
    fn what_is_missing_can_be_tested_but_not_printed() {
        assert_eq!(render("{% if prev_data_interval_end_success %}x{% else %}first{% endif %}").unwrap(), "first");
        let error = render("since {{ prev_data_interval_end_success }}").unwrap_err();
        assert!(error.contains("prev_data_interval_end_success"), "{error}");
        assert!(error.contains("has no value in this run"), "{error}");
        assert!(render("{{ params.regoin }}").unwrap_err().contains("has no value"));
    }
}
