//! `forecast`: lists the runs that a schedule would begin.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::durations::brief;
use super::{choose, output};
use crate::host::{Forecast, ForecastAssumptions};
use crate::read::JournalReader;
use crate::time::Timestamp;
use crate::{Clock, Pipeline};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct ForecastArgs {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    /// Number of ticks to forecast, at most 500; defaults to 20
    #[arg(long, value_name = "N")]
    pub(super) ticks: Option<String>,
    /// Forecast until this time, but at most 500 ticks: 2026-03-31, 2026-03-31T06:00; dates are in the schedule's time zone
    #[arg(long, value_name = "DATE", conflicts_with = "ticks")]
    pub(super) until: Option<String>,
    /// Duration of a run: 20m; defaults to the median of the last 20 that succeeded
    #[arg(long, value_name = "TIME")]
    pub(super) takes: Option<String>,
    /// No process serves during this time: 2026-03-28T06:00..2026-03-31, ..2026-03-31, 2026-03-28..; may be repeated
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) stopped: Vec<String>,
    /// The pipeline is paused during this time, and not after it; may be repeated
    ///
    /// A pipeline that is paused now stays paused until the first of these times ends, and forever without one. `..now` means that it
    /// is unpaused now.
    #[arg(long, value_name = "FROM..UNTIL")]
    pub(super) paused: Vec<String>,
    /// The run of the interval that starts on this day or at this time fails; dates are as for --logical-date; may be repeated
    #[arg(long = "fail", value_name = "DATE")]
    pub(super) fails: Vec<String>,
    /// An option of the pipeline has another value: catchup=true; the options are catchup, `depends_on_past` and
    /// `max_active_runs`; may be repeated
    #[arg(long = "set", value_name = "OPTION=VALUE")]
    pub(super) options: Vec<String>,
    /// Print one JSON object with all rows and notes
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(pipelines: &[Pipeline], args: &ForecastArgs, journal: &Path) -> Result<ExitCode, String> {
    let pipeline = choose::one(pipelines, args.pipeline.as_deref())?;
    let assumptions = assumptions(args, pipeline)?;
    // A pipeline that has never run has a schedule all the same.
    let reader = journal.exists().then(|| JournalReader::open(journal)).transpose().map_err(|error| error.to_string())?;
    let forecast =
        Forecast::of(reader.as_ref(), pipeline, &assumptions, Clock::system().now()).map_err(|error| error.to_string())?;
    if args.json {
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

fn assumptions(args: &ForecastArgs, pipeline: &Pipeline) -> Result<ForecastAssumptions, String> {
    let ForecastArgs { pipeline: _, ticks, until, takes, stopped, paused, fails, options, json: _ } = args;
    let once = [("ticks", ticks), ("until", until), ("takes", takes)];
    let once = once.iter().filter_map(|(name, text)| Some((*name, text.as_deref()?)));
    let often = [("stopped", stopped), ("paused", paused), ("fail", fails), ("set", options)];
    let often = often.iter().flat_map(|(name, texts)| texts.iter().map(|text| (*name, text.as_str())));
    ForecastAssumptions::of(once.chain(often), pipeline.zone()).map_err(|error| format!("--{error}"))
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
