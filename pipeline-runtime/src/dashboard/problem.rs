//! Error answers, in the format of RFC 9457.
//!
//! Whatever fails below the API converts into a [`Problem`], so that a handler uses `?`:
//!
//! | status | of |
//! |---|---|
//! | 400 | a query or a body that cannot be read, or a value in it |
//! | 401, 403, 415, 421, 429 | the [gate](super::gate) |
//! | 404 | an address, a run, a node or a pipeline that does not exist |
//! | 405 | a method that the address lacks; commands of a read-only dashboard |
//! | 409 | a command that the holder refuses, or that has changed since its preview |
//! | 410 | a run that was deleted while it was read |
//! | 500 | a journal that cannot be read, and panics |

use crate::host::StartError;
use crate::journal::JournalError;
use crate::read::ReadError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// The kind of the problem, in a few words. It is the same for each occurrence.
    pub(super) title: &'static str,
    /// What went wrong this time, as a sentence for people.
    pub(super) detail: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), hint: None }
    }

    /// Creates a 400 Bad Request.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "wrong request", detail)
    }

    /// Creates a 403 Forbidden.
    pub(super) fn forbidden(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, title, detail)
    }

    /// Creates a 404 Not Found.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    /// Creates a 405 Method Not Allowed.
    pub(super) fn method_not_allowed(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, title, detail)
    }

    /// Creates a 409 Conflict from a message of the command line.
    pub(super) fn refused(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", message)
    }

    /// Creates a 500 Internal Server Error.
    pub(super) fn internal(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, title, detail)
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
            _ => Self::internal("the journal cannot be read", detail),
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
