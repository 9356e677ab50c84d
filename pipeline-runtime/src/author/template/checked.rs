//! `template!` and `alert!`, which are macros of this crate so that they find it, however the user has named it.

/// A text that is rendered when its task runs, in Jinja, and checked now: syntax, variables, filters.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task]
/// async fn copy(from: String, to: String) -> Result<()> {
///     println!("{from} to {to}");
///     Ok(())
/// }
///
/// #[pipeline]
/// fn daily() {
///     copy(
///         template!("raw/export_{{ ds_nodash }}.json"),
///         template!("archive/{{ logical_date | date('%Y/%m') }}/{{ params.region | upper }}.json"),
///     );
/// }
/// # let _ = daily;
/// ```
///
/// | name | is |
/// |---|---|
/// | `ds`, `ds_nodash` | the logical date in UTC, `2024-01-31` or `20240131` |
/// | `local_ds` | the same in the zone of the pipeline's schedule |
/// | `ts`, `ts_nodash` | the same with the time, in UTC |
/// | `logical_date`, `data_interval_start`, `data_interval_end` | the run's interval |
/// | `prev_data_interval_start_success`, `prev_data_interval_end_success` | that of the last run that succeeded; test it first, as printing a missing one is an error |
/// | `run_id`, `dag.id`, `task.id`, `try_number` | who runs |
/// | `run.kind`, `run.started` | what made the run, `scheduled`, `manual`, `backfill` or `asset_triggered`, and when it began |
/// | `params.name` | a field of the pipeline's params |
///
/// What the pipeline's function knows goes in by name, as it does into `format!`: each is used, and what is used is given. It may be a text, a
/// number, or what else derives `Serialize`. The template itself may stand in a file, whose path begins at the package's folder, that of its
/// `Cargo.toml`; it is checked as well, and rebuilt when the file changes. What only a body knows goes in there, by
/// [`ctx.render`](crate::Context::render).
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// #[task] async fn export(key: String) -> Result<String> { Ok(key) }
/// #[task] async fn count(query: String) -> Result<usize> { Ok(query.len()) }
///
/// #[pipeline]
/// fn exports() {
///     for table in ["visits", "processes"] {
///         export(template!("export/{{ table }}/dt={{ ds }}.json", table = table)).named(format!("export_{table}"));
///     }
///     count(template!(file = "src/author/template/example.sql", table = "visits"));
/// }
/// # exports().check().unwrap();
/// ```
///
/// Dates are UTC, as in Airflow, and the filters leave them so: with `schedule = "@daily", timezone = "Europe/Berlin"` the interval of
/// the 31st of January starts at 23:00 UTC on the 30th, and `ds` is `2024-01-30`. The filter `local` makes a date one of the schedule's zone, for
/// the filters behind it, too: `{{ logical_date | local | ds }}`, which is `local_ds`, and `{{ data_interval_end | local | date("%H:%M") }}`.
///
/// Nothing is ever silently empty. What has no value in a run (a `prev_*` before the first success, a param that was not given or is
/// null) may be tested by `{% if .. %}` and given a value by `default(..)`; printed, filtered, joined or compared it fails the node, and
/// the error names it. A text that is empty, as a param may be, is a text.
///
/// A plain text in which one of these names stands in double braces, such as `"raw/{{ ds }}.json"`, is refused with the plan (`check`):
/// it is not rendered. A name alone in single braces, `{bucket}`, is refused in a template, as `format!` would replace it and a template does
/// not; `{a,b}`, `{"k": 1}`, `{0}` and `${HOME}` are texts. Where the braces are meant, write ``template!("{% raw %}{{ ds }}{% endraw %}")``.
///
/// The filters are minijinja's, and for dates `ds`, `ds_nodash`, `ts`, `ts_nodash`, `ds_add(7)`, `date("%Y/%m")` and `local`.
/// `{% set %}`, `{% for %}` and `{% if %}` work. The last newline is kept. A text has at most 1 MiB, and making it takes at most 1,000,000 instructions,
/// which are a few for each piece of the template and each turn of a loop; beyond that the node fails.
///
/// | mistake | error |
/// |---|---|
/// | `template!("{{ ds_nodas }}")` | `` unknown template variable `ds_nodas`; did you mean `ds_nodash`? `` |
/// | `template!("{{ ds \| uper }}")` | `` unknown template filter `uper`; did you mean `upper`? `` |
/// | `template!("raw/{ds}.json")` | `` a template's expressions have two braces: write `{{ ds }}` for `{ds}` `` |
/// | `template!("{bucket}/{{ ds }}")` | `` `{bucket}` is not replaced: .. write `{{ bucket }}`, and behind the text `bucket = bucket` `` |
/// | `template!("{{ tabel }}", table = name)` | `` unknown template variable `tabel`; did you mean `table`? `` |
/// | `template!("{{ ds }}", table = name)` | `` `table` is not in the template: .. `` |
/// | `template!("{{ execution_date }}")` | `` `execution_date` is Airflow's name: write `logical_date` `` |
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// let key = template!("raw/{{ ds_nodas }}.json");
/// ```
#[macro_export]
macro_rules! template {
    ($($text:tt)*) => {
        $crate::__private::checked_template!($crate, $($text)*)
    };
}

