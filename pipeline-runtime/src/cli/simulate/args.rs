//! The arguments of `simulate`, and the notation of each option's value.

#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes, reason = "these comments are the help, shown as they stand")]

use crate::cli::common_args::{RunInputArgs, key_value};
use crate::cli::durations::duration;
use crate::{OtherRun, RunState};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SimulateArgs {
    /// The pipeline; may be omitted if it is the only one
    pub(super) pipeline: Option<String>,
    #[command(flatten)]
    pub(super) inputs: RunInputArgs,
    /// Put the contents of FILE at this URL, this long after the start: 7m=data-bucket/raw/x.json:x.json; may be repeated
    ///
    /// A URL without a scheme is a memory:// URL; file:///PATH writes a real file. The URL ends at its first colon.
    #[arg(long = "arrive", value_name = "WHEN=URL:FILE", value_parser = arrival)]
    pub(super) arrivals: Vec<Arrival>,
    /// A run of another pipeline has ended, this long after the start: 3m=counts, 3m=counts='{"count": 7}'; may be repeated
    ///
    /// It succeeded, and each task named in the JSON returned that value, unless HOW is `failed` or `failed: ERROR`. It is the
    /// run of the same data interval; counts@2024-03-25 is the run of another one.
    #[arg(long = "ran", value_name = "WHEN=PIPELINE[@DATE][=HOW]", value_parser = other_run)]
    pub(super) ran: Vec<OtherPipelineRun>,
    /// Update an asset with this value, this long after the start: 0s=rates='{"eur": 7}'; may be repeated
    #[arg(long = "updated", value_name = "WHEN=ASSET=JSON", value_parser = asset_update)]
    pub(super) updates: Vec<AssetUpdate>,
    /// Fail this attempt of a node with this error, without calling its body: load@1='503'; may be repeated
    #[arg(long = "fail", value_name = "NODE@ATTEMPT=ERROR", value_parser = failure)]
    pub(super) failures: Vec<Failure>,
    /// Let a node succeed at once with this value, without calling its body: load='{"rows": 7}'; may be repeated
    ///
    /// The value is the task's result as JSON. `upload` means all elements of a mapping, `upload[3]` one of them.
    #[arg(long = "stub", value_name = "NODE=JSON", value_parser = stub)]
    pub(super) stubs: Vec<(String, serde_json::Value)>,
    /// Give a setting this value, in the form that `settings set` takes, instead of its default: limit=200; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = key_value)]
    pub(super) settings: Vec<(String, String)>,
    /// Each operation on a bucket takes this long, or a random time in a range: data-bucket=2s, data-bucket=50ms..2s; may be
    /// repeated
    #[arg(long = "latency", value_name = "BUCKET=TIME", value_parser = latency)]
    pub(super) latencies: Vec<(String, String)>,
    /// A bucket is unreachable between two times: data-bucket=5m..20m; may be repeated
    ///
    /// A bucket without a scheme is a memory:// bucket, here and for --latency.
    #[arg(long = "outage", value_name = "BUCKET=FROM..UNTIL", value_parser = outage)]
    pub(super) outages: Vec<Outage>,
    /// Seed of all jitter and all random latencies
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Print run metrics and write them to FILE: JSON if it ends in .json, otherwise Prometheus text
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,
}

/// `--arrive`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) when: String,
    pub(super) url: String,
    pub(super) file: PathBuf,
}

/// `--fail`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) node: String,
    pub(super) attempt: u32,
    pub(super) error: String,
}

/// `--ran`
#[derive(Debug, Clone)]
pub(super) struct OtherPipelineRun {
    pub(super) when: String,
    pub(super) pipeline: String,
    pub(super) run: OtherRun,
}

/// `--updated`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AssetUpdate {
    pub(super) when: String,
    pub(super) asset: String,
    pub(super) value: serde_json::Value,
}

/// `--outage`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) bucket: String,
    pub(super) from: String,
    pub(super) until: String,
}

