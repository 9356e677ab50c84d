//! Log lines of a run's attempts.

use super::{Problem, QueryString, Site, date, find_run};
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
const MAX_PAGE: u32 = 10_000;
const MAX_SEARCHED: u32 = 200_000;
/// The longest text of a whole log, in bytes.
const MAX_TEXT: usize = 16 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogsQuery {
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
    QueryString(query): QueryString<LogsQuery>,
) -> Result<Json<Value>, Problem> {
    site.readers
        .read(move |reader| {
            let run = find_run(reader, &pipeline, &run)?;
            let limit = query.limit.unwrap_or(1_000).clamp(1, MAX_PAGE);
            let (node, key) = (query.node.as_deref().filter(|node| !node.is_empty()), run.stored().key);
            let is_search =
                query.q.as_deref().is_some_and(|q| !q.is_empty()) || query.level.as_deref().is_some_and(|l| !l.is_empty());
            let most = if is_search { MAX_SEARCHED } else { limit };
            let lines = match query.after {
                Some(after) => reader.journal().logs(key, node, query.attempt, after, most),
                None => reader.journal().lines_before(key, node, query.attempt, query.before.unwrap_or(i64::MAX), most),
            };
            let mut lines: Vec<LogLine> = lines.map_err(ReadError::from)?.into_iter().map(LogLine::of).collect();
            let is_whole = lines.len() < most as usize;
            if is_search {
                lines.retain(|line| matches_query(line, &query));
            }
            // A tail keeps the last lines; a page after a line keeps the first.
            let cut = lines.len().saturating_sub(limit as usize);
            let earlier = cut > 0 || query.after.is_none() && !is_whole;
            if query.after.is_none() {
                lines.drain(..cut);
            } else {
                lines.truncate(limit as usize);
            }
            let last = lines.last().map(LogLine::number);
            let lines: Vec<Value> = lines.iter().map(line_json).collect();
            Ok(Json(json!({ "lines": lines, "earlier": earlier, "last": last })))
        })
        .await
}

fn matches_query(line: &LogLine, query: &LogsQuery) -> bool {
    let has = |q: &str| line.text().to_lowercase().contains(&q.to_lowercase());
    let rank =
        |level: &str| ["error", "warn", "info", "debug", "trace"].iter().position(|known| known.eq_ignore_ascii_case(level));
    let is_grave = |least: &str| rank(least).is_none_or(|least| rank(line.level()).is_some_and(|rank| rank <= least));
    query.q.as_deref().is_none_or(has) && query.level.as_deref().is_none_or(is_grave)
}

fn line_json(line: &LogLine) -> Value {
    let mut json = line.to_json();
    json["number"] = line.number().into();
    json
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogTextQuery {
    node: Option<String>,
    attempt: Option<u32>,
}

/// Returns all lines as text, up to 16 MiB.
pub(super) async fn text(
    State(site): State<Arc<Site>>,
    Path((pipeline, run)): Path<(String, String)>,
    QueryString(LogTextQuery { node, attempt }): QueryString<LogTextQuery>,
) -> Result<Response, Problem> {
    let text = site
        .readers
        .read(move |reader| {
            let run: RunSummary = find_run(reader, &pipeline, &run)?;
            let mut filter = LogFilter::new().limit(MAX_PAGE);
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
                    Some(last) if lines.len() == MAX_PAGE as usize && text.len() < MAX_TEXT => {
                        filter = filter.after(last.number());
                    }
                    Some(_) if text.len() >= MAX_TEXT => {
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