/// What a notifier says, in Jinja, checked now: syntax, variables, filters.
///
/// ```
/// use pipeline_runtime::prelude::*;
///
/// const CHAT: Webhook = Webhook::env("SLACK_URL").slack().text(alert!("{{ task.id }} of {{ dag.id }}: {{ error }}"));
///
/// #[task(on_failure = CHAT)]
/// async fn load() -> Result<u64> { Ok(1) }
///
/// #[pipeline(on_failure = CHAT)]
/// fn nightly() { load(); }
/// # nightly().check().unwrap();
/// ```
///
/// It has the variables and filters of a [`template!`](macro@crate::template), and what is known where somebody is told:
///
/// | name | is |
/// |---|---|
/// | `event` | `on_failure`, `on_upstream_failed`, `on_cancel`, `on_retry`, `on_success`, `on_skipped` or `on_sla_miss` |
/// | `summary` | what happened, in one sentence, such as `load of nightly failed` |
/// | `error` | the error, with the errors that led to it; of a run, the nodes that failed and their errors |
/// | `task.id`, `state` | the node, which an alert about the run does not have; the state that it, or the run, is in |
/// | `attempt`, `attempts` | the attempt, from 1, which is also `try_number`, and how many there may be |
/// | `elapsed`, `at` | how long the node, or the run, has taken so far, such as `10m 3s`; when it happened, in UTC |
/// | `pokes`, `budget_left` | how often a sensor was poked; what is left of its timeout |
/// | `inputs.key` | the node's input `key`, if it is made by a template or is a text of the params |
///
/// A constant may go in by name, as `table = TABLE`, and the text may stand in a file, `alert!(file = "alerts/failure.txt")`, whose path begins at
/// the package's folder. What a function knows is not there when somebody is told.
///
/// What an alert does not know, as `error` where nothing failed, or `task.id` where it is about the run, may be tested by `{% if task.id %}`
/// and given a value by `default(..)`. Where it is printed, nothing is lost: the notifier says what it says without a text of yours, and one warning
/// of the process says why. The same holds for a text that is empty, has more than 1 MiB or takes more than 1,000,000 instructions.
///
/// The values of secrets that the process has read are replaced by `***`.
///
/// | mistake | error |
/// |---|---|
/// | `alert!("{{ eror }}")` | `` unknown alert variable `eror`; did you mean `error`? `` |
/// | `alert!("{error}")` | `` a template's expressions have two braces: write `{{ error }}` for `{error}` `` |
/// | `alert!("{{ exception }}")` | `` `exception` is Airflow's name: write `error` `` |
/// | `template!("{{ error }}")` | `` `error` is known to alerts alone, whose texts are `alert!(..)`; .. `` |
///
/// ```compile_fail
/// # use pipeline_runtime::prelude::*;
/// let text = alert!("{{ eror }}");
/// ```
#[macro_export]
macro_rules! alert {
    ($($text:tt)*) => {
        $crate::__private::checked_alert!($crate, $($text)*)
    };
}
