//! Login: exchanges the token for a cookie.

use super::super::gate;
use super::{Problem, Site};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
struct LoginRequest {
    token: String,
}

/// Exchanges the token for a cookie.
pub(super) async fn login(State(site): State<Arc<Site>>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let LoginRequest { token } =
        serde_json::from_slice(&body).map_err(|_| Problem::bad_request("the body must be `{\"token\": …}`"))?;
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let cookie = gate::login(&site.gate, &token, origin.starts_with("https://"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