fn arrival(text: &str) -> Result<Arrival, String> {
    let form = || "write WHEN=URL:FILE, as in `7m=data-bucket/raw/x.json:x.json`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    embedded_duration(when)?;
    let (scheme, rest) = rest.split_once("://").unwrap_or(("memory", rest));
    let (object, file) = rest.split_once(':').ok_or_else(form)?;
    if object.is_empty() || file.is_empty() {
        return Err(form());
    }
    Ok(Arrival { when: when.to_owned(), url: format!("{scheme}://{object}"), file: file.into() })
}

/// Parses a duration that is only part of an argument, so the error quotes it.
fn embedded_duration(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|why| format!("`{text}` is not a duration: {why}"))
}

/// Parses JSON that is part of an argument.
fn embedded_json(json: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(json).map_err(|error| format!("`{json}` is not valid JSON: {error}; write a text in quotes"))
}

/// Parses a time, or a range whose end is not before its start.
fn range(text: &str) -> Result<(&str, &str), String> {
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    if embedded_duration(until)? < embedded_duration(from)? {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok((from, until))
}

/// Splits `BUCKET=WHAT` into the bucket's URL and the rest.
fn bucket_and_value(text: &str) -> Option<(String, &str)> {
    let (bucket, what) = text.rsplit_once('=').filter(|(bucket, _)| !bucket.is_empty())?;
    Some((if bucket.contains("://") { bucket.to_owned() } else { format!("memory://{bucket}") }, what))
}

fn latency(text: &str) -> Result<(String, String), String> {
    let form = || "write BUCKET=TIME, as in `data-bucket=2s` or `data-bucket=50ms..2s`".to_owned();
    let (bucket, latency) = bucket_and_value(text).ok_or_else(form)?;
    range(latency)?;
    Ok((bucket, latency.to_owned()))
}

fn outage(text: &str) -> Result<Outage, String> {
    let form = || "write BUCKET=FROM..UNTIL, as in `data-bucket=5m..20m`".to_owned();
    let (bucket, times) = bucket_and_value(text).ok_or_else(form)?;
    match range(times)? {
        (from, until) if from != until => Ok(Outage { bucket, from: from.to_owned(), until: until.to_owned() }),
        _ => Err(form()),
    }
}

fn failure(text: &str) -> Result<Failure, String> {
    let form = || "write NODE@ATTEMPT=ERROR, as in `load@1=503`".to_owned();
    let (at, error) = text.split_once('=').ok_or_else(form)?;
    let (node, attempt) = at.rsplit_once('@').ok_or_else(form)?;
    let attempt: u32 =
        attempt.parse().map_err(|_| format!("`{attempt}` is not an attempt: attempts count from 1; {}", form()))?;
    if node.is_empty() || attempt == 0 {
        return Err(format!("attempts count from 1, and the node must be named; {}", form()));
    }
    Ok(Failure { node: node.to_owned(), attempt, error: error.to_owned() })
}

fn other_run(text: &str) -> Result<OtherPipelineRun, String> {
    let form = || "write WHEN=PIPELINE, WHEN=PIPELINE='{\"task\": 7}' or WHEN=PIPELINE=failed, as in `3m=counts`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    embedded_duration(when)?;
    let (of, how) = rest.split_once('=').map_or((rest, None), |(of, how)| (of, Some(how)));
    let (pipeline, date) = of.split_once('@').map_or((of, None), |(of, date)| (of, Some(date)));
    if pipeline.is_empty() || date.is_some_and(str::is_empty) {
        return Err(form());
    }
    let run = how.map_or_else(|| Ok(OtherRun::success()), |how| run_end(how).map_err(|why| format!("{why}; {}", form())))?;
    let run = date.map_or_else(|| run.clone(), |date| run.clone().starting(date));
    Ok(OtherPipelineRun { when: when.to_owned(), pipeline: pipeline.to_owned(), run })
}

/// Parses how a run of another pipeline ended.
fn run_end(how: &str) -> Result<OtherRun, String> {
    match how.split_once(':').map_or((how, None), |(state, error)| (state, Some(error.trim_start()))) {
        ("success", None) => Ok(OtherRun::success()),
        ("failed", None) => Ok(RunState::Failed.into()),
        ("failed", Some(error)) => Ok(OtherRun::failed(error)),
        _ if how.starts_with('{') => {
            let read: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(how).map_err(|error| format!("`{how}` is not valid JSON: {error}"))?;
            Ok(read.iter().fold(OtherRun::success(), |run, (task, value)| run.output_json(task, value)))
        }
        _ => Err(format!("`{how}` is not an end of a run")),
    }
}

fn asset_update(text: &str) -> Result<AssetUpdate, String> {
    let form = || "write WHEN=ASSET=JSON, as in `0s=rates='{\"eur\": 7}'`".to_owned();
    let (when, rest) = text.split_once('=').ok_or_else(form)?;
    embedded_duration(when)?;
    let (asset, json) = rest.split_once('=').filter(|(asset, _)| !asset.is_empty()).ok_or_else(form)?;
    Ok(AssetUpdate { when: when.to_owned(), asset: asset.to_owned(), value: embedded_json(json)? })
}

fn stub(text: &str) -> Result<(String, serde_json::Value), String> {
    let form = || "write NODE=JSON, as in `load='{\"rows\": 7}'`".to_owned();
    let (node, json) = text.split_once('=').filter(|(node, _)| !node.is_empty()).ok_or_else(form)?;
    Ok((node.to_owned(), embedded_json(json)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_is_a_time_an_object_and_a_file() {
        let of = |text| arrival(text).map(|arrival| (arrival.when, arrival.url, arrival.file));
        let memory = Ok(("7m".into(), "memory://data/raw/x.json".into(), "here/x.json".into()));
        assert_eq!(of("7m=data/raw/x.json:here/x.json"), memory);
        assert_eq!(of("7m=memory://data/raw/x.json:here/x.json"), memory);
        assert_eq!(of("0s=file:///tmp/x:C:\\x").unwrap().2, PathBuf::from("C:\\x"));
        assert!(of("soon=data/x:x").unwrap_err().starts_with("`soon` is not a duration"));
        assert!(of("7m=data/x").unwrap_err().starts_with("write WHEN=URL:FILE"));
    }

    #[test]
    fn a_latency_and_an_outage_are_of_a_bucket() {
        let two = |bucket: &str, time: &str| Ok((bucket.to_owned(), time.to_owned()));
        assert_eq!(latency("data=2s"), two("memory://data", "2s"));
        assert_eq!(latency("file:///a=b/data=50ms..2s"), two("file:///a=b/data", "50ms..2s"));
        assert!(latency("2s").unwrap_err().starts_with("write BUCKET=TIME"));
        assert!(latency("data=2").unwrap_err().starts_with("`2` is not a duration"));
        let down = Outage { bucket: "memory://data".into(), from: "5m".into(), until: "20m".into() };
        assert_eq!(outage("data=5m..20m"), Ok(down));
        assert!(outage("data=5m").unwrap_err().starts_with("write BUCKET=FROM..UNTIL"));
        assert_eq!(outage("data=20m..5m").unwrap_err(), "`20m..5m` ends before it begins");
    }

    #[test]
    fn a_stub_is_a_node_and_json() {
        assert_eq!(stub("upload[3]={\"a\": \"=\"}"), Ok(("upload[3]".into(), serde_json::json!({ "a": "=" }))));
        assert!(stub("load").unwrap_err().starts_with("write NODE=JSON"));
        assert!(stub("load=done").unwrap_err().starts_with("`done` is not valid JSON: "));
    }

    #[test]
    fn a_failure_is_a_node_an_attempt_and_an_error() {
        let of = |text| failure(text).map(|failure| (failure.node, failure.attempt, failure.error));
        assert_eq!(of("upload[3]@2=503: a=b"), Ok(("upload[3]".into(), 2, "503: a=b".into())));
        assert!(of("load=503").unwrap_err().starts_with("write NODE@ATTEMPT=ERROR"));
        assert!(of("load@0=503").unwrap_err().starts_with("attempts count from 1"));
    }
}
