//! The report, which waits for the other pipelines.

use super::{forecast, options, sales};
use pipeline_examples::retail::demo;
use pipeline_examples::retail::domain::Week;
use pipeline_examples::retail::import::{nightly_import, publish};
use pipeline_examples::retail::model::{demand_model, train};
use pipeline_examples::retail::report::weekly_report;
use pipeline_runtime::{NodeState, OtherRun, RunState, Simulation};
use std::process::ExitCode;
use std::time::Duration;

/// A week in which the imports of the first `days` have run; that of January 10 runs two hours into the report's run.
fn week(days: u8) -> Simulation<'static> {
    (5..5 + days).fold(Simulation::new(weekly_report()).params(options()).logical_date("2026-01-04"), |simulation, day| {
        let date = format!("2026-01-{day:02}");
        let ran = OtherRun::success().starting(&date).output::<publish>(sales(&date, u64::from(day)));
        simulation.ran(if day == 10 { "2h" } else { "0s" }, nightly_import, ran)
    })
}

#[test]
fn it_waits_for_the_last_import_and_the_last_model() {
    let model = OtherRun::success().starting("2026-01-10").output::<train>(forecast("2026-01-10"));
    let report = week(6).ran("3h", demand_model, model).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.node("write_report").started(), Some(Duration::from_hours(3)));
    // One poke at once, and one when the import ended.
    assert_eq!(report.node("import_of_saturday").pokes(), 2);
    let week = report.output::<Week>("write_report").unwrap();
    assert_eq!(week.receipts.values().sum::<u64>(), 5 + 6 + 7 + 8 + 9 + 10);
    assert_eq!(week.forecast, Some(forecast("2026-01-10")));
    assert_eq!(week.key, "reports/2026-01-04.json");
}

#[test]
fn it_does_without_the_model_and_not_without_an_import() {
    for run in [OtherRun::failed("`train`: no price"), OtherRun::failed("cancelled")] {
        let report = week(6).ran("1h", demand_model, run.starting("2026-01-10")).run();
        assert_eq!(report.output::<Week>("write_report").unwrap().forecast, None, "{}", report.timeline());
    }
    let failed = OtherRun::failed("`load[b2]`: broken").starting("2026-01-10");
    let report = week(5).ran("1h", nightly_import, failed).run();
    assert_eq!(report.state(), RunState::Failed, "{}", report.timeline());
    let error = report.node("import_of_saturday").error().unwrap().to_owned();
    assert!(error.contains("`load[b2]`: broken"), "{error}");
    assert_eq!(report.node("write_report").state(), NodeState::UpstreamFailed);
}

#[test]
fn the_demo_shows_a_week() {
    let mut out = Vec::new();
    let code = demo::Command {}.run(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{out}");
    assert!(
        out.contains("2026-01-04: closed\n2026-01-05: 5 receipts of 2 shops\n            the model expects 1254 cents\n"),
        "{out}"
    );
    assert!(out.ends_with("reports/2026-01-04.json: 30 receipts in 6 days\n"), "{out}");
}
