//! Templates: texts that are rendered when an attempt starts.
//!
//! `template!` checks syntax, names and filters at compile time. What remains for run time is a name that has no value in this
//! run. Printing such a name is an error: nothing is ever silently empty. A param that is null has no value, either.

pub(crate) mod alert;
mod checked;
mod environment;
mod rendering;

use super::context::RunInfo;
use crate::schedule::Zone;
use environment::environment;
pub(crate) use environment::for_slack;
use minijinja::context;
use pipeline_syntax::template::Purpose;
pub(crate) use rendering::Escaping;
use rendering::{NamedJson, RenderError, Rendering};
use std::sync::Arc;

/// A text that is rendered with the run's dates and params when an attempt starts. [`template!`](macro@crate::template) creates
/// it.
///
/// A list may mix it with plain texts, which `into` converts:
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task] async fn merge(keys: Vec<String>) -> Result<u64> { Ok(keys.len() as u64) }
/// #[pipeline] fn daily() { merge([template!("raw/{{ ds }}.json"), "raw/all.json".into()]); }
/// # daily().check().unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Inner);

/// As small as a `&str`, because a plan may have millions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inner {
    Of(&'static str),
    Other(Arc<Other>),
}

#[derive(Debug, PartialEq, Eq)]
enum Other {
    /// A text with values from the pipeline's function, or from a body.
    With { source: &'static str, given: Vec<NamedJson> },
    /// A text that is used as it is.
    Plain(Box<str>),
}

/// A value that may be given to a template by name: a text, a number, or anything else that can be written as JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given to a template",
    label = "it cannot be written as JSON",
    note = "give it a text, a number, or what derives `serde::Serialize`",
    note = "a node has no value until the pipeline runs: take it as a task's parameter, and render the text in the body, `ctx.render(&template!(..))`"
)]
pub trait TemplateValue {
    #[doc(hidden)]
    fn json(&self) -> Result<serde_json::Value, String>;
}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + ?Sized> TemplateValue for T {
    fn json(&self) -> Result<serde_json::Value, String> {
        serde_json::to_value(self).map_err(|error| error.to_string())
    }
}

/// A text that is used as it is, whatever it contains.
impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self(Inner::Other(Arc::new(Other::Plain(text.into()))))
    }
}

/// A text that is used as it is, whatever it contains.
impl From<String> for Template {
    fn from(text: String) -> Self {
        Self(Inner::Other(Arc::new(Other::Plain(text.into()))))
    }
}

