//! Parts of an upload that the store copies from the object to be replaced: `UploadPartCopy`, which `object_store` does not
//! support.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::signer::Signer;

use super::super::error::{BucketErrorKind as Kind, Failure};
use super::super::store::Condition;
use super::super::upload::Upload;
use super::amazon::Amazon;
use super::client::Client;
use super::conditions::WriteMethod;
use super::http::element;
use super::retries::Retries;
use super::{Cloud, CloudUpload};

/// S3's minimum size of every part but the last.
const SMALLEST: u64 = 5 << 20;
/// S3 copies up to 5 GiB in one request. Smaller parts lose less when a request fails.
const LARGEST: u64 = 2 << 30;
/// A store that copies more slowly than this, in bytes per second, counts as stopped.
const SLOWEST: u64 = 10 << 20;

const SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const RANGE: HeaderName = HeaderName::from_static("x-amz-copy-source-range");
const IF_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-match");

/// How a copy failed.
enum CopyFailure {
    /// The same request may succeed later.
    Passing(Failure),
    /// The source has changed; or the store does not support the operation, or interprets its condition differently.
    Refused,
    Other(Failure),
}

impl Cloud {
    /// Begins an upload whose first parts are copied by the store. `None` if the store cannot do that.
    pub(in super::super) async fn extend(self: &Arc<Self>, key: &Path, etag: &str, keep: u64) -> Result<Option<Upload>, Failure> {
        let client = self.client().await?;
        let Some(amazon) = &client.amazon else { return Ok(None) };
        if keep < SMALLEST || self.settings.has_checksums || client.facts.copies_no_parts() {
            return Ok(None);
        }
        let condition = Condition::Match(etag.to_owned());
        if self.settings.has_conditions {
            // An object smaller than a part may still be written, in one request.
            match self.require_enforced(WriteMethod::Complete, key, &condition).await {
                Err(failure) if failure.kind() == Kind::Unsupported => return Ok(None),
                enforced => enforced?,
            }
        }
        let mut upload = CloudUpload::not_begun(self, key, condition.clone());
        let id = upload.create().await?;
        for (number, span) in spans(keep).enumerate() {
            let size = span.end - span.start;
            match self.copy_part((client, amazon), key, &id, number, etag, span).await {
                Ok(part) => upload.add(part, size),
                Err(CopyFailure::Other(failure) | CopyFailure::Passing(failure)) => return Err(failure),
                Err(CopyFailure::Refused) => {
                    // If another object has replaced the source, there is nothing to copy.
                    self.check_condition(key, &condition).await?;
                    return self.without_copies(client, upload).await;
                }
            }
        }
        Ok(Some(Upload::Cloud(upload)))
    }

    /// Remembers that the store copies no parts.
    async fn without_copies(&self, client: &Client, upload: CloudUpload) -> Result<Option<Upload>, Failure> {
        client.facts.note_that_it_copies_no_parts();
        tracing::info!(
            "{} copies no parts of uploads to `{}`: the kept bytes pass through this process",
            client.endpoint,
            self.url()
        );
        upload.abort().await?;
        Ok(None)
    }

    /// Copies one part; it is idempotent, so it is retried freely.
    async fn copy_part(
        &self,
        (client, amazon): (&Client, &Amazon),
        key: &Path,
        id: &str,
        number: usize,
        etag: &str,
        span: Range<u64>,
    ) -> Result<PartId, CopyFailure> {
        let limit = self.settings.timeout + Duration::from_secs((span.end - span.start) / SLOWEST);
        let mut retries = Retries::new(self.settings.retries);
        loop {
            let request = self.part_copy((client, amazon), key, id, number, etag, &span).await.map_err(CopyFailure::Other)?;
            let copied = tokio::time::timeout(limit, self.copied(client, request)).await.unwrap_or_else(|_| {
                let detail = format!("{} did not copy a part within {}", client.endpoint, humantime::format_duration(limit));
                Err(CopyFailure::Passing(Failure::new(Kind::Network, detail)))
            });
            match copied {
                Err(CopyFailure::Passing(_)) if retries.once_more().await => {}
                copied => return copied,
            }
        }
    }

