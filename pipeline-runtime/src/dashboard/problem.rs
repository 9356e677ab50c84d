//! Error answers, in the format of RFC 9457.

use crate::host::StartError;
use crate::journal::JournalError;
use crate::read::ReadError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) detail: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), hint: None }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    pub(super) fn wrong(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "wrong request", detail)
    }

    /// Creates an error from a message of the command line, whose further lines are hints.
    pub(super) fn refused(said: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", said)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let detail = error.to_string();
        match error {
            ReadError::Deleted { .. } => Self::new(StatusCode::GONE, "deleted", detail),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the journal cannot be read", detail),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        ReadError::from(error).into()
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoRun { .. } => Self::not_found(error.to_string()),
            StartError::Journal(error) => error.into(),
            error => Self::refused(&error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, title, detail, hint } = self;
        let mut body = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Some(hint) = hint {
            body["hint"] = hint.into();
        }
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
