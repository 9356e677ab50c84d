//! `template!` and `alert!`. They are macros of this crate so that they can refer to it by `$crate`, whatever name the user gave
//! it.

/// A Jinja text that is checked at compile time (syntax, variables, filters) and rendered when its task runs.
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
/// | `prev_data_interval_start_success`, `prev_data_interval_end_success` | the interval of the last successful run; test it first, as printing a missing one is an error |
/// | `run_id`, `dag.id`, `task.id`, `try_number` | the ids of the run, the pipeline and the node, and the number of the attempt |
/// | `run.kind`, `run.started` | what created the run, `scheduled`, `manual`, `backfill` or `asset_triggered`, and when it started |
/// | `params.name` | a field of the pipeline's params |
///
/// Values of the pipeline's function are passed by name, as in `format!`: each passed value must be used, and each name that is
/// used must be passed. A value may be a text, a number, or anything else that derives `Serialize`. The template itself may be in
/// a file, whose path is relative to the package's folder, that of its `Cargo.toml`; the file is checked as well, and rebuilt
/// when it changes. Values that only a body knows are passed there, by [`ctx.render`](crate::Context::render).
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
/// Dates are in UTC, as in Airflow, and the filters keep them there: with `schedule = "@daily", timezone = "Europe/Berlin"` the
/// interval of the 31st of January starts at 23:00 UTC on the 30th, and `ds` is `2024-01-30`. The filter `local` converts a date
/// to the schedule's zone, also for the filters behind it: `{{ logical_date | local | ds }}`, which is `local_ds`, and
/// `{{ data_interval_end | local | date("%H:%M") }}`.
///
/// Nothing is ever silently empty. A name without a value in a run (a `prev_*` before the first success, a param that was not
/// given or is null) can be tested by `{% if .. %}` and given a value by `default(..)`. Printing, filtering, joining or comparing
/// it fails the node, and the error names it. An empty text, which a param may be, is a value.
///
/// A plain text that contains one of these names in double braces, such as `"raw/{{ ds }}.json"`, is refused with the plan
/// (`check`), because it is not rendered. A name alone in single braces, `{bucket}`, is refused in a template, as `format!` would
/// replace it and a template does not; `{a,b}`, `{"k": 1}`, `{0}` and `${HOME}` are allowed. To get literal braces, write
/// ``template!("{% raw %}{{ ds }}{% endraw %}")``.
///
/// The filters are minijinja's, and for dates `ds`, `ds_nodash`, `ts`, `ts_nodash`, `ds_add(7)`, `date("%Y/%m")` and `local`.
/// `{% set %}`, `{% for %}` and `{% if %}` work. The last newline is kept. A text has at most 1 MiB, and rendering it takes at
/// most 1,000,000 instructions, which are a few for each piece of the template and each turn of a loop; beyond that the node
/// fails.
///
/// | mistake | error |
/// |---|---|
/// | `template!("{{ ds_nodas }}")` | `` unknown template variable `ds_nodas`; did you mean `ds_nodash`? `` |
/// | `template!("{{ ds \| uper }}")` | `` unknown template filter `uper`; did you mean `upper`? `` |
/// | `template!("raw/{ds}.json")` | `` template expressions need double braces: write `{{ ds }}` for `{ds}` `` |
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

/// A notifier's text in Jinja, checked at compile time: syntax, variables, filters.
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
/// It has the variables and filters of a [`template!`](macro@crate::template), and the values of the notification:
///
/// | name | is |
/// |---|---|
/// | `event` | `on_failure`, `on_upstream_failed`, `on_cancel`, `on_retry`, `on_success`, `on_skipped` or `on_sla_miss` |
/// | `summary` | what happened, in one sentence, such as `load of nightly failed` |
/// | `error` | the error, followed by the errors that caused it; for a run, the nodes that failed and their errors |
/// | `task.id`, `state` | the node, missing in an alert about the run; the state of the node, or of the run |
/// | `attempt`, `attempts` | the attempt, from 1, which is also `try_number`, and how many there may be |
/// | `elapsed`, `at` | how long the node, or the run, has taken so far, such as `10m 3s`; when the event happened, in UTC |
/// | `pokes`, `budget_left` | how often a sensor was poked; what is left of its timeout |
/// | `inputs.key` | the node's input `key`, if it comes from a template or is a text of the params |
///
/// A constant may be passed by name, as `table = TABLE`, and the text may be in a file, `alert!(file = "alerts/failure.txt")`,
/// whose path is relative to the package's folder. Local values of a function cannot be passed, because the text is rendered when
/// a notification is delivered.
///
/// A name without a value in an alert, such as `error` if nothing failed, or `task.id` if it is about the run, can be tested by
/// `{% if task.id %}` and given a value by `default(..)`. If it is printed, no notification is lost: the notifier uses its
/// default text, and the process logs one warning with the reason. The same happens if the text is empty, has more than 1 MiB or
/// takes more than 1,000,000 instructions.
///
/// The values of secrets that the process has read are replaced by `***`.
///
/// | mistake | error |
/// |---|---|
/// | `alert!("{{ eror }}")` | `` unknown alert variable `eror`; did you mean `error`? `` |
/// | `alert!("{error}")` | `` template expressions need double braces: write `{{ error }}` for `{error}` `` |
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
