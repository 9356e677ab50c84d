//! Network faults: retried within the limits, or a clear error; never a part in place of the whole, never two objects in place of
//! one.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use pipeline_runtime::{Bucket, BucketErrorKind as Kind};
use tokio::sync::Semaphore;

use crate::cases::{Tested, distinct, keys, kind};
use crate::server::{Fault, Server};

const BUSY: Fault = Fault::Status(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");

#[tokio::test]
async fn what_passes_is_tried_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    bucket.put("a", "1").await?;
    for fault in [BUSY, Fault::Drop, Fault::Reset] {
        for part in ["HEAD /bucket/a", "GET /bucket/a", "GET /bucket?", "PUT /bucket/a", "PUT /bucket/b", "DELETE /bucket/c"] {
            server.meet(part, [fault.clone(), fault.clone()]);
        }
        assert!(bucket.head("a").await?.is_some());
        assert_eq!(bucket.get("a").await?, "1");
        assert_eq!(keys(&bucket.list("").await?), ["a"]);
        bucket.put("a", "1").await?;
        bucket.copy("a", "b").await?;
        bucket.delete("b").await?;
        bucket.delete("c").await?;
        assert_eq!(server.pending_faults(), 0, "each fault was met");
    }
    Ok(())
}

#[tokio::test]
async fn there_is_an_end_to_it() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    let bucket = Bucket::open(&(server.url("bucket") + "&retries=2"))?;
    server.meet("/bucket", std::iter::repeat_n(BUSY, 100));
    assert_eq!(kind(bucket.list("").await), Some(Kind::Throttled));
    assert_eq!(server.requests().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_body_cut_off_is_taken_up_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let all = distinct(3_000_000);
    bucket.put("a", all.clone()).await?;
    server.meet("GET /bucket/a", [Fault::CutBody(1_000_000), Fault::CutBody(500_000), Fault::Drop, BUSY]);
    assert!(bucket.get("a").await? == all);
    assert_eq!(server.pending_faults(), 0);
    server.meet("GET /bucket/a", [Fault::CutBody(1_000_000)]);
    assert!(bucket.get_range("a", 7..2_000_000).await? == all[7..2_000_000]);
    Ok(())
}

#[tokio::test]
async fn a_body_cut_off_for_good_is_an_error() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    let bucket = Bucket::open(&(server.url("bucket") + "&retries=1"))?;
    bucket.put("a", distinct(3_000_000)).await?;
    server.meet("GET /bucket/a", [Fault::CutBody(1_000_000)].into_iter().chain(std::iter::repeat_n(Fault::Drop, 100)));
    let error = bucket.get("a").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network, "{error}");
    Ok(())
}

#[tokio::test]
async fn a_replaced_object_is_not_mixed_with_the_old() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    bucket.put("a", vec![b'o'; 3_000_000]).await?;
    server.meet("GET /bucket/a", [Fault::CutBody(1_000_000)]);
    let mut reader = bucket.get_stream("a").await?;
    reader.chunk().await?;
    bucket.put("a", vec![b'n'; 3_000_000]).await?;
    let error = loop {
        match reader.chunk().await {
            Ok(chunk) => assert!(chunk.ok_or("it ended early")?.iter().all(|byte| *byte == b'o')),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::PreconditionFailed, "{error}");
    Ok(())
}

