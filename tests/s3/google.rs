//! `gs://` on a fake of Google's XML API: the suite, and behavior that only Google has.

use pipeline_runtime::BucketErrorKind as Kind;

use crate::cases::{Tested, distinct, keys, kind};
use crate::gcs::Google;

macro_rules! on_google {
    ($($case:ident),+ $(,)?) => {
        mod suite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Tested {
                    // Google's multipart uploads have no conditions, so these cases use one request. Multipart uploads have tests
                    // of their own.
                    let server = super::Google::start().await?;
                    crate::cases::$case(server.bucket("&part_size=64MiB")?).await
                }
            )+
        }
    };
}

crate::cases::every!(on_google);

/// An `ETag` is the generation wherever it is reported; otherwise it could not be used as a condition.
#[tokio::test]
async fn an_etag_is_the_generation() -> Tested {
    let server = Google::start().await?;
    let bucket = server.bucket("")?;
    let first = bucket.put("a", "same").await?;
    let second = bucket.put("a", "same").await?;
    assert_ne!(first.etag, second.etag, "also of the same bytes");
    let etag = second.etag.clone().unwrap_or_default();
    assert!(etag.trim_matches('"').parse::<u64>().is_ok(), "{etag}");
    assert_eq!(bucket.list("").await?[0].etag, second.etag);
    assert_eq!(bucket.get_stream("a").await?.object().etag, second.etag);
    let mut writer = bucket.put_stream("large").await?;
    writer.write(distinct(9 << 20)).await?;
    let large = writer.finish().await?;
    assert_eq!(bucket.head("large").await?.as_ref(), Some(&large));
    assert!(bucket.get("large").await? == distinct(9 << 20));
    bucket.put_if_match("large", "small", large.etag.as_deref().unwrap_or_default()).await?;
    // An ETag that is not a generation matches no object, and does not mean that the object must be absent.
    for none in ["0", "\"0\"", "x", "\"\""] {
        assert_eq!(kind(bucket.put_if_match("a", "3", none).await), Some(Kind::PreconditionFailed), "{none}");
        assert_eq!(kind(bucket.put_if_match("missing", "3", none).await), Some(Kind::PreconditionFailed), "{none}");
    }
    Ok(())
}

/// A probe finds this out, and leaves nothing behind.
#[tokio::test]
async fn parts_have_no_condition_and_are_refused_one() -> Tested {
    let server = Google::start().await?;
    let bucket = server.bucket("")?;
    bucket.put_if_absent("small", "1").await?;
    let probes = server.requests().iter().filter(|line| line.contains(".pipeline-probe-")).count();
    assert_eq!(probes, 1, "one request keeps its condition");
    let mut writer = bucket.put_stream_if_absent("large").await?;
    let error = writer.write(distinct(9 << 20)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("`?part_size=64MiB` in the bucket's URL"), "{error}");
    drop(writer);
    // Appending to a small object is a single request.
    let etag = bucket.put("log", "1\n").await?.etag.unwrap_or_default();
    let mut writer = bucket.append_stream("log", &etag, 2).await?;
    writer.write("2\n").await?;
    writer.finish().await?;
    assert_eq!(bucket.get("log").await?, "1\n2\n");
    assert_eq!(keys(&bucket.list("").await?), ["log", "small"]);
    Ok(())
}

#[tokio::test]
async fn a_missing_bucket_and_names_that_are_no_keys_are_told() -> Tested {
    let server = Google::start().await?;
    let missing = server.elsewhere("none-such")?;
    assert_eq!(kind(missing.head("a").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(missing.list("").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(missing.put("a", "1").await), Some(Kind::NoSuchBucket));
    for name in ["good", "a//b", "/a", "folder/"] {
        server.put(name);
    }
    assert_eq!(keys(&server.bucket("")?.list("").await?), ["good"]);
    Ok(())
}

/// From one store to another, through this process.
#[tokio::test]
async fn an_object_is_copied_to_s3_and_back() -> Tested {
    let (google, amazon) = (Google::start().await?, crate::server::Server::start().await?);
    let (from, to) = (google.bucket("")?, amazon.bucket("copied")?);
    let all = distinct(9 << 20);
    let mut writer = from.put_stream("raw/a").await?;
    writer.write(all.clone()).await?;
    writer.finish().await?;
    assert_eq!(from.copy_to(&to, "raw/a").await?.bucket, "copied");
    assert!(to.get("raw/a").await? == all);
    to.put("raw/a", "new").await?;
    to.copy_to(&from, "raw/a").await?;
    assert_eq!(from.get("raw/a").await?, "new");
    Ok(())
}
