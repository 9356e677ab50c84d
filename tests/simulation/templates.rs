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
    // No retry would mend it.
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
