//! `forecast`

use super::args::ForecastArgs;
use super::durations::brief;
use super::{choose, output};
use crate::host::{Forecast, Supposed};
use crate::read::JournalReader;
use crate::time::Timestamp;
use crate::{Clock, Pipeline};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(pipelines: &[Pipeline], asked: &ForecastArgs, journal: &Path) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, asked.pipeline.as_deref())?;
    let supposed = supposed(asked, pipeline)?;
    // A pipeline that has never run has a schedule all the same.
    let reader = journal.exists().then(|| JournalReader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let forecast =
        Forecast::of(reader.as_ref(), pipeline, &supposed, Clock::system().now()).map_err(|error| error.to_string())?;
    if asked.json {
        output::json(&forecast.to_json());
        return Ok(ExitCode::SUCCESS);
    }
    output::to_stdout(&table(&forecast));
    let takes = if forecast.takes.is_zero() { "no time".to_owned() } else { brief(forecast.takes) };
    output::to_stdout(&format!("\ntimes are in {}; a run is assumed to take {takes}", forecast.zone.name()));
    if reader.is_none() {
        let journal = journal.display();
        output::to_stdout(&format!("note: there is no journal {journal}, so the pipeline is taken as one that has never run"));
    }
    for note in &forecast.notes {
        output::to_stdout(&format!("note: {note}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn supposed(asked: &ForecastArgs, pipeline: &Pipeline) -> Result<Supposed, String> {
    let ForecastArgs { pipeline: _, ticks, until, takes, stopped, paused, fails, options, json: _ } = asked;
    let once = [("ticks", ticks), ("until", until), ("takes", takes)];
    let once = once.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?)));
    let often = [("stopped", stopped), ("paused", paused), ("fail", fails), ("set", options)];
    let often = often.iter().flat_map(|(name, texts)| texts.iter().map(|text| (*name, text.as_str())));
    Supposed::of(once.chain(often), pipeline.zone()).map_err(|error| format!("--{error}"))
}

fn table(forecast: &Forecast) -> String {
    let time = |at: Timestamp| at.to_utc().with_timezone(&forecast.zone).format("%Y-%m-%d %H:%M:%S %:z").to_string();
    let mut rows = vec![["interval starts", "due", "begins", "ends", "state", "run", "why"].map(str::to_owned)];
    rows.extend(forecast.rows.iter().map(|row| {
        let due = Timestamp::from(row.interval.end);
        let begins = match row.begins {
            Some(begins) if begins == due => "when due".to_owned(),
            begins => begins.map(time).unwrap_or_default(),
        };
        let run = row.run.clone().unwrap_or_else(|| row.kind.name().to_owned());
        [
            time(row.interval.start.into()),
            time(due),
            begins,
            row.ends.map(time).unwrap_or_default(),
            row.state.to_owned(),
            run,
            row.why.clone().unwrap_or_default(),
        ]
    }));
    output::table(&rows)
}
