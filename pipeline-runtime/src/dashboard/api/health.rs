//! Health checks: whether the process answers, and whether schedules are followed.

use super::Site;
use crate::journal::Holder;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Returns `ok` if the journal can be read. The answer contains nothing else, and needs no token.
pub(super) async fn healthz(State(site): State<Arc<Site>>) -> Response {
    match site.readers.read(|reader| Ok(reader.version()?)).await {
        Ok(_) => "ok\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "journal\n").into_response(),
    }
}

/// Returns `ok` while a process holds the journal.
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> Response {
    match Holder::of(&site.readers.journal) {
        Some(_) => "ok\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "nobody\n").into_response(),
    }
}
