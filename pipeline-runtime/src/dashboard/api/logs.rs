//! Log lines of a run's attempts.

use super::{Args, Problem, Site, date, found};
use crate::read::{LogFilter, LogLine, ReadError, RunSummary};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// The longest page, and how many lines a search scans.
const PAGE: u32 = 10_000;
const SEARCHED: u32 = 200_000;
/// The longest text of a whole log, in bytes.
const TEXT: usize = 16 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    node: Option<String>,
    attempt: Option<u32>,
    after: Option<i64>,
    before: Option<i64>,
    q: Option<String>,
    level: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn logs(
    State(site): State<Arc<Site>>,
    Path((pipeline, run)): Path<(String, String)>,
    Args(asked): Args<Asked>,
) -> Result<Json<Value>, Problem> {
    site.readers
        .read(move |reader| {
            let run = found(reader, &pipeline, &run)?;
            let limit = asked.limit.unwrap_or(1_000).clamp(1, PAGE);
            let (node, key) = (asked.node.as_deref().filter(|node| !node.is_empty()), run.stored().key);
            let is_searched =
                asked.q.as_deref().is_some_and(|q| !q.is_empty()) || asked.level.as_deref().is_some_and(|l| !l.is_empty());
            let most = if is_searched { SEARCHED } else { limit };
            let lines = match asked.after {
                Some(after) => reader.journal().logs(key, node, asked.attempt, after, most),
                None => reader.journal().lines_before(key, node, asked.attempt, asked.before.unwrap_or(i64::MAX), most),
            };
            let mut lines: Vec<LogLine> = lines.map_err(ReadError::from)?.into_iter().map(LogLine::of).collect();
            let is_whole = lines.len() < most as usize;
            if is_searched {
                lines.retain(|line| is_wanted(line, &asked));
            }
            // A tail keeps the last lines; a page after a line keeps the first.
            let cut = lines.len().saturating_sub(limit as usize);
            let earlier = cut > 0 || asked.after.is_none() && !is_whole;
            if asked.after.is_none() {
                lines.drain(..cut);
            } else {
                lines.truncate(limit as usize);
            }
            let last = lines.last().map(LogLine::number);
            let lines: Vec<Value> = lines.iter().map(told).collect();
            Ok(Json(json!({ "lines": lines, "earlier": earlier, "last": last })))
        })
        .await
}

fn is_wanted(line: &LogLine, asked: &Asked) -> bool {
    let has = |q: &str| line.text().to_lowercase().contains(&q.to_lowercase());
    let rank =
        |level: &str| ["error", "warn", "info", "debug", "trace"].iter().position(|known| known.eq_ignore_ascii_case(level));
    let is_grave = |least: &str| rank(least).is_none_or(|least| rank(line.level()).is_some_and(|rank| rank <= least));
    asked.q.as_deref().is_none_or(has) && asked.level.as_deref().is_none_or(is_grave)
}

fn told(line: &LogLine) -> Value {
    let mut json = line.to_json();
    json["number"] = line.number().into();
    json
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfText {
    node: Option<String>,
    attempt: Option<u32>,
}

/// Returns all lines as text, up to 16 MiB.
pub(super) async fn text(
    State(site): State<Arc<Site>>,
    Path((pipeline, run)): Path<(String, String)>,
    Args(OfText { node, attempt }): Args<OfText>,
) -> Result<Response, Problem> {
    let text = site
        .readers
        .read(move |reader| {
            let run: RunSummary = found(reader, &pipeline, &run)?;
            let mut filter = LogFilter::new().limit(PAGE);
            if let Some(node) = node.filter(|node| !node.is_empty()) {
                filter = filter.node(node);
            }
            if let Some(attempt) = attempt {
                filter = filter.attempt(attempt);
            }
            let mut text = String::new();
            loop {
                let lines = reader.logs(&run, &filter)?;
                for line in &lines {
                    // Writing to a string cannot fail.
                    let _ = writeln!(
                        text,
                        "{} {} {}#{}: {}",
                        date(line.at()),
                        line.level(),
                        line.node(),
                        line.attempt(),
                        line.text()
                    );
                }
                match lines.last() {
                    Some(last) if lines.len() == PAGE as usize && text.len() < TEXT => filter = filter.after(last.number()),
                    Some(_) if text.len() >= TEXT => {
                        text.push_str("… and more: `logs` prints all of it\n");
                        return Ok(text);
                    }
                    _ => return Ok(text),
                }
            }
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