impl Template {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self(Inner::Of(source))
    }

    pub(crate) fn with(source: &'static str, given: Vec<NamedJson>) -> Self {
        Self(Inner::Other(Arc::new(Other::With { source, given })))
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        match &self.0 {
            Inner::Of(source) => source,
            Inner::Other(other) => match &**other {
                Other::With { source, .. } => source,
                Other::Plain(text) => text,
            },
        }
    }

    /// The text, if it is used as it is.
    pub(crate) fn plain(&self) -> Option<&str> {
        match &self.0 {
            Inner::Other(other) => match &**other {
                Other::Plain(text) => Some(text),
                Other::With { .. } => None,
            },
            Inner::Of(_) => None,
        }
    }

    /// The params that the text names, without the prefix `params.`; nested ones have a dot: `of.region`.
    pub(crate) fn params(&self) -> Vec<String> {
        if self.plain().is_some() {
            return Vec::new();
        }
        let Ok(template) = environment().template_from_str(self.source()) else { return Vec::new() };
        let named = template.undeclared_variables(true).into_iter();
        let mut params: Vec<String> = named.filter_map(|name| name.strip_prefix("params.").map(str::to_owned)).collect();
        params.sort();
        params
    }

    /// Renders the text. `zone` is that of the pipeline.
    pub(crate) fn render(&self, run: &RunInfo, node: &str, attempt: u32, zone: Zone) -> Result<String, RenderError> {
        if let Some(text) = self.plain() {
            return Ok(text.to_owned());
        }
        let rendering = Rendering { source: self.source(), purpose: Purpose::Input, escaping: Escaping::None };
        let given = match &self.0 {
            Inner::Other(other) => match &**other {
                Other::With { given, .. } => rendering.named_values(given)?,
                Other::Plain(_) => context! {},
            },
            Inner::Of(_) => context! {},
        };
        rendering.text(context! {
            task => context! { id => node },
            try_number => attempt,
            ..context! { ..given, ..rendering::run_variables(run, zone) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "airflow")]
    use crate::author::previous::LastSuccess;
    use crate::author::previous::Previous;
    use crate::schedule::Interval;
    use chrono::{DateTime, Utc};
    use pipeline_syntax::template::{DATE_FILTERS, VARIABLES};

    fn run() -> RunInfo {
        let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let interval = Interval { start: date("2024-03-25T06:30:00Z"), end: date("2024-03-26T06:30:00Z") };
        let params = serde_json::json!({ "region": "eu", "since": null, "list": ["a", null], "empty": [], "of": { "x": 1 },
                "rows": [{ "x": { "y": "a" } }, { "x": { "y": "b" } }] });
        RunInfo::new("nightly", "manual__1", interval, params)
    }

    fn render(source: &'static str) -> Result<String, String> {
        Template::new(source).render(&run(), "load", 2, Zone::UTC).map_err(|error| error.to_string())
    }

    #[test]
    fn all_variables_have_a_value() {
        let all = "{{ ds }} {{ ds_nodash }} {{ ts }} {{ ts_nodash }} {{ local_ds }} {{ logical_date }} {{ data_interval_start }} \
                   {{ data_interval_end }} {{ run_id }} {{ params.region }} {{ dag.id }} {{ task.id }} {{ try_number }}";
        let expected = "2024-03-25 20240325 2024-03-25T06:30:00+00:00 20240325T063000 2024-03-25 2024-03-25T06:30:00+00:00 \
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
    fn local_is_the_time_of_the_pipelines_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let interval = Interval { start: date("2024-03-30T23:00:00Z"), end: date("2024-03-31T22:00:00Z") };
        let run = RunInfo { interval, ..run() };
        let render =
            |source: &'static str| Template::new(source).render(&run, "load", 1, berlin).map_err(|error| error.to_string());
        assert_eq!(
            render("{{ ds }} {{ local_ds }} {{ logical_date | local | ds }}").unwrap(),
            "2024-03-30 2024-03-31 2024-03-31"
        );
        assert_eq!(
            render("{{ logical_date | local }} {{ data_interval_end | local | ts }}").unwrap(),
            "2024-03-31T00:00:00+01:00 2024-04-01T00:00:00+02:00"
        );
        assert_eq!(
            render("{{ ts | local | ds_nodash }} {{ ts | local | ts_nodash }} {{ ts | local | ds_add(1) }} {{ ts | local | date('%H:%M') }}").unwrap(),
            "20240331 20240331T000000 2024-04-01 00:00"
        );
        // A date that has an offset and is not made local is converted to UTC.
        assert_eq!(render("{{ '2024-03-31T00:30:00+01:00' | ds }}").unwrap(), "2024-03-30");
        assert!(render("{{ params.nope | local }}").unwrap_err().contains("has no value in this run"));
        assert!(render("{{ params.region | local }}").unwrap_err().contains("'eu' is not a date"));
    }

    #[test]
    fn what_is_given_has_its_value_and_null_has_none() {
        let given = |source: &'static str, value: serde_json::Value| {
            let template = Template::with(source, vec![("x", Ok(value)), ("y", Err("no".into()))][..1].to_vec());
            template.render(&run(), "load", 1, Zone::UTC).map_err(|error| error.to_string())
        };
        assert_eq!(given("a/{{ x }}/{{ ds }}", serde_json::json!("b")).unwrap(), "a/b/2024-03-25");
        assert_eq!(given("{% for n in x %}{{ n.a }},{% endfor %}", serde_json::json!([{ "a": 1 }, { "a": 2 }])).unwrap(), "1,2,");
        assert!(given("{{ x }}", serde_json::Value::Null).unwrap_err().contains("`x` has no value in this run"));
        assert_eq!(given("{{ x | default('none') }}", serde_json::Value::Null).unwrap(), "none");
        let wrong = Template::with("{{ x }}", vec![("x", Err("a key is no text".into()))]);
        let error = wrong.render(&run(), "load", 1, Zone::UTC).unwrap_err().to_string();
        assert!(error.ends_with("`x` cannot be written as JSON: a key is no text"), "{error}");
    }

    #[test]
    fn the_last_newline_is_kept_and_a_plain_text_is_itself() {
        assert_eq!(render("SELECT {{ try_number }};\n").unwrap(), "SELECT 2;\n");
        assert_eq!(Template::from("{{ ds }}\n").render(&run(), "load", 1, Zone::UTC).unwrap(), "{{ ds }}\n");
    }

    #[test]
    fn a_template_is_as_small_as_a_text() {
        assert_eq!(size_of::<Template>(), size_of::<&str>());
    }

    #[cfg(feature = "airflow")]
    #[test]
    fn the_last_success_is_asked_for_by_a_text_that_names_it_and_by_no_other() {
        use crate::author::previous::LazyPrevious;
        use std::sync::atomic::{AtomicU32, Ordering};
        let asked = std::sync::Arc::new(AtomicU32::new(0));
        let counter = std::sync::Arc::clone(&asked);
        let ask = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            None
        };
        let run = RunInfo { previous: LastSuccess::Lazy(LazyPrevious::new(ask)), ..run() };
        let render = |source: &'static str| Template::new(source).render(&run, "load", 1, Zone::UTC);
        assert!(render("{{ ds }} {{ params.region | default('eu') }} {{ run.kind }}").is_ok());
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        assert_eq!(render("{{ prev_data_interval_end_success | default('never') }}").unwrap(), "never");
        assert!(render("{{ prev_data_interval_start_success }}").is_err());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_the_macro_takes_is_there() {
        let interval = Interval::at("2024-03-24T06:30:00Z".parse::<DateTime<Utc>>().unwrap());
        let previous = Some(Previous { interval, began: None }).into();
        let run = RunInfo { previous, ..run() };
        let named = VARIABLES.iter().filter(|name| **name != "params").map(|name| format!("{{{{ {name} }}}}"));
        for source in named.chain(DATE_FILTERS.iter().map(|filter| filter.example.to_owned())) {
            let rendered = Template::new(source.clone().leak()).render(&run, "load", 2, Zone::UTC);
            assert!(rendered.is_ok_and(|text| !text.is_empty()), "{source}");
        }
    }

    #[test]
    fn what_is_missing_can_be_tested_but_not_printed() {
        assert_eq!(render("{% if prev_data_interval_end_success %}x{% else %}first{% endif %}").unwrap(), "first");
        let error = render("since {{ prev_data_interval_end_success }}").unwrap_err();
        assert!(error.contains("prev_data_interval_end_success"), "{error}");
        assert!(error.contains("has no value in this run"), "{error}");
        assert!(render("{{ params.regoin }}").unwrap_err().contains("has no value"));
    }

    #[test]
    fn what_is_missing_is_empty_nowhere() {
        for expression in [
            "params.nope | upper",
            "params.nope | join(',')",
            "params.nope | e",
            "params.nope | escape",
            "params.nope | pprint",
            "params.nope | default(params.nor)",
            "params.nope ~ '.json'",
            "params.nope == 'eu'",
            "['a', params.nope] | join('/')",
            "[params.nope]",
            "{'a': params.nope}",
            "params.since",
            "params.since | upper",
            "params.since ~ '.json'",
            "params.list",
            "params.list | join('/')",
            "params.rows | join(',', attribute='z')",
            "params.rows | join(',', 'x.z')",
            "params.empty | first",
            "params.nope | ds",
            "params.nope | ds_add(1)",
            "params.nope | date('%Y')",
            "none",
        ] {
            let error = Template::new(format!("raw/{{{{ {expression} }}}}").leak())
                .render(&run(), "load", 2, Zone::UTC)
                .unwrap_err()
                .to_string();
            assert!(error.contains("has no value in this run"), "{expression}: {error}");
        }
        assert!(render("{% for x in params.nope %}{{ x }}{% endfor %}").unwrap_err().contains("`params.nope` has no value"));
        assert!(render("{% if params.nope == 'eu' %}x{% endif %}").unwrap_err().contains("`params.nope` has no value"));
    }

    #[test]
    fn what_is_missing_is_named_and_not_the_filter() {
        let error = render("{{ params.nope | upper }}").unwrap_err();
        assert!(error.contains("`params.nope` has no value in this run"), "{error}");
        assert!(error.contains("`{% if params.nope %}`"), "{error}");
        let error = render("{{ params.nope | ds }}").unwrap_err();
        assert!(error.contains("what `| ds` is applied to has no value in this run"), "{error}");
        let error = render("{{ params.region | abs }}").unwrap_err();
        assert!(error.ends_with("at `abs`"), "{error}");
        let error = render("{{ params.region | ds }}").unwrap_err();
        assert!(error.contains("'eu' is not a date"), "{error}");
    }

    #[test]
    fn loops_end_at_the_limit() {
        let rendered = render("{% for x in range(3000) %}{{ x }}{% endfor %}").unwrap();
        assert!(rendered.ends_with("29982999"), "one loop over a list of thousands is well below it");
        let error = render("{% for x in range(3000) %}{% for y in range(3000) %}{% endfor %}{% endfor %}").unwrap_err();
        let large = "{% for x in range(3000) %}{{ 'x' * 1000 }}{% endfor %}";
        assert!(render(large).unwrap_err().ends_with("its text has more than 1 MiB, which is the limit"));
        assert!(
            error.ends_with("it takes more than 1000000 instructions: loop over less, or make the text in a task"),
            "{error}"
        );
    }

    #[test]
    fn an_attribute_of_each_element_is_joined() {
        assert_eq!(render("{{ params.rows | join(',', attribute='x.y') }}").unwrap(), "a,b");
        assert_eq!(render("{{ params.rows | join(',', 'x.y') }}").unwrap(), "a,b");
    }

    #[test]
    fn a_null_can_be_tested_and_defaulted() {
        assert_eq!(render("{% if params.since %}since{% else %}all{% endif %}").unwrap(), "all");
        assert_eq!(render("{{ params.since | default('all') }}").unwrap(), "all");
        assert_eq!(render("{{ params.since is defined }} {{ params.of.x }}").unwrap(), "False 1");
    }
}
