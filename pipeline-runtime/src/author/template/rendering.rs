//! Renders a text with variables and their values.

use super::environment::{FUEL, ds, ds_nodash, environment, name_for, ts, ts_nodash};
use crate::author::bounded;
use crate::author::context::RunInfo;
use crate::author::error::shortened;
use crate::author::previous::LastSuccess;
use crate::schedule::{Interval, Zone};
use chrono::{DateTime, Utc};
use minijinja::value::Object;
use minijinja::{Error, ErrorKind, Value, context, value};
use pipeline_syntax::template::Purpose;
use std::sync::Arc;

/// The maximum length of a rendered text. Templates are for paths and queries.
const MAX_TEXT: usize = 1 << 20;

/// A named value as JSON, or why it cannot be written as JSON.
pub(crate) type NamedJson = (&'static str, Result<serde_json::Value, String>);

/// How values are written into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// Unchanged.
    None,
    /// Escaped, so that Slack's markup does not interpret them.
    Slack,
}

/// A text to render.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rendering<'a> {
    pub(super) source: &'a str,
    pub(super) purpose: Purpose,
    pub(super) escaping: Escaping,
}

impl Rendering<'_> {
    /// The given values by name. A null is left out, as with params.
    pub(super) fn named_values(&self, given: &[NamedJson]) -> Result<Value, RenderError> {
        let mut values = Vec::with_capacity(given.len());
        for (name, value) in given {
            match value {
                Ok(serde_json::Value::Null) => {}
                Ok(value) => values.push((*name, json(value))),
                Err(error) => return Err(self.refused(format!("`{name}` cannot be written as JSON: {error}"))),
            }
        }
        Ok(Value::from_pairs(values))
    }

    /// Renders the text with those values.
    pub(super) fn text(&self, values: Value) -> Result<String, RenderError> {
        let mut text = bounded::Bytes::new(MAX_TEXT);
        let rendered = environment()
            .template_from_named_str(name_for(self.escaping), self.source)
            .and_then(|template| template.render_captured_to(values, &mut text));
        if text.is_over() {
            return Err(self.refused(format!("its text has more than {} MiB, which is the limit", MAX_TEXT >> 20)));
        }
        rendered.map_err(|error| self.failed(&error))?;
        text.into_string().map_err(|error| self.refused(error.to_string()))
    }

    fn refused(&self, reason: String) -> RenderError {
        RenderError { kind: self.purpose.name(), text: self.source.to_owned(), reason }
    }

    fn failed(&self, error: &Error) -> RenderError {
        let template = self.source;
        let range = error.range().unwrap_or_default();
        let piece = template.get(range.clone()).unwrap_or_default().trim();
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let is_filter = template.get(..range.start).is_some_and(|before| before.trim_end().ends_with('|'));
        let (here, because, instead) = match self.purpose {
            Purpose::Input => (
                "in this run",
                "as `prev_*` before the first success, or a param that was not given or is null",
                "loop over less, or make the text in a task",
            ),
            Purpose::Alert => (
                "in this alert",
                "as `error` where nothing failed, `task.id` where it is about the run, or a param that was not given or is null",
                "loop over less",
            ),
        };
        self.refused(match (undefined(&detail), error.kind()) {
            (Some(name), _) => format!(
                "`{name}` has no value {here} ({because}); test it with `{{% if {name} %}}`, or give it one with `default(..)`"
            ),
            (None, ErrorKind::UndefinedError) if is_filter => format!(
                "what `| {piece}` is applied to has no value {here}, or holds something that has none ({because}); give it one \
                 before, with `default(..)`"
            ),
            (None, ErrorKind::UndefinedError) => {
                format!("`{piece}` has no value {here}, or holds something that has none ({because})")
            }
            (None, ErrorKind::OutOfFuel) => format!("it takes more than {FUEL} instructions: {instead}"),
            _ if piece.is_empty() => detail,
            _ => format!("{detail}, at `{piece}`"),
        })
    }
}

/// The dates that follow from a logical date alone.
pub(super) fn date_variables(start: DateTime<Utc>) -> Value {
    context! {
        ds => ds(start),
        ds_nodash => ds_nodash(start),
        ts => ts(start),
        ts_nodash => ts_nodash(start),
        logical_date => ts(start),
    }
}

/// The last successful run. It is determined only if the text names it.
#[derive(Debug)]
struct PreviousSuccess(LastSuccess);

impl Object for PreviousSuccess {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        let of: fn(Interval) -> DateTime<Utc> = match name.as_str()? {
            "prev_data_interval_start_success" => |interval| interval.start,
            "prev_data_interval_end_success" => |interval| interval.end,
            _ => return None,
        };
        // If there is no such run, the name stays undefined rather than none: it can be tested, and printing it is an error.
        self.0.get().map(|previous| ts(of(previous.interval)).into())
    }
}

/// The values of a run that every text has. `zone` is that of the pipeline.
pub(super) fn run_variables(run: &RunInfo, zone: Zone) -> Value {
    context! {
        local_ds => ds(run.interval.start.with_timezone(&zone)),
        data_interval_start => ts(run.interval.start),
        data_interval_end => ts(run.interval.end),
        run_id => &run.run_id,
        params => json(&run.params),
        dag => context! { id => &run.pipeline },
        run => context! { kind => run.kind.name(), started => ts(run.began()) },
        // For the filter `local`; templates may not name it.
        __zone => zone.name(),
        ..context! { ..date_variables(run.interval.start), ..Value::from_object(PreviousSuccess(run.previous.clone())) }
    }
}

/// A value as a template sees it. A null is left out, so that it counts as missing, like a value that was not given.
fn json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Object(fields) => Value::from_pairs(
            fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), self::json(value))),
        ),
        other => Value::from(value::Serde(other)),
    }
}

/// The maximum number of characters of a template that a message quotes: one from a file may be long.
const MAX_QUOTED: usize = 200;

/// Why a text cannot be rendered in this run, or in this alert.
#[derive(Debug, thiserror::Error)]
#[error("the {kind} {:?} cannot be rendered: {reason}", shortened(.text, MAX_QUOTED))]
pub(crate) struct RenderError {
    kind: &'static str,
    text: String,
    reason: String,
}

/// The name in minijinja's "`params.region` is undefined".
fn undefined(detail: &str) -> Option<&str> {
    let (before, _) = detail.split_once("` is undefined")?;
    before.rsplit_once('`').map(|(_, name)| name)
}
