//! Conditional writes on servers that keep, refuse, ignore or misread conditions: the promise holds, or the write is refused.

use std::error::Error;
use std::path::Path;

use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pipeline_runtime::{Bucket, BucketErrorKind as Kind};

use crate::cases::{Tested, keys, kind};
use crate::server::{Fault, Like, Manner, Server};

/// Larger than a part.
const LARGE: usize = 9 << 20;

fn completes(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.query().is_some_and(|query| query.contains("uploadId"))
}

/// Like s3rver 3.7: conditions are ignored.
pub(crate) fn ignores_all(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    parts.headers.remove(IF_MATCH);
    parts.headers.remove(IF_NONE_MATCH);
    None
}

/// Like moto 5.2: `If-Match` is ignored when an upload is completed.
fn ignores_a_match_of_parts(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    if completes(parts) {
        parts.headers.remove(IF_MATCH);
    }
    None
}

/// Like Ceph 16: completions ignore conditions, and a quoted `ETag` never matches the object's.
pub(crate) fn reads_bare_etags(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    if completes(parts) {
        return ignores_all(parts);
    }
    let etag = parts.headers.get(IF_MATCH)?.to_str().unwrap_or_default();
    if etag.contains('"') {
        return Some((StatusCode::PRECONDITION_FAILED, "PreconditionFailed"));
    }
    let quoted = format!("\"{etag}\"").parse().ok()?;
    parts.headers.insert(IF_MATCH, quoted);
    None
}

