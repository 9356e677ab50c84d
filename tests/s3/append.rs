//! Appending to an object: the store copies the old contents, and the requests and bytes are counted.

use hyper::StatusCode;
use hyper::http::request::Parts;
use pipeline_runtime::{Bucket, BucketErrorKind as Kind, Object};

use crate::cases::{Tested, distinct, keys, kind};
use crate::conditions::like;
use crate::server::{Fault, Manner, Server};

const LARGE: usize = 12 << 20;

/// A store that cannot copy parts.
fn copies_nothing(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    parts.headers.contains_key("x-amz-copy-source").then_some((StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
}

/// A store that takes a copied part for an empty one.
fn takes_copies_for_parts(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    for header in ["x-amz-copy-source", "x-amz-copy-source-range", "x-amz-copy-source-if-match"] {
        parts.headers.remove(header);
    }
    None
}

/// A store that misreads the condition of a copied part.
fn never_matches_a_source(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    parts.headers.contains_key("x-amz-copy-source").then_some((StatusCode::PRECONDITION_FAILED, "PreconditionFailed"))
}

async fn large(bucket: &Bucket, key: &str) -> Result<Object, pipeline_runtime::BucketError> {
    let mut writer = bucket.put_stream(key).await?;
    writer.write(distinct(LARGE)).await?;
    writer.finish().await
}

async fn append(bucket: &Bucket, to: &Object, keep: usize, text: &str) -> Result<Object, pipeline_runtime::BucketError> {
    let mut writer = bucket.append_stream(&to.key, to.etag.as_deref().unwrap_or_default(), keep as u64).await?;
    writer.write(text.to_owned()).await?;
    writer.finish().await
}

fn expected(keep: usize, text: &str) -> Vec<u8> {
    [&distinct(LARGE)[..keep], text.as_bytes()].concat()
}

/// The number of requests of a kind; a copied part counts as a part, too.
fn count(asked: &[String], method: &str, part: &str) -> usize {
    asked.iter().filter(|line| line.starts_with(method) && line.contains(part)).count()
}

#[tokio::test]
async fn a_row_for_a_large_object_costs_the_row() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let object = large(&bucket, "a b/\u{fc}.csv").await?;
    // The store is probed once for how it handles conditions.
    let object = append(&bucket, &object, LARGE, "first").await?;
    assert_eq!(server.probed().len(), 4);
    server.requests();
    server.transferred();
    let mut tail = bucket.get_tail(&object.key, 5).await?;
    assert_eq!((tail.chunk().await?.unwrap_or_default(), tail.object()), ("first".into(), &object));
    let grown = append(&bucket, &object, LARGE + 5, "second").await?;
    let (asked, transferred) = (server.requests(), server.transferred());
    assert_eq!(asked.len(), 6, "a tail, a begin, a copy, a part, an end and a look: {asked:#?}");
    assert!(transferred < 2048, "{transferred} bytes");
    assert_eq!(grown.size, LARGE as u64 + 11);
    assert!(bucket.get(&object.key).await? == expected(LARGE, "firstsecond"));
    assert_eq!(keys(&bucket.list("").await?), [&object.key]);
    Ok(())
}

#[tokio::test]
async fn what_another_has_replaced_is_not_appended_to() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let old = large(&bucket, "a").await?;
    let mut begun = bucket.append_stream("a", old.etag.as_deref().unwrap_or_default(), old.size).await?;
    let new = bucket.put("a", "new").await?;
    begun.write("late").await?;
    assert_eq!(kind(begun.finish().await), Some(Kind::PreconditionFailed));
    server.requests();
    assert_eq!(kind(append(&bucket, &old, LARGE, "late").await), Some(Kind::PreconditionFailed));
    bucket.delete("a").await?;
    assert_eq!(kind(append(&bucket, &old, LARGE, "late").await), Some(Kind::PreconditionFailed));
    assert_eq!(kind(append(&bucket, &new, 3, "late").await), Some(Kind::PreconditionFailed));
    assert!(bucket.list("").await?.is_empty());
    // The abandoned upload is deleted in the background.
    server.until("DELETE /bucket/a?uploadId", 1).await
}

#[tokio::test]
async fn where_a_store_copies_no_parts_what_is_kept_passes_through_the_process() -> Tested {
    for manner in [copies_nothing as Manner, takes_copies_for_parts, never_matches_a_source] {
        let server = Server::like(like(manner)).await?;
        let bucket = server.bucket("bucket")?;
        let object = large(&bucket, "a").await?;
        server.requests();
        let object = append(&bucket, &object, LARGE, "first").await?;
        let asked = server.requests();
        // One abandoned upload, and one with two parts of its own.
        assert_eq!(
            [count(&asked, "POST", "uploads"), count(&asked, "DELETE", "uploadId"), count(&asked, "PUT", "partNumber")],
            [2, 1, 3]
        );
        let object = append(&bucket, &object, LARGE + 5, "second").await?;
        let asked = server.requests();
        assert_eq!(
            [count(&asked, "POST", "uploads"), count(&asked, "PUT", "partNumber")],
            [1, 2],
            "it is not asked again: {asked:#?}"
        );
        assert!(bucket.get("a").await? == expected(LARGE, "firstsecond"));
        assert_eq!(object.size, LARGE as u64 + 11);
    }
    Ok(())
}

#[tokio::test]
async fn what_passes_is_asked_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let object = large(&bucket, "a").await?;
    // The second fault is S3's way to report a failed copy after it has started to answer.
    server.meet(
        "PUT /bucket/a?partNumber=1",
        [
            Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Fault::Told("<Error><Code>InternalError</Code></Error>"),
            Fault::LoseAnswer,
        ],
    );
    append(&bucket, &object, LARGE - 1, "more").await?;
    assert_eq!(server.pending_faults(), 0);
    assert!(bucket.get("a").await? == expected(LARGE - 1, "more"));
    let object = large(&bucket, "a").await?;
    server.meet("PUT /bucket/a?partNumber=1", [Fault::Status(StatusCode::FORBIDDEN, "AccessDenied")]);
    assert_eq!(kind(append(&bucket, &object, LARGE, "more").await), Some(Kind::PermissionDenied));
    Ok(())
}

/// The store limits a part's size; a part other than the last must have at least 5 MiB.
#[tokio::test]
async fn what_is_small_or_has_checksums_is_sent_again() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    for (settings, keep) in [("", (5 << 20) - 1), ("&checksum=sha256", LARGE)] {
        let bucket = Bucket::open(&(server.url("bucket") + settings))?;
        let object = large(&bucket, "a").await?;
        server.requests();
        server.transferred();
        append(&bucket, &object, keep, "more").await?;
        assert!(server.transferred() > 2 * keep as u64, "read, and sent");
        assert!(bucket.get("a").await? == expected(keep, "more"));
    }
    Ok(())
}
