//! Whatever may be said of other pipelines.

use pipeline_runtime::chrono::TimeDelta;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{OnFailed, StartedRun, UpstreamRun, start};
use std::time::Duration;

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Options {
    vendor: String,
}

#[task]
async fn load(vendor: String) -> Result<usize> {
    Ok(vendor.len())
}

#[sensor]
async fn arrival() -> Result<Poke<String>> {
    Ok(Poke::NotYet)
}

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
enum Route {
    Full,
    Empty,
}

#[branch]
async fn route(letters: usize) -> Result<Route> {
    Ok(if letters > 0 { Route::Full } else { Route::Empty })
}

#[pipeline(schedule = "@hourly")]
fn vendor_file(options: Options) {
    route(load(options.vendor).after(arrival()));
}

#[task]
async fn options() -> Result<Options> {
    Ok(Options::default())
}

#[task]
async fn all(run: UpstreamRun, letters: usize, arrived: Option<String>, route: Outcome<Route>) -> Result<()> {
    let _ = (run.interval().end, letters, arrived, route);
    Ok(())
}

#[task]
async fn tell(started: StartedRun) -> Result<String> {
    Ok(started.run_id().to_owned())
}

#[pipeline(schedule = "@daily")]
pub(super) fn upstream() {
    let run = run_of(vendor_file)
        .at(|interval| interval.end - TimeDelta::hours(1))
        .on_failed(OnFailed::Wait)
        .named("last_hour")
        .timeout(Duration::from_hours(1));
    all(run, run.output::<load>(), run.output::<arrival>(), run.output::<route>());
    // By its value, which a function may make.
    let ours = vendor_file();
    run_of(&ours).after(run);
    run_of(ours);
    run_of(vendor_file);
    let started = start(vendor_file, options()).retries(2);
    tell(started);
    started.finished().on_failed(OnFailed::Skip);
    start(vendor_file, Options { vendor: "acme".into() });
}
