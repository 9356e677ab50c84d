//! [`PendingWrites`]: the conditional writes and the uploads in parts that are in progress, for the HTTP layer.
//!
//! `object_store` cannot express the condition of an upload in parts, and retries some requests by itself without reporting it.
//! Only this layer knows both: which condition to add to a request, and whether an attempt of a write may have taken effect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::vendor::Vendor;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};

/// Clones share the writes, keyed by mark, or by upload id for the completion of an upload in parts.
#[derive(Debug, Clone)]
pub(super) struct PendingWrites {
    vendor: Vendor,
    writes: Arc<Mutex<HashMap<String, Write>>>,
}

#[derive(Debug, Default)]
struct Write {
    condition_header: Option<(HeaderName, HeaderValue)>,
    is_in_doubt: bool,
}

/// One write, registered until it is dropped.
#[derive(Debug)]
pub(super) struct WriteGuard {
    all: PendingWrites,
    id: String,
}

impl PendingWrites {
    pub(super) fn new(vendor: Vendor) -> Self {
        Self { vendor, writes: Arc::default() }
    }

    /// `id` is a mark or an upload's id; `demand` is added to requests that carry it.
    pub(super) fn watch(&self, id: &str, condition_header: Option<(HeaderName, HeaderValue)>) -> WriteGuard {
        self.writes().insert(id.to_owned(), Write { condition_header, is_in_doubt: false });
        WriteGuard { all: self.clone(), id: id.to_owned() }
    }

    /// The write that the request belongs to, if any.
    pub(super) fn of(&self, request: &HttpRequest) -> Option<String> {
        if let Some(mark) = request.headers().get(self.vendor.mark_header()) {
            let mark = mark.to_str().ok()?.split(' ').next()?;
            return self.writes().contains_key(mark).then(|| mark.to_owned());
        }
        if request.method() != Method::POST {
            return None;
        }
        let id = parameter(request.uri(), "uploadId")?;
        // Ids are compared after decoding: which characters are encoded in a URL is the client's choice.
        self.writes().keys().find(|upload| encoded_equal(id, upload)).cloned()
    }

    pub(super) fn condition_header(&self, write: &str) -> Option<(HeaderName, HeaderValue)> {
        Some(self.vendor.condition_header(self.writes().get(write)?.condition_header.clone()?))
    }

    /// Records the result of one try of a write.
    pub(super) fn note(&self, write: &str, came_back: &Result<HttpResponse, HttpError>) {
        let may_be_done = match came_back {
            // The request did not leave the machine.
            Err(error) => error.kind() != HttpErrorKind::Connect,
            // A gateway's answer: the write may still be in progress behind it.
            Ok(response) => match response.status() {
                // The store does not implement the operation, so the write was not done.
                StatusCode::NOT_IMPLEMENTED => false,
                status => status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT,
            },
        };
        if may_be_done && let Some(write) = self.writes().get_mut(write) {
            write.is_in_doubt = true;
        }
    }

    fn writes(&self) -> MutexGuard<'_, HashMap<String, Write>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriteGuard {
    /// True if one of its tries may have taken effect without an answer that confirms it.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.all.writes().get(&self.id).is_some_and(|write| write.is_in_doubt)
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        self.all.writes().remove(&self.id);
    }
}

pub(super) fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn encoded_equal(encoded: &str, plain: &str) -> bool {
    let mut rest = plain.bytes();
    let mut encoded = encoded.bytes();
    while let Some(byte) = encoded.next() {
        let byte = if byte == b'%' {
            let mut digit = || encoded.next().and_then(|digit| char::from(digit).to_digit(16));
            match (digit(), digit()) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
                _ => None,
            }
        } else {
            Some(byte)
        };
        if byte.is_none() || byte != rest.next() {
            return false;
        }
    }
    rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_uploads_are_found_in_urls() {
        assert!(encoded_equal("a%2Bb%3D", "a+b="));
        assert!(encoded_equal("a-b", "a-b"));
        for (encoded, plain) in [("a", "ab"), ("ab", "a"), ("%2", "%2"), ("a%2B", "a ")] {
            assert!(!encoded_equal(encoded, plain));
        }
    }
}
