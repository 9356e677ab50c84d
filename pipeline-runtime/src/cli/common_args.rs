//! Arguments that several commands have.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use super::progress::Progress;
use crate::plan::DEFAULT_PARALLELISM;
use std::path::PathBuf;

/// How runs are executed.
#[derive(Debug, clap::Args)]
pub(super) struct ExecutionArgs {
    /// Maximum number of concurrent attempts of nodes that are in no pool
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLELISM, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) parallelism: u32,
    /// Print one JSON object per line and event; the last one has the result of the run
    #[arg(long)]
    pub(super) json: bool,
}

/// The params of a run.
#[derive(Debug, clap::Args)]
pub(super) struct ParamArgs {
    /// Set a param, or one inside an object with `of.region=eu`: a text, or JSON where its type is a list or an object; may be
    /// repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) params: Vec<(String, String)>,
    /// Set params from a JSON object; --param overrides it, and what neither sets has its default, also in nested objects
    #[arg(long = "params", value_name = "FILE.json")]
    pub(super) file: Option<PathBuf>,
}

/// The logical date and the params of a run.
#[derive(Debug, clap::Args)]
pub(super) struct RunInputArgs {
    /// The data interval that starts on this day: 2024-03-25; or that contains this time: 2024-03-25T06:00, 2024-03-25T06:00:00Z
    ///
    /// Days, and times without an offset, are in the pipeline's time zone. A day on which no interval starts, or more than one,
    /// is refused. Without a schedule a day means its midnight. The default is the last complete interval; for a pipeline without
    /// a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).
    #[arg(long, value_name = "D")]
    pub(super) logical_date: Option<String>,
    #[command(flatten)]
    pub(super) params: ParamArgs,
}

impl ExecutionArgs {
    pub(super) fn progress(&self) -> Progress {
        if self.json { Progress::Json } else { Progress::Auto }
    }
}

/// Parses `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in `--param region=eu`".into()),
    }
}
