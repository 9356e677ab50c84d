//! The process and the journal behind the page.

use super::{NoQuery, Problem, QueryString, Site, at, date, overview};
use crate::journal::Holder;
use crate::read::ReadError;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

pub(super) async fn system(
    State(site): State<Arc<Site>>,
    QueryString(NoQuery {}): QueryString<NoQuery>,
) -> Result<Json<Value>, Problem> {
    let journal = site.readers.journal.clone();
    let (bytes, free) = site.readers.read(|reader| Ok(reader.journal().pages().map_err(ReadError::from)?)).await?;
    let holder = Holder::of(&journal);
    Ok(Json(json!({
        "now": at(site.clock.now()),
        "version": env!("CARGO_PKG_VERSION"),
        "journal": {
            "name": journal.file_name().map(|name| name.to_string_lossy().into_owned()),
            "bytes": bytes,
            "free_bytes": free,
            "wal_bytes": size(&wal(&journal)),
        },
        "holder": holder.as_ref().map(overview::of_holder),
        "pid": std::process::id(),
        "started": date(site.started),
        "streams": site.changes.followers(),
        "read_only": site.read_only.is_some(),
        "read_only_why": site.read_only,
        "pipelines": site.pipelines.len(),
    })))
}

fn wal(journal: &Path) -> std::path::PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn size(file: &Path) -> Option<u64> {
    std::fs::metadata(file).ok().map(|metadata| metadata.len())
}
