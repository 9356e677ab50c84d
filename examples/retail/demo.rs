//! A week of the three pipelines, in a folder of its own: each day is imported, the model follows by itself, and the report waits
//! for all of them.

use super::Options;
use super::domain::{DaySales, Forecast, Week};
use super::import::nightly_import;
use super::model::demand_model;
use super::report::weekly_report;
use pipeline_runtime::chrono::{Days, NaiveDate};
use pipeline_runtime::read::RunFilter;
use pipeline_runtime::{Host, RunKind, RunState, Secret};
use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The help text of `demo`.
pub const ABOUT: &str = "Runs the three pipelines for a week of days, in a folder of its own, and shows the week's report";

/// The command `demo`.
#[derive(Debug, clap::Parser)]
#[command(about = ABOUT)]
pub struct Command {}

/// The Sunday on which the week begins.
const SUNDAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 4).expect("a day of the calendar");
/// The token that the demo's portal accepts.
const TOKEN: &str = "only-for-the-demo";
/// The portal's client: writes prices to `PIPELINE_OUT` if the token is right.
const PORTAL: &str = r#"#!/bin/sh
[ "$PORTAL_TOKEN" = only-for-the-demo ] || { echo "401 who are you?" >&2; exit 100; }
echo "prices of $2"
echo '{"items": {"milk": 119, "bread": 249, "tea": 399}}' >"$PIPELINE_OUT"
"#;

type Failure = Box<dyn Error + Send + Sync>;

impl Command {
    /// Runs the pipelines.
    pub fn run(&self, out: &mut impl Write) -> Result<ExitCode, Failure> {
        let folder = tempfile::tempdir()?;
        let options = Options {
            store: format!("file://{}", folder.path().join("retail").display()),
            portal: folder.path().join("portal").display().to_string(),
            portal_token: secret_in(&folder.path().join("token"))?,
        };
        seed(folder.path())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(week(&options, &folder.path().join("journal.db"), out))
    }
}

/// The demo's token, in a file. In production `Secret::file(..)` and `Secret::env(..)` refer to an existing secret.
fn secret_in(file: &Path) -> Result<Secret, Failure> {
    fs::write(file, TOKEN)?;
    Ok(serde_json::from_value(format!("file:{}", file.display()).into())?)
}

/// Writes the shops' exports of six days, with a receipt that was sent twice, and the portal's client.
fn seed(folder: &Path) -> Result<(), Failure> {
    let store = folder.join("retail");
    fs::create_dir_all(store.join("raw"))?;
    fs::write(store.join("shops.json"), r#"[{"id": "hh1", "city": "Hamburg"}, {"id": "b2", "city": "Berlin"}]"#)?;
    for day in days().skip(1) {
        let of_day = store.join("raw").join(day.to_string());
        fs::create_dir(&of_day)?;
        fs::write(of_day.join("hh1.csv"), "1,milk\n1,bread\n2,tea\n2,tea\n")?;
        fs::write(of_day.join("b2.csv"), "1,milk\n2,milk\n3,bread\n")?;
    }
    let portal = folder.join("portal");
    fs::write(&portal, PORTAL)?;
    fs::set_permissions(&portal, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn days() -> impl Iterator<Item = NaiveDate> {
    (0..7).map(|number| SUNDAY + Days::new(number))
}

/// Triggers each day's import. The model is not triggered: it begins when sales and prices have been updated.
async fn week(options: &Options, journal: &Path, out: &mut impl Write) -> Result<ExitCode, Failure> {
    let pipelines = || [nightly_import(), demand_model(), weekly_report()].map(|pipeline| pipeline.with_params(options.clone()));
    // Without the pauses, the scheduler would start runs for the present days.
    let host = Host::builder(pipelines()).journal(journal).start().await?;
    host.pause("nightly_import").await?;
    host.pause("weekly_report").await?;
    host.shutdown().await?;
    let host = Host::builder(pipelines()).journal(journal).follow_schedules(true).start().await?;

    let report = host.trigger("weekly_report", (), Some(&SUNDAY.to_string())).await?;
    writeln!(out, "the report of the week waits for six imports")?;
    for day in days() {
        let run = host.trigger("nightly_import", (), Some(&day.to_string())).await?;
        let run = host.wait(&run).await?;
        match run.node("publish").map(|node| node.output::<DaySales>()).transpose()?.flatten() {
            Some(sales) => {
                writeln!(out, "{day}: {} receipts of {} shops", sales.receipts, sales.shops)?;
                if let Some(forecast) = model_of(&host, day).await? {
                    writeln!(out, "            the model expects {} cents", forecast.revenue)?;
                }
            }
            None => writeln!(out, "{day}: closed")?,
        }
    }
    let report = host.wait(&report).await?;
    if let Some(week) = report.node("write_report").map(|node| node.output::<Week>()).transpose()?.flatten() {
        let total: u64 = week.receipts.values().sum();
        writeln!(out, "{}: {total} receipts in {} days", week.key, week.receipts.len())?;
    }
    host.shutdown().await?;
    Ok(if report.state() == RunState::Success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The forecast of the model's run that the updates of this day have started.
async fn model_of(host: &Host, day: NaiveDate) -> Result<Option<Forecast>, Failure> {
    for _ in 0..600 {
        let runs = host.read(|journal| journal.runs(&RunFilter::new().pipeline("demand_model").kind(RunKind::AssetTriggered)));
        if let Some(run) = runs.await?.into_iter().find(|run| run.interval().start.date_naive() == day) {
            let run = host.wait(&pipeline_runtime::RunRef::new("demand_model", run.run_id())).await?;
            return Ok(run.node("train").map(|node| node.output()).transpose()?.flatten());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(None)
}