/// The repeated request finds its own object: the write succeeds, with a single object.
#[tokio::test]
async fn a_write_whose_answer_was_lost_is_done_once() -> Tested {
    for lost in [Fault::LoseAnswer, Fault::ResetAnswer] {
        let server = Server::start().await?;
        let bucket = server.bucket("bucket")?;
        server.meet("PUT /bucket/absent", [lost.clone()]);
        let first = bucket.put_if_absent("absent", "mine").await?;
        assert_eq!(bucket.head("absent").await?.as_ref(), Some(&first));
        assert_eq!(kind(bucket.put_if_absent("absent", "another's").await), Some(Kind::AlreadyExists));

        server.meet("PUT /bucket/absent", [lost.clone()]);
        let etag = first.etag.unwrap_or_default();
        bucket.put_if_match("absent", "mine again", &etag).await?;
        assert_eq!(bucket.get("absent").await?, "mine again");

        let mut writer = bucket.put_stream_if_absent("big").await?;
        writer.write(vec![7; 9 << 20]).await?;
        server.meet("POST /bucket/big?uploadId", [lost.clone()]);
        assert_eq!(writer.finish().await?.size, 9 << 20);

        server.meet("PUT /bucket/copy", [lost.clone()]);
        bucket.copy_if_absent("absent", "copy").await?;
        assert_eq!(bucket.get("copy").await?, "mine again");
        assert_eq!(kind(bucket.copy_if_absent("absent", "copy").await), Some(Kind::AlreadyExists));
        server.meet("POST /bucket/huge?uploadId", [lost.clone()]);
        assert_eq!(bucket.copy_if_absent("big", "huge").await?.size, 9 << 20);
        assert!(bucket.get("huge").await? == vec![7; 9 << 20]);
        assert_eq!(server.pending_faults(), 0);
        assert_eq!(keys(&bucket.list("").await?), ["absent", "big", "copy", "huge"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_write_that_was_not_done_is_sent_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let puts = || server.requests().iter().filter(|line| line.starts_with("PUT")).count();
    server.meet("PUT /bucket/a", [Fault::Reset, Fault::Drop]);
    let first = bucket.put_if_absent("a", "1").await?;
    assert_eq!((bucket.get("a").await?, puts()), ("1".into(), 3));
    let etag = first.etag.unwrap_or_default();
    server.meet("PUT /bucket/a", [Fault::Reset]);
    let second = bucket.put_if_match("a", "2", &etag).await?;
    assert_eq!(bucket.head("a").await?.as_ref(), Some(&second));
    assert_eq!((bucket.get("a").await?, puts()), ("2".into(), 2));
    // The condition no longer holds, whether or not an answer was lost.
    server.meet("PUT /bucket/a", [Fault::Reset]);
    assert_eq!(kind(bucket.put_if_match("a", "3", &etag).await), Some(Kind::PreconditionFailed));
    server.meet("PUT /bucket/b", [Fault::Reset]);
    bucket.copy_if_absent("a", "b").await?;
    assert_eq!(bucket.get("b").await?, "2");
    assert_eq!(server.pending_faults(), 0);
    Ok(())
}

#[tokio::test]
async fn a_write_that_is_never_answered_is_given_up() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    let bucket = Bucket::open(&(server.url("bucket") + "&retries=2"))?;
    server.meet("PUT", std::iter::repeat_n(Fault::Reset, 100));
    let error = bucket.put_if_absent("a", "1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network);
    assert!(error.to_string().contains("closed the connection"), "{error}");
    assert_eq!(server.requests().iter().filter(|line| line.starts_with("PUT")).count(), 3);
    Ok(())
}

/// A write loses its answer, and another writer changes the key before the client can check. If the lost write may have been
/// done, the error must not say that it was not: a caller who repeats it would do it twice.
#[tokio::test]
async fn a_lost_write_that_another_came_after_is_told_as_it_is() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    for (case, fault, expected, on_the_same) in [
        ("not-done", Fault::Reset, Kind::PreconditionFailed, true),
        ("done", Fault::ResetAnswer, Kind::Network, false),
        ("done-behind-a-gateway", Fault::Gateway, Kind::Network, false),
    ] {
        let etag = bucket.put(case, "1000").await?.etag.unwrap_or_default();
        let gate = Arc::new(Semaphore::new(0));
        // The request for the key after the fault is a HEAD, or the same PUT again; it is held back.
        server.meet(&format!("PUT /bucket/{case}"), [fault.clone()]);
        server.requests();
        let lost = tokio::spawn({
            let (bucket, etag) = (bucket.clone(), etag.clone());
            async move { bucket.put_if_match(case, "1001", &etag).await }
        });
        server.meet(&format!("/bucket/{case}"), [Fault::Held(Arc::clone(&gate))]);
        server.until(&format!("/bucket/{case}"), 2).await?;
        let seen = bucket.head(case).await?.and_then(|object| object.etag).unwrap_or_default();
        assert_eq!(seen == etag, on_the_same, "{case}");
        bucket.put_if_match(case, "2002", &seen).await?;
        gate.add_permits(1);
        let error = lost.await?.unwrap_err();
        assert_eq!(error.kind(), expected, "{case}: {error}");
        assert_eq!(bucket.get(case).await?, "2002", "{case}");
    }
    assert_eq!(server.pending_faults(), 0);
    Ok(())
}

#[tokio::test]
async fn a_lost_creation_that_another_came_after_is_told_as_it_is() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    for (key, fault, expected) in [("not-done", Fault::Reset, Kind::AlreadyExists), ("done", Fault::ResetAnswer, Kind::Network)] {
        let gate = Arc::new(Semaphore::new(0));
        server.meet(&format!("PUT /bucket/{key}"), [fault]);
        server.requests();
        let lost = tokio::spawn({
            let bucket = bucket.clone();
            async move { bucket.put_if_absent(key, "mine").await }
        });
        server.meet(&format!("/bucket/{key}"), [Fault::Held(Arc::clone(&gate))]);
        server.until(&format!("/bucket/{key}"), 2).await?;
        match bucket.head(key).await? {
            None => bucket.put_if_absent(key, "another's").await?,
            Some(mine) => bucket.put_if_match(key, "another's", &mine.etag.unwrap_or_default()).await?,
        };
        gate.add_permits(1);
        let error = lost.await?.unwrap_err();
        assert_eq!(error.kind(), expected, "{key}: {error}");
        assert_eq!(bucket.get(key).await?, "another's");
    }
    Ok(())
}

#[tokio::test]
async fn parts_are_sent_again() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let all = distinct(20 << 20);
    server.meet("POST /bucket/a?uploads", [BUSY, Fault::Reset, Fault::LoseAnswer]);
    server.meet("partNumber=1", [BUSY, Fault::LoseAnswer, Fault::ResetAnswer]);
    server.meet("partNumber=2", [Fault::Drop]);
    server.meet("POST /bucket/a?uploadId", [BUSY, Fault::Reset]);
    let mut writer = bucket.put_stream("a").await?;
    writer.write(all.clone()).await?;
    assert_eq!(writer.finish().await?.size, all.len() as u64);
    assert!(bucket.get("a").await? == all);
    assert_eq!(server.pending_faults(), 0);
    Ok(())
}

#[tokio::test]
async fn a_slow_store_is_waited_for_and_a_dead_one_is_not() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    let bucket = Bucket::open(&(server.url("bucket") + "&timeout=2s&retries=1"))?;
    bucket.put("a", "1").await?;
    server.meet("HEAD", [Fault::Slow(Duration::from_millis(300))]);
    assert!(bucket.head("a").await?.is_some());
    server.meet("HEAD", std::iter::repeat_n(Fault::Slow(Duration::from_hours(1)), 10));
    let error = bucket.head("a").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network);
    assert!(error.to_string().contains("did not answer"), "{error}");
    Ok(())
}
