//! [`Guarded`]: the one way to the network. It stands between `object_store` and the HTTP client.
//!
//! - What a store says about an error is reduced to its code: AWS repeats in it the request that it got, token included, and
//!   `object_store` makes it part of its errors.
//! - It adds the conditions of multipart uploads, which `object_store` has no word for.
//! - It strikes out of listings what is no key: `object_store` would fail the listing, or take the folder `a/` for an object `a`.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::StatusCode;
use hyper::header::CONTENT_LENGTH;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};

use super::super::key;
use super::under_way::{UnderWay, parameter};

/// How much is read of what a store says about an error.
const ERROR_BYTES: usize = 64 << 10;

/// Makes the HTTP client. Clones share the writes under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    under_way: UnderWay,
}

impl Guard {
    pub(super) fn under_way(&self) -> &UnderWay {
        &self.under_way
    }
}

impl HttpConnector for Guard {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Guarded { client, under_way: self.under_way.clone() }))
    }
}

struct Guarded {
    client: HttpClient,
    under_way: UnderWay,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

impl HttpService for Guarded {
    // What `async_trait` makes of an `async fn call`.
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
        let write = self.under_way.of(&request);
        // Behind the signature, which need not cover it.
        if let Some((name, value)) = write.as_ref().and_then(|write| self.under_way.demand(write)) {
            request.headers_mut().insert(name, value);
        }
        let is_listing = parameter(request.uri(), "list-type").is_some();
        let response = self.client.execute(request).await;
        if let Some(write) = write {
            self.under_way.note(&write, &response);
        }
        let response = response?;
        let status = response.status();
        if status.is_success() {
            return if is_listing { listing(response).await } else { Ok(response) };
        }
        if status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        Ok(reduced(response).await)
    }
}

/// An answer that tells an error's code, the region that would have been right, and nothing else.
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
    let said = String::from_utf8_lossy(&read);
    let mut text = String::from("<Error>");
    let region = parts.headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    for (name, value) in [("Code", element(&said, "Code")), ("Region", region.or_else(|| element(&said, "Region")))] {
        if let Some(value) = value.filter(|value| is_word(value)) {
            text.extend(["<", name, ">", value, "</", name, ">"]);
        }
    }
    text += "</Error>";
    if parts.status.is_redirection() {
        // Requests are signed for one host, so none is followed; as an error it keeps its body.
        parts.status = StatusCode::BAD_REQUEST;
    }
    parts.headers.remove(CONTENT_LENGTH);
    HttpResponse::from_parts(parts, HttpResponseBody::from(text))
}

/// No answer's text gets into an error but a word.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

async fn listing(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let text = body.bytes().await?;
    let Some(kept) = std::str::from_utf8(&text).ok().and_then(without_what_is_no_key) else {
        return Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(text)));
    };
    parts.headers.remove(CONTENT_LENGTH);
    Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(Bytes::from(kept))))
}

/// The listing without the entries whose names are no keys; `None` if all are.
fn without_what_is_no_key(listing: &str) -> Option<String> {
    const OPEN: &str = "<Contents>";
    const CLOSE: &str = "</Contents>";
    let mut kept = String::new();
    let (mut rest, mut dropped) = (listing, false);
    while let Some((before, from)) = rest.split_once(OPEN) {
        let (entry, after) = from.split_once(CLOSE)?;
        kept += before;
        if element(entry, "Key").is_none_or(is_key) {
            kept.extend([OPEN, entry, CLOSE]);
        } else {
            dropped = true;
        }
        rest = after;
    }
    kept += rest;
    dropped.then_some(kept)
}

/// Whether a name is a key, as XML has it. A control character is written as a number: `&#10;`, `&#x0a;`.
fn is_key(name: &str) -> bool {
    quick_xml::escape::unescape(name).is_ok_and(|name| key::parse(&name).is_ok())
}

/// The text of the first element of that name.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_what_is_no_key_are_not_listed() {
        let listing = "<R><N>x</N><Contents><Key>a/</Key></Contents><Contents><Key>a/b&amp;c</Key><Size>1</Size></Contents>\
                       <Contents><Key>a//b</Key></Contents><T>t</T></R>";
        let kept = "<R><N>x</N><Contents><Key>a/b&amp;c</Key><Size>1</Size></Contents><T>t</T></R>";
        assert_eq!(without_what_is_no_key(listing).as_deref(), Some(kept));
        assert_eq!(without_what_is_no_key(kept), None);
        for (name, is_listed) in [
            ("a&#10;b", false),
            ("a&#x0a;b", false),
            ("a&#xA;b", false),
            ("a&#65;&#x42;", true),
            ("a&amp;#10;b", true),
            ("a&amp;lt;b", true),
        ] {
            let listing = format!("<R><Contents><Key>{name}</Key></Contents></R>");
            let kept = without_what_is_no_key(&listing);
            assert_eq!(kept.as_deref(), (!is_listed).then_some("<R></R>"), "{name}");
        }
    }
}