    /// The request, signed.
    async fn part_copy(
        &self,
        (client, amazon): (&Client, &Amazon),
        key: &Path,
        id: &str,
        number: usize,
        etag: &str,
        span: &Range<u64>,
    ) -> Result<HttpRequest, Failure> {
        let failure = |error: object_store::Error| self.failure(&error);
        // Only the place is taken from the presigned URL: a signature in the header covers the copy source as well.
        let mut url = amazon.store.signed_url(Method::PUT, key, Duration::from_mins(1)).await.map_err(failure)?;
        url.set_query(None);
        url.query_pairs_mut().append_pair("partNumber", &(number + 1).to_string()).append_pair("uploadId", id);
        let bucket = &self.settings.bucket;
        let path = url.path().trim_start_matches('/');
        let source = if amazon.path_style { format!("/{path}") } else { format!("/{bucket}/{path}") };
        let etag = client.facts.spelling(WriteMethod::Complete).of(etag);
        let unreadable = |_| Failure::precondition();
        let mut request = Request::new(HttpRequestBody::empty());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = url.as_str().parse().map_err(|_| Failure::new(Kind::Other, "the key makes no URL"))?;
        let headers = request.headers_mut();
        headers.insert(SOURCE, HeaderValue::from_str(&source).map_err(unreadable)?);
        headers.insert(RANGE, HeaderValue::from_str(&format!("bytes={}-{}", span.start, span.end - 1)).map_err(unreadable)?);
        headers.insert(IF_MATCH, HeaderValue::from_str(etag).map_err(unreadable)?);
        headers.insert(hyper::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        let credential = amazon.store.credentials().get_credential().await.map_err(failure)?;
        AwsAuthorizer::new(&credential, "s3", &amazon.region).try_authorize(&mut request, None).map_err(failure)?;
        Ok(request)
    }

    async fn copied(&self, client: &Client, request: HttpRequest) -> Result<PartId, CopyFailure> {
        let passing = |source: object_store::client::HttpError| {
            let error = object_store::Error::Generic { store: "S3", source: source.into() };
            CopyFailure::Passing(self.failure(&error))
        };
        let response = client.plain.execute(request).await.map_err(passing)?;
        let status = response.status();
        let body = response.into_body().bytes().await.map_err(passing)?;
        let answer = String::from_utf8_lossy(&body);
        // The store may begin its answer before the copy is done, so an answer with status 200 may contain an error.
        if status.is_success() && !answer.contains("<Error>") {
            return match element(&answer, "ETag") {
                Some(etag) => Ok(PartId { content_id: etag.replace("&quot;", "\"").replace("&#34;", "\"") }),
                // The store took the request for an empty part.
                None => Err(CopyFailure::Refused),
            };
        }
        let code = element(&answer, "Code").filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric())).unwrap_or("");
        let text = format!("Server returned non-2xx status code: {status}: <Error><Code>{code}</Code></Error>");
        let failure = self.failure(&object_store::Error::Generic { store: "S3", source: text.into() });
        Err(match failure.kind() {
            Kind::Network | Kind::Throttled => CopyFailure::Passing(failure),
            Kind::Unsupported | Kind::PreconditionFailed | Kind::NoSuchKey => CopyFailure::Refused,
            Kind::Other if matches!(status.as_u16(), 400 | 405 | 501) => CopyFailure::Refused,
            _ => CopyFailure::Other(failure),
        })
    }
}

/// The ranges to copy: of about equal size, none of them small.
fn spans(keep: u64) -> impl Iterator<Item = Range<u64>> {
    let size = keep.div_ceil(keep.div_ceil(LARGEST).max(1)).max(1);
    (0..keep.div_ceil(size)).map(move |number| number * size..keep.min((number + 1) * size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_copied_follow_on_each_other_and_none_is_small_or_too_large() {
        for (keep, count) in [(SMALLEST, 1), (1 << 30, 1), (LARGEST, 1), (LARGEST + 1, 2), (5 << 40, 2560)] {
            let spans: Vec<_> = spans(keep).collect();
            assert_eq!((spans.len(), spans[0].start, spans[spans.len() - 1].end), (count, 0, keep));
            assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(spans.iter().all(|span| (SMALLEST..=LARGEST).contains(&(span.end - span.start))));
        }
    }
}