/// Like Swift 2.30 with s3api: puts have no conditions, and a completion's match never holds.
pub(crate) fn has_none(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    let matching = parts.headers.contains_key(IF_MATCH);
    if completes(parts) {
        return matching.then_some((StatusCode::PRECONDITION_FAILED, "InvalidRequest"));
    }
    (matching || parts.headers.contains_key(IF_NONE_MATCH)).then_some((StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
}

/// A store that refuses each match, however it is written.
fn never_matches(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    parts.headers.contains_key(IF_MATCH).then_some((StatusCode::PRECONDITION_FAILED, "PreconditionFailed"))
}

/// A store that accepts any match if there is no object.
fn looks_at_what_is_there(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    if parts.uri.path().contains(".pipeline-probe-") {
        parts.headers.remove(IF_MATCH);
    }
    None
}

/// A store whose policy allows writes only to certain keys.
fn has_a_policy(parts: &mut Parts) -> Option<(StatusCode, &'static str)> {
    parts.uri.path().contains(".pipeline-probe-").then_some((StatusCode::FORBIDDEN, "AccessDenied"))
}

pub(crate) fn like(manner: Manner) -> Like {
    Like { manner: Some(manner), ..Like::default() }
}

/// The outcome of each conditional operation, and the errors. Where one fails, the object `old` must still exist. A put if
/// absent, a put on the `ETag`, the same two in parts, and a copy.
async fn outcomes(bucket: &Bucket) -> Result<(Vec<Option<Kind>>, Vec<String>), Box<dyn Error>> {
    let mut outcomes = Vec::new();
    let mut said = Vec::new();
    let mut note = |error: Option<pipeline_runtime::BucketError>| {
        outcomes.push(error.as_ref().map(pipeline_runtime::BucketError::kind));
        said.extend(error.map(|error| error.to_string()));
    };
    bucket.put("f/a", "old").await?;
    note(bucket.put_if_absent("f/free", "1").await.err());
    let etag = bucket.head("f/a").await?.and_then(|object| object.etag).unwrap_or_default();
    note(bucket.put_if_match("f/a", "new", &etag).await.err());
    note(large(bucket, "f/large", None).await.err());
    bucket.put("f/b", "old").await?;
    let etag = bucket.head("f/b").await?.and_then(|object| object.etag).unwrap_or_default();
    note(large(bucket, "f/b", Some(&etag)).await.err());
    note(bucket.copy_if_absent("f/a", "f/copy").await.err());
    Ok((outcomes, said))
}

async fn large(
    bucket: &Bucket,
    key: &str,
    etag: Option<&str>,
) -> Result<pipeline_runtime::Object, pipeline_runtime::BucketError> {
    let mut writer = match etag {
        Some(etag) => bucket.put_stream_if_match(key, etag).await?,
        None => bucket.put_stream_if_absent(key).await?,
    };
    writer.write(vec![7; LARGE]).await?;
    writer.finish().await
}

/// True if no upload and no file of the probe is left.
fn is_clean(folder: &Path) -> Result<bool, Box<dyn Error>> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().contains(".pipeline-probe-")
                && !entry.file_name().to_string_lossy().ends_with(".json")
            {
                return Ok(false);
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(true)
}

const CONFLICT: Fault = Fault::Status(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
const HOLDS: Option<Kind> = None;
const REFUSED: Option<Kind> = Some(Kind::Unsupported);

#[tokio::test]
async fn what_a_store_does_not_keep_is_refused_and_the_rest_holds() -> Tested {
    for (name, manner, expected, words) in [
        ("s3rver", ignores_all as Manner, [REFUSED; 5], &["ignores `If-None-Match`", "ignores `If-Match`"][..]),
        (
            "moto",
            ignores_a_match_of_parts,
            [HOLDS, HOLDS, HOLDS, REFUSED, HOLDS],
            &["ignores `If-Match` when an upload in parts", "?part_size=64MiB"],
        ),
        ("ceph", reads_bare_etags, [HOLDS, HOLDS, REFUSED, REFUSED, HOLDS], &["ignores `If-None-Match` when an upload in parts"]),
        (
            "swift",
            has_none,
            [REFUSED, REFUSED, HOLDS, REFUSED, REFUSED],
            &["refuses `If-None-Match`", "refuses even an `If-Match` that holds when an upload"],
        ),
        ("never", never_matches, [HOLDS, REFUSED, HOLDS, REFUSED, HOLDS], &["refuses even an `If-Match` that holds,"]),
    ] {
        let server = Server::like(like(manner)).await?;
        let folder = server.make(name)?;
        let bucket = Bucket::open(&server.url(name))?;
        let (outcomes, said) = outcomes(&bucket).await?;
        assert_eq!(outcomes, expected, "{name}: {said:#?}");
        for word in words {
            assert!(said.iter().any(|text| text.contains(word)), "{name}, {word}: {said:#?}");
        }
        for text in said {
            assert!(text.contains(&server.endpoint) && text.contains("`?conditions=none`"), "{name}: {text}");
        }
        assert!(is_clean(&folder)?, "{name}");
        assert_eq!(bucket.get("f/a").await?, if expected[1] == HOLDS { "new" } else { "old" }, "{name}");
        assert_eq!(bucket.get("f/b").await?.len(), if expected[3] == HOLDS { LARGE } else { 3 }, "{name}");
    }
    Ok(())
}

/// A change is detected even if the `ETag` is spelled differently.
#[tokio::test]
async fn a_bare_etag_is_a_condition_all_the_same() -> Tested {
    let server = Server::like(like(reads_bare_etags)).await?;
    let bucket = server.bucket("bare")?;
    let old = bucket.put("a", "1").await?.etag.unwrap_or_default();
    let new = bucket.put_if_match("a", "2", &old).await?.etag.unwrap_or_default();
    assert_eq!(kind(bucket.put_if_match("a", "3", &old).await), Some(Kind::PreconditionFailed));
    server.requests();
    server.probed();
    bucket.put_if_match("a", "3", &new).await?;
    let puts = server.requests().iter().filter(|line| line.starts_with("PUT")).count();
    assert_eq!((puts, server.probed().len()), (1, 0), "the spelling is known by now");
    Ok(())
}

#[tokio::test]
async fn a_store_is_asked_once_by_a_write_that_it_refuses() -> Tested {
    let server = Server::start().await?;
    let folder = server.make("asked-once")?;
    let open = || Bucket::open(&server.url("asked-once"));
    let bucket = open()?;
    bucket.put("a", "1").await?;
    bucket.copy("a", "b").await?;
    assert_eq!(server.probed(), Vec::<String>::new(), "no condition, no question");
    let first = (0..8).map(|number| {
        let bucket = bucket.clone();
        tokio::spawn(async move { bucket.put_if_absent(&format!("f/{number}"), "").await })
    });
    for put in futures_util::future::join_all(first).await {
        put??;
    }
    let probed = server.probed();
    assert!(probed.len() == 1 && probed[0].starts_with("PUT /asked-once/f/.pipeline-probe-"), "{probed:#?}");
    open()?.put_if_absent("g/a", "").await?;
    large(&bucket, "g/large", None).await?;
    let probed = server.probed();
    let count = |method: &str, part: &str| probed.iter().filter(|line| line.starts_with(method) && line.contains(part)).count();
    assert_eq!(probed.len(), 4, "{probed:#?}");
    let each = [count("POST", "uploads"), count("PUT", "partNumber"), count("POST", "uploadId"), count("DELETE", "uploadId")];
    assert_eq!(each, [1; 4]);
    large(&open()?, "g/larger", None).await?;
    bucket.copy_if_absent("g/large", "g/copy").await?;
    assert_eq!(server.probed(), Vec::<String>::new(), "nor when the bucket is opened again");
    assert!(is_clean(&folder)?);
    Ok(())
}

/// Also if the answers to the probe are lost.
#[tokio::test]
async fn what_was_asked_about_leaves_nothing_behind() -> Tested {
    for (name, manner, requests) in [("lost", ignores_all as Manner, 3), ("late", never_matches, 1)] {
        let server = Server::like(like(manner)).await?;
        let folder = server.make(name)?;
        let bucket = Bucket::open(&server.url(name))?;
        server.meet(".pipeline-probe-", [Fault::ResetAnswer, Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")]);
        let put = bucket.put_if_absent("f/a", "").await;
        assert_eq!(kind(put), if name == "lost" { REFUSED } else { HOLDS });
        assert!(server.probed().len() >= requests + 2);
        assert_eq!(server.pending_faults(), 0);
        assert!(is_clean(&folder)?);
    }
    // A store that only checks conditions of existing objects: the retried probe finds the result of its own first request.
    let server = Server::like(like(looks_at_what_is_there)).await?;
    let folder = server.make("there")?;
    let bucket = Bucket::open(&server.url("there"))?;
    server.meet(".pipeline-probe-", [Fault::ResetAnswer, Fault::Status(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")]);
    bucket.put_if_absent("f/a", "").await?;
    assert!(is_clean(&folder)?);
    // While the store is unreachable, nothing is learned about it.
    let server = Server::like(like(never_matches)).await?;
    server.make("away")?;
    let bucket = Bucket::open(&(server.url("away") + "&retries=1"))?;
    server.meet(".pipeline-probe-", std::iter::repeat_n(Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"), 2));
    assert_eq!(kind(bucket.put_if_absent("f/a", "").await), Some(Kind::Throttled));
    bucket.put_if_absent("f/a", "").await?;
    Ok(())
}

#[tokio::test]
async fn where_a_policy_forbids_the_question_conditions_are_taken_for_granted() -> Tested {
    let server = Server::like(like(has_a_policy)).await?;
    let bucket = server.bucket("policy")?;
    let (outcomes, said) = outcomes(&bucket).await?;
    assert_eq!(outcomes, [HOLDS; 5], "{said:#?}");
    assert_eq!(kind(bucket.put_if_absent("f/a", "").await), Some(Kind::AlreadyExists));
    Ok(())
}

#[tokio::test]
async fn conditions_that_are_not_relied_upon_are_looked_at() -> Tested {
    let server = Server::like(like(ignores_all)).await?;
    server.make("unkept")?;
    let bucket = Bucket::open(&(server.url("unkept") + "&conditions=none"))?;
    let (outcomes, said) = outcomes(&bucket).await?;
    assert_eq!(outcomes, [HOLDS; 5], "{said:#?}");
    assert_eq!(server.probed(), Vec::<String>::new());
    assert_eq!(kind(bucket.put_if_absent("f/a", "").await), Some(Kind::AlreadyExists));
    assert_eq!(kind(bucket.put_if_match("f/a", "", "\"other\"").await), Some(Kind::PreconditionFailed));
    assert_eq!(kind(bucket.copy_if_absent("f/a", "f/b").await), Some(Kind::AlreadyExists));
    // Also for a write that started before.
    let mut late = bucket.put_stream_if_absent("late").await?;
    late.write(vec![7; LARGE]).await?;
    bucket.put("late", "first").await?;
    assert_eq!(kind(late.finish().await), Some(Kind::AlreadyExists));
    assert_eq!(bucket.get("late").await?, "first");
    Ok(())
}

#[tokio::test]
async fn what_fits_into_one_request_needs_no_conditions_of_parts() -> Tested {
    let server = Server::like(like(reads_bare_etags)).await?;
    server.make("single")?;
    let bucket = Bucket::open(&(server.url("single") + "&part_size=16MiB"))?;
    let (outcomes, said) = outcomes(&bucket).await?;
    assert_eq!(outcomes, [HOLDS; 5], "{said:#?}");
    Ok(())
}

/// A write that is refused although its condition holds may have met a writer who restored the old state.
#[tokio::test]
async fn a_race_that_left_all_as_it_was_is_run_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("race")?;
    let etag = bucket.put("a", "1").await?.etag.unwrap_or_default();
    server.meet("PUT /race/a", [CONFLICT, CONFLICT]);
    let etag = bucket.put_if_match("a", "2", &etag).await?.etag.unwrap_or_default();
    // Endless conflicts remain a conflict, as the probe showed that the store supports conditions.
    server.meet("PUT /race/a", std::iter::repeat_n(CONFLICT, 10));
    assert_eq!(kind(bucket.put_if_match("a", "3", &etag).await), Some(Kind::PreconditionFailed));
    assert!(server.pending_faults() > 0, "not without end");
    server.forget();
    server.meet("PUT /race/b", std::iter::repeat_n(CONFLICT, 10));
    assert_eq!(kind(bucket.put_if_absent("b", "1").await), Some(Kind::AlreadyExists));
    server.forget();
    assert_eq!((keys(&bucket.list("").await?), bucket.get("a").await?), (vec!["a"], "2".into()));
    Ok(())
}

/// A store that lacks an operation is asked once, and its refusal is not taken for a silent success.
#[tokio::test]
async fn what_a_store_cannot_do_is_neither_repeated_nor_in_doubt() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("cannot")?;
    server.meet("PUT /cannot/a", std::iter::repeat_n(Fault::Status(StatusCode::NOT_IMPLEMENTED, "NotImplemented"), 10));
    let error = bucket.put_if_absent("a", "1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported, "{error}");
    assert_eq!(kind(bucket.put("a", "1").await), Some(Kind::Unsupported));
    assert_eq!(server.requests().iter().filter(|line| line.starts_with("PUT")).count(), 2);
    Ok(())
}

/// Like Ceph 16.
#[tokio::test]
async fn an_upload_whose_etag_is_not_told_has_the_one_that_it_has() -> Tested {
    let server = Server::like(Like { hides_etags: true, ..Like::default() }).await?;
    let bucket = server.bucket("hidden")?;
    let mut writer = bucket.put_stream("a").await?;
    writer.write(vec![7; LARGE]).await?;
    let written = writer.finish().await?;
    assert_eq!(bucket.head("a").await?, Some(written.clone()));
    assert!(written.etag.is_some_and(|etag| etag.len() > 2));
    let written = large(&bucket, "b", None).await?;
    assert_eq!(bucket.head("b").await?, Some(written));
    Ok(())
}
