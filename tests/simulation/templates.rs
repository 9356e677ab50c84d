//! Templates, rendered when an attempt starts.

use super::tasks::*;
use pipeline_runtime::NodeState::Failed;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Simulation, Template};

#[task(retries = 2, retry_delay = "1m")]
async fn echo(text: String, fail_until: u32, ctx: Context) -> Result<String> {
    if ctx.attempt() < fail_until { Err("503".into()) } else { Ok(text) }
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Options {
    region: String,
    batch: u64,
    since: Option<String>,
}
impl Default for Options {
    fn default() -> Self {
        Self { region: "eu".into(), batch: 100, since: None }
    }
}

#[pipeline(schedule = "30 6 * * *")]
fn rendered(_options: Options) {
    let wire = |text: Template, id: &str| echo(text, 1u32).named(id);
    wire(template!("{{ ds }} {{ ds_nodash }} {{ ts }}"), "dates");
    wire(template!("{{ data_interval_end | date('%d.%m. %H:%M') }} {{ ds | ds_add(-1) }}"), "filters");
    wire(template!("{{ params.region }}/{{ params.batch }} of {{ dag.id }}"), "params");
    wire(
        template!("{% if prev_data_interval_end_success %}since {{ prev_data_interval_end_success }}{% else %}all{% endif %}"),
        "tested",
    );
    wire(template!("since {{ prev_data_interval_end_success }}"), "printed");
    wire(template!("{{ prev_data_interval_start_success | default('never') }}"), "defaulted");
    echo(template!("{{ task.id }} {{ try_number }}"), 3u32).named("attempt");
    wire(template!("{{ params.since }}"), "null");
    wire(template!("{{ params.since | default('ever') }}"), "null_defaulted");
    wire(template!("{% raw %}{{ ds }}{% endraw %}"), "raw");
    numbers(2u64).each(|_| echo(template!("{{ task.id }}"), 1u32).named("mapped"));
}

fn text(report: &pipeline_runtime::RunReport, id: &str) -> String {
    report.output::<String>(id).unwrap_or_else(|| panic!("{id}: {:?}", report.node(id).error()))
}

#[test]
fn variables_filters_and_params_have_the_runs_values() {
    let report =
        Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").params(Options { batch: 7, ..Options::default() }).run();
    assert_eq!(text(&report, "dates"), "2024-03-25 20240325 2024-03-25T06:30:00+00:00");
    assert_eq!(text(&report, "filters"), "26.03. 06:30 2024-03-24");
    assert_eq!(text(&report, "params"), "eu/7 of rendered");
    assert_eq!(text(&report, "mapped[1]"), "mapped[1]");
}

#[test]
fn each_attempt_is_rendered_anew() {
    let report = Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").run();
    assert_eq!(text(&report, "attempt"), "attempt 3");
}

#[test]
fn what_is_missing_may_be_tested_and_defaulted_and_printing_it_is_an_error_that_names_it() {
    let report = Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").run();
    assert_eq!((text(&report, "tested").as_str(), text(&report, "defaulted").as_str()), ("all", "never"));
    let printed = report.node("printed");
    // A retry would not help.
    assert_eq!((printed.state(), printed.attempts()), (Failed, 1));
    let error = printed.error().unwrap();
    assert!(error.contains("`prev_data_interval_end_success` has no value in this run"), "{error}");
    assert!(error.contains("the template \"since {{ prev_data_interval_end_success }}\""), "{error}");
}

#[test]
fn a_param_that_is_null_has_no_value() {
    let report = Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").run();
    let null = report.node("null");
    assert_eq!((null.state(), null.attempts()), (Failed, 1));
    assert!(null.error().unwrap().contains("`params.since` has no value in this run"), "{:?}", null.error());
    assert_eq!(text(&report, "null_defaulted"), "ever");
}

#[test]
fn a_text_with_braces_is_passed_on_as_it_is_where_that_is_said() {
    let report = Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").run();
    assert_eq!(text(&report, "raw"), "{{ ds }}");
}

#[test]
fn after_a_success_it_has_a_value() {
    let simulation = Simulation::new(rendered()).logical_date("2024-03-25T06:30:00Z").previous_success("2024-03-23T06:30:00Z");
    let report = simulation.run();
    assert_eq!(text(&report, "printed"), "since 2024-03-24T06:30:00+00:00");
    assert_eq!(text(&report, "tested"), "since 2024-03-24T06:30:00+00:00");
    assert_eq!(text(&report, "defaulted"), "2024-03-23T06:30:00+00:00");
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Column {
    name: String,
}

#[task]
async fn lines(texts: Vec<String>) -> Result<String> {
    Ok(texts.join("|"))
}
#[task]
async fn within(ctx: Context, table: String) -> Result<String> {
    ctx.render(&template!(
        "{{ table }} of {{ task.id }} on {{ local_ds }} in {{ zone }}",
        table = table,
        zone = ctx.timezone().name()
    ))
}
#[task]
async fn without_a_value(ctx: Context) -> Result<String> {
    ctx.render(&template!("{{ params.since }}"))
}

const LOCAL: Template = template!("{{ ds }} {{ local_ds }} {{ logical_date | local | date('%H:%M') }}");

#[pipeline(schedule = "@daily", timezone = "Europe/Berlin")]
fn given(options: Options) {
    let columns = vec![Column { name: "a".into() }, Column { name: "b".into() }];
    for table in ["visits", "processes"] {
        echo(template!("export/{{ table }}/dt={{ ds }}.json", table = table), 1u32).named(format!("export_{table}"));
    }
    let query = template!(file = "simulation/templates/enrich.sql", columns = &columns, limit = options.batch + 1);
    echo(&query, 1u32).named("query");
    echo(query, 1u32).named("again");
    echo(LOCAL, 1u32).named("local");
    lines([template!("{{ ds }}"), "plain".into(), template!("{{ n }}", n = 1), String::from("{x}").into()]);
    within("visits");
    without_a_value().retries(3);
    echo(template!("{{ region | default('none') }}", region = options.since), 1u32).named("null");
}

#[test]
fn what_the_function_and_the_body_know_goes_in_by_name() {
    let report = Simulation::new(given()).logical_date("2024-03-25T23:00:00Z").run();
    assert_eq!(text(&report, "export_visits"), "export/visits/dt=2024-03-25.json");
    assert_eq!(text(&report, "export_processes"), "export/processes/dt=2024-03-25.json");
    let query = "SELECT a, b\nFROM enriched\nWHERE day = '2024-03-26' LIMIT 101;\n";
    assert_eq!((text(&report, "query"), text(&report, "again")), (query.to_owned(), query.to_owned()));
    assert_eq!(text(&report, "local"), "2024-03-25 2024-03-26 00:00");
    assert_eq!(text(&report, "lines"), "2024-03-25|plain|1|{x}");
    assert_eq!(text(&report, "within"), "visits of within on 2024-03-26 in Europe/Berlin");
    assert_eq!(text(&report, "null"), "none");
    let failed = report.node("without_a_value");
    assert_eq!((failed.state(), failed.attempts()), (Failed, 1), "no retry would help");
    assert!(failed.error().unwrap().contains("`params.since` has no value in this run"));
}

#[test]
fn a_plain_text_in_a_list_that_looks_like_a_template_is_refused() {
    #[pipeline]
    fn mixed() {
        lines([template!("{{ ds }}"), "raw/{{ ds }}".into()]);
    }
    let problems = mixed().check().unwrap_err().to_string();
    assert!(problems.contains("`lines` is given a plain text as `texts`, in which `{{ ds }}` is not rendered"), "{problems}");
}
