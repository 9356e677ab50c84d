//! The commands that users issued.

use super::{Problem, QueryString, Site, at};
use crate::host::Command;
use crate::read::ReadError;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActsQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn acts(
    State(site): State<Arc<Site>>,
    QueryString(ActsQuery { before, limit }): QueryString<ActsQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = limit.unwrap_or(50).clamp(1, 1_000);
    let page = site.readers.read(move |reader| Ok(reader.journal().acts(before, limit).map_err(ReadError::from)?)).await?;
    let next = page.last().filter(|_| page.len() == limit as usize).map(|(id, _)| *id);
    let acts: Vec<Value> = page
        .iter()
        .map(|(id, act)| {
            json!({ "id": id, "at": at(act.at), "who": act.who, "command": Command::text_of(act), "done": act.done, "answer": act.answer })
        })
        .collect();
    Ok(Json(json!({ "acts": acts, "next": next })))
}
