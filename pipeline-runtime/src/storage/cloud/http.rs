//! [`Guarded`]: the HTTP layer between `object_store` and the HTTP client; all requests pass through it.
//!
//! - It reduces a store's error to its code: AWS repeats the request in it, token included, and `object_store` makes that part of
//!   its errors.
//! - It adds the conditions of multipart uploads, which `object_store` does not support.
//! - It removes invalid names from listings.
//! - It translates conditions and etags into the [vendor's](Vendor) form.
//! - It measures the offset between the store's clock and ours.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use futures_util::StreamExt;
use hyper::StatusCode;
use hyper::header::CONTENT_LENGTH;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};

use super::clock::StoreClock;
use super::listing::normalized;
use super::pending_writes::{PendingWrites, parameter};
use super::vendor::Vendor;

/// How much of an error's text is read.
const ERROR_BYTES: usize = 64 << 10;

/// Creates the HTTP clients. Clones share the writes in progress.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    vendor: Vendor,
    pending_writes: PendingWrites,
    clock: StoreClock,
    /// For messages.
    endpoint: Arc<str>,
}

impl Guard {
    pub(super) fn new(vendor: Vendor, endpoint: &str, clock: StoreClock) -> Self {
        Self { vendor, pending_writes: PendingWrites::new(vendor), clock, endpoint: endpoint.into() }
    }

    pub(super) fn pending_writes(&self) -> &PendingWrites {
        &self.pending_writes
    }
}

impl HttpConnector for Guard {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Guarded { client, guard: self.clone() }))
    }
}

struct Guarded {
    client: HttpClient,
    guard: Guard,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

impl HttpService for Guarded {
    // The expansion of `async_trait` for an `async fn call`.
    fn call<'service, 'future>(
        &'service self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'future>>
    where
        'service: 'future,
        Self: 'future,
    {
        Box::pin(self.exchange(request))
    }
}

impl Guarded {
    async fn exchange(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let write = self.guard.pending_writes.of(&request);
        // Added after signing; the signature need not cover it.
        if let Some((name, value)) = write.as_ref().and_then(|write| self.guard.pending_writes.condition_header(write)) {
            request.headers_mut().insert(name, value);
        }
        let vendor = self.guard.vendor;
        vendor.translate(request.headers_mut());
        let is_listing = parameter(request.uri(), "list-type").is_some()
            || parameter(request.uri(), "comp").is_some_and(|comp| comp == "list");
        let sent = Utc::now();
        let response = self.client.execute(request).await;
        if let Ok(response) = &response {
            self.guard.clock.note(response.headers(), sent, Utc::now(), &self.guard.endpoint);
        }
        if let Some(write) = write {
            self.guard.pending_writes.note(&write, &response);
        }
        let mut response = response?;
        vendor.translate_answer(response.headers_mut());
        let status = response.status();
        if status.is_success() {
            return if is_listing { listing(vendor, response).await } else { Ok(response) };
        }
        if status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        Ok(reduced(response).await)
    }
}

/// An answer that contains an error's code, the right region, and nothing else.
async fn reduced(response: HttpResponse) -> HttpResponse {
    let (mut parts, body) = response.into_parts();
    let mut read = Vec::new();
    let mut stream = body.bytes_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        read.extend_from_slice(&chunk);
        if read.len() > ERROR_BYTES {
            break;
        }
    }
    let answer = String::from_utf8_lossy(&read);
    let mut text = String::from("<Error>");
    // Azure's answers have the code in a header, even without a body.
    let code = parts.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok()).or_else(|| element(&answer, "Code"));
    let region = parts.headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    for (name, value) in [("Code", code), ("Region", region.or_else(|| element(&answer, "Region")))] {
        if let Some(value) = value.filter(|value| is_word(value)) {
            text.extend(["<", name, ">", value, "</", name, ">"]);
        }
    }
    if parts.status == StatusCode::NOT_IMPLEMENTED {
        text = "<Error><Code>NotImplemented</Code>".into();
    }
    text += "</Error>";
    // Requests are signed for one host, so no redirection may be followed; as a 400 it keeps its body. And an unsupported
    // operation must not be retried, as any other 5xx would be.
    if parts.status.is_redirection() || parts.status == StatusCode::NOT_IMPLEMENTED {
        parts.status = StatusCode::BAD_REQUEST;
    }
    parts.headers.remove(CONTENT_LENGTH);
    HttpResponse::from_parts(parts, HttpResponseBody::from(text))
}

/// Only a single word of an answer may get into an error.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

async fn listing(vendor: Vendor, response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let text = body.bytes().await?;
    let Some((kept, invalid_names)) = std::str::from_utf8(&text).ok().and_then(|text| normalized(vendor, text)) else {
        return Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(text)));
    };
    parts.headers.remove(CONTENT_LENGTH);
    // They are returned with the page.
    parts.extensions.insert(invalid_names);
    Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(Bytes::from(kept))))
}

/// The text of the first element with that name.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text)
}
