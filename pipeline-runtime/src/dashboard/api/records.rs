//! A run's records as they were stored, for programs and for time travel.

use super::{AsOf, Problem, QueryString, Site, at, ms};
use crate::read::ReadError;
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordsQuery {
    after: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn records(
    State(site): State<Arc<Site>>,
    Path(run): Path<(String, String)>,
    QueryString(RecordsQuery { after, limit }): QueryString<RecordsQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = limit.unwrap_or(1_000).clamp(1, 10_000);
    site.view_run(run, AsOf::NOW, move |_, reader, details| {
        let run = details.summary();
        let history = details.history();
        // If the run was resumed with another plan, later records are needed to interpret earlier ones.
        let (after, is_renamed) = (after.unwrap_or(0), details.tail().is_renumbered());
        let most = if is_renamed { u32::MAX } else { limit };
        let page = reader.journal().entries_between(run.stored().key, after, i64::MAX, most).map_err(ReadError::from)?;
        let shown = page.entries.iter().take(limit as usize).map(|stored| {
            let (what, text) = history.describe(&stored.entry.record);
            let node = stored.entry.record.slot().filter(|slot| (*slot as usize) < history.len()).map(|slot| history.id(slot));
            json!({
                "number": stored.number,
                "at": at(stored.entry.at),
                "at_ms": ms(stored.entry.at.since(history.started)),
                "what": what,
                "node": node,
                "text": text,
            })
        });
        let shown: Vec<Value> = shown.collect();
        Ok(Json(json!({ "last": details.last_record(), "records": shown })))
    })
    .await
}
