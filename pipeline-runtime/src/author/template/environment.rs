//! The functions and filters of templates, and the values that may be printed.

use super::Escaping;
use crate::schedule::Zone;
use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Object, ObjectRepr, StringInput, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, escape_formatter, filters};
use std::fmt::{self, Display};
use std::sync::{Arc, OnceLock};

/// The maximum number of instructions that rendering a template may take: a few for each piece of it and each turn of a loop. A
/// path or a query takes less than a hundred; nested loops over a list of thousands would take hundreds of megabytes and a
/// worker's time.
pub(super) const FUEL: u64 = 1_000_000;

/// The name of a text for Slack, by which the environment knows how to write its values.
const SLACK: &str = "<slack>";

/// The template name that selects this escaping.
pub(super) fn name_for(escaping: Escaping) -> &'static str {
    match escaping {
        Escaping::None => "<string>",
        Escaping::Slack => SLACK,
    }
}

fn is_for_slack(state: &State<'_, '_>) -> bool {
    matches!(state.auto_escape(), AutoEscape::Custom(name) if name == SLACK)
}

/// Escapes the three characters of Slack's markup.
pub(crate) fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        // The delimiters are the default ones, so building the syntax cannot fail.
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_debug(true); // so that an error tells which piece of the template it is about
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| match name {
            SLACK => AutoEscape::Custom(SLACK.into()),
            _ => AutoEscape::None,
        });
        environment.set_formatter(|out, state, value| {
            has_value(value)?;
            match is_for_slack(state) && !value.is_safe() {
                true => Ok(out.write_str(&for_slack(&value.to_string()))?),
                // Safe values are written as they are.
                false if is_for_slack(state) => Ok(write!(out, "{value}")?),
                false => escape_formatter(out, state, value),
            }
        });
        // minijinja's own filters make an empty text of a missing value.
        environment.add_filter("join", join);
        environment.add_filter("e", escape);
        environment.add_filter("escape", escape);
        environment.add_filter("pprint", |value: &Value| has_value(value).map(|()| filters::pprint(value)));
        // The macro accepts the filters of `pipeline_syntax::template::DATE_FILTERS`; a test of the templates renders each.
        environment.add_filter("ds", |date: &Value| parse(date).map(ds));
        environment.add_filter("ds_nodash", |date: &Value| parse(date).map(ds_nodash));
        environment.add_filter("ts", |date: &Value| parse(date).map(ts));
        environment.add_filter("ts_nodash", |date: &Value| parse(date).map(ts_nodash));
        environment.add_filter("ds_add", ds_add);
        environment.add_filter("date", date);
        environment.add_filter("local", local);
        environment
    })
}

#[expect(clippy::needless_pass_by_value, reason = "a date is as small as a reference, and filters hand theirs over")]
pub(super) fn ds<Z: TimeZone<Offset: Display>>(date: DateTime<Z>) -> String {
    date.format("%Y-%m-%d").to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "as above")]
pub(super) fn ds_nodash<Z: TimeZone<Offset: Display>>(date: DateTime<Z>) -> String {
    date.format("%Y%m%d").to_string()
}

#[expect(clippy::needless_pass_by_value, reason = "as above")]
pub(super) fn ts<Z: TimeZone<Offset: Display>>(date: DateTime<Z>) -> String {
    date.to_rfc3339()
}

#[expect(clippy::needless_pass_by_value, reason = "as above")]
pub(super) fn ts_nodash<Z: TimeZone<Offset: Display>>(date: DateTime<Z>) -> String {
    date.format("%Y%m%dT%H%M%S").to_string()
}

/// `{{ ds | ds_add(-1) }}`: the day that many days later.
fn ds_add(date: &Value, days: i64) -> Result<String, Error> {
    let out_of_range = || Error::new(ErrorKind::InvalidOperation, format!("{days} days from {date} is not a date"));
    let days = chrono::TimeDelta::try_days(days).ok_or_else(out_of_range)?;
    parse(date)?.checked_add_signed(days).map(ds).ok_or_else(out_of_range)
}

/// `{{ logical_date | date("%H") }}`: formats as `strftime` does.
fn date(date: &Value, format: &str) -> Result<String, Error> {
    use std::fmt::Write;
    let mut text = String::new();
    write!(text, "{}", parse(date)?.format(format))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{format:?} is not a strftime format")))?;
    Ok(text)
}

/// A date in the wall clock of the pipeline's zone. The filters keep its zone; a date that is a text is read as UTC.
#[derive(Debug)]
struct Local(DateTime<FixedOffset>);

impl Object for Local {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ts(self.0))
    }
}

/// `{{ logical_date | local | ds }}`
fn local(state: &mut State<'_, '_>, date: &Value) -> Result<Value, Error> {
    let zone = state.lookup("__zone").and_then(|zone| Zone::named(zone.as_str()?)).unwrap_or_default();
    let date = parse(date)?.with_timezone(&zone);
    Ok(Value::from_object(Local(date.fixed_offset())))
}

fn parse(date: &Value) -> Result<DateTime<FixedOffset>, Error> {
    has_value(date)?;
    if let Some(Local(date)) = date.downcast_object_ref::<Local>() {
        return Ok(*date);
    }
    let text = date.as_str().unwrap_or_default();
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().fixed_offset());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|date| date.to_utc().fixed_offset())
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{date:?} is not a date")))
}

/// Fails for a missing value, and for a list or a map that contains one.
fn has_value(value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Err(ErrorKind::UndefinedError.into()),
        ValueKind::Seq => value.try_iter()?.try_for_each(|item| has_value(&item)),
        ValueKind::Map => value.try_iter()?.try_for_each(|key| has_value(&value.get_item(&key)?)),
        _ => Ok(()),
    }
}

fn join(
    state: &mut State<'_, '_>,
    items: &Value,
    between: Option<StringInput<'_>>,
    attribute: Option<&str>,
    options: Kwargs,
) -> Result<Value, Error> {
    let attribute = match attribute {
        Some(attribute) => Some(attribute.to_owned()),
        None => options.get::<Option<String>>("attribute")?,
    };
    has_value(items)?;
    if let Some(path) = &attribute {
        for item in items.try_iter()? {
            has_value(&path.split('.').try_fold(item, |value, name| value.get_attr(name))?)?;
        }
    }
    filters::join(state, items, between, attribute.as_deref(), options)
}

fn escape(state: &mut State<'_, '_>, value: &Value) -> Result<Value, Error> {
    has_value(value)?;
    if is_for_slack(state) && !value.is_safe() {
        return Ok(Value::from_safe_string(for_slack(&value.to_string())));
    }
    if value.is_safe() { Ok(value.clone()) } else { filters::escape(state, value) }
}
