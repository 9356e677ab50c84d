//! The suite on another server: `S3_TEST_ENDPOINT`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or with
//! `S3_TEST_SCHEME=az` and Azure's variables. Each case needs an empty bucket of its name, with `-` for `_`. `.ci/s3` starts
//! several servers in turn; without it nothing here runs.
//!
//! Each case is a row of the table in `docs/storage.md`.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use pipeline_runtime::{Bucket, BucketErrorKind as Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::cases::{Tested, keys, kind};

/// The bucket of a case, with further settings.
fn bucket(case: &str, settings: &str) -> Result<Bucket, Box<dyn std::error::Error>> {
    Ok(Bucket::open(&right_url(case, &std::env::var("S3_TEST_ENDPOINT")?, settings))?)
}

fn right_url(case: &str, endpoint: &str, settings: &str) -> String {
    let scheme = if is_azure() { "az" } else { "s3" };
    // Azure has no such setting.
    let settings = if is_azure() { settings.replace("&checksum=sha256", "") } else { settings.to_owned() };
    format!("{scheme}://{}?endpoint={endpoint}{settings}", case.replace('_', "-"))
}

fn is_azure() -> bool {
    std::env::var("S3_TEST_SCHEME").is_ok_and(|scheme| scheme == "az")
}

macro_rules! on_the_given_server {
    ($($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a server: see .ci/s3"]
            async fn $case() -> crate::Tested {
                crate::cases::$case(bucket(stringify!($case), "")?).await
            }
        )+
    };
}

crate::cases::every!(on_the_given_server);

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn listings_go_on_over_pages() -> Tested {
    let bucket = bucket("listings_go_on_over_pages", "")?;
    let all: Vec<String> = (0..2500).map(|number| format!("raw/{:02}/{number:04}.csv", number / 100)).collect();
    stream::iter(&all).map(|key| bucket.put(key, "x")).buffer_unordered(50).try_for_each(async |_| Ok(())).await?;
    bucket.put("rawer.csv", "x").await?;
    assert_eq!(keys(&bucket.list("raw/").await?), all);
    assert_eq!(bucket.list("").await?.len(), 2501);
    let (mut listing, mut streamed) = (bucket.list_stream("raw/")?, Vec::new());
    while let Some(object) = listing.try_next().await? {
        streamed.push(object.key);
    }
    streamed.sort();
    assert_eq!(streamed, all);
    assert_eq!(bucket.find("raw/*9.csv").await?.len(), 250);
    let last = bucket.find_first("raw/*2499.csv").await?;
    assert_eq!(last.map(|object| object.key).as_ref(), all.last(), "on the third page");
    assert_eq!(bucket.find_first("raw/*.json").await?, None);
    assert_eq!(bucket.list_prefixes("raw/").await?.len(), 25);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn bad_signatures_are_refused() -> Tested {
    let right = bucket("bad_signatures_are_refused", "")?;
    right.put("a", "1").await?;
    if is_azure() {
        // The key comes only from the environment; for another account its signature is wrong.
        let wrong = bucket("bad_signatures_are_refused", "&account=another")?;
        assert_eq!(kind(wrong.put("a", "2").await), Some(Kind::PermissionDenied));
        assert_eq!(right.get("a").await?, "1");
        return Ok(());
    }
    for (settings, expected) in [
        (
            format!("&access_key_id={}&secret_access_key=wrong", std::env::var("AWS_ACCESS_KEY_ID")?),
            "the secret access key is wrong",
        ),
        // Some stores report an unknown id as a wrong secret; our message then mentions both.
        ("&access_key_id=nobody&secret_access_key=testtest".into(), "does not know the"),
    ] {
        let wrong = bucket("bad_signatures_are_refused", &settings)?;
        for error in [
            wrong.head("a").await.unwrap_err(),
            wrong.list("").await.unwrap_err(),
            wrong.get("a").await.unwrap_err(),
            wrong.put("a", "2").await.unwrap_err(),
            wrong.delete("a").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::PermissionDenied, "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
    assert_eq!(right.get("a").await?, "1");
    Ok(())
}

/// `.ci/s3` enables versions for this bucket, and checks them afterwards.
#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn versions_are_kept_and_not_seen() -> Tested {
    let bucket = bucket("versions_are_kept_and_not_seen", "")?;
    let old = bucket.put("a", "old").await?;
    let old = old.etag.unwrap_or_default();
    let new = bucket.put_if_match("a", "new", &old).await?;
    assert_eq!(kind(bucket.put_if_match("a", "late", &old).await), Some(Kind::PreconditionFailed));
    assert_eq!(kind(bucket.put_if_absent("a", "late").await), Some(Kind::AlreadyExists));
    assert_eq!(bucket.head("a").await?, Some(new));
    assert_eq!(keys(&bucket.list("").await?), ["a"]);

    bucket.delete("a").await?;
    assert_eq!((bucket.head("a").await?, bucket.list("").await?), (None, vec![]), "a deleted key is free");
    assert_eq!(kind(bucket.get("a").await), Some(Kind::NoSuchKey));
    bucket.put_if_absent("a", "third").await?;
    bucket.rename("a", "b").await?;
    bucket.copy_if_absent("b", "a").await?;
    assert_eq!((bucket.get("a").await?, bucket.get("b").await?), ("third".into(), "third".into()));
    assert_eq!(keys(&bucket.list("").await?), ["a", "b"]);
    Ok(())
}

/// `.ci/s3` has put `good` into this bucket, and names that are not valid keys.
#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn foreign_names_spoil_no_listing() -> Tested {
    let bucket = bucket("foreign_names_spoil_no_listing", "")?;
    assert!(keys(&bucket.list("").await?).contains(&"good"));
    assert_eq!(bucket.find_first("goo*").await?.map(|object| object.key).as_deref(), Some("good"));
    bucket.list_prefixes("").await?;
    bucket.list_prefixes("a/").await?;
    Ok(())
}

/// A poll since the time of the last one sees each object, although two clocks are involved.
#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn a_poll_loses_nothing() -> Tested {
    let bucket = bucket("a_poll_loses_nothing", "")?;
    for number in 0..30 {
        let (key, asked) = (format!("{number:02}"), chrono::Utc::now());
        bucket.put(&key, "x").await?;
        assert!(keys(&bucket.modified_since("", asked).await?).contains(&key.as_str()), "{key}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn what_is_uploaded_in_parts_is_seen_as_it_was_told() -> Tested {
    let bucket = bucket("what_is_uploaded_in_parts_is_seen_as_it_was_told", "")?;
    let mut writer = bucket.put_stream("a").await?;
    writer.write(vec![7; 9 << 20]).await?;
    let written = writer.finish().await?;
    assert_eq!(bucket.head("a").await?, Some(written));
    Ok(())
}

/// With a part size larger than the object.
#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn large_writes_by_one_request_keep_their_conditions() -> Tested {
    let bucket = bucket("large_writes_by_one_request_keep_their_conditions", "&part_size=16MiB")?;
    let begin = async || {
        let mut writer = bucket.put_stream_if_absent("a").await?;
        writer.write(vec![7; 9 << 20]).await.map(|()| writer)
    };
    let (first, second) = (begin().await?, begin().await?);
    let etag = first.finish().await?.etag.unwrap_or_default();
    assert_eq!(kind(second.finish().await), Some(Kind::AlreadyExists));
    let begin = async || {
        let mut writer = bucket.put_stream_if_match("a", &etag).await?;
        writer.write(vec![7; 10 << 20]).await.map(|()| writer)
    };
    let (first, second) = (begin().await?, begin().await?);
    first.finish().await?;
    assert_eq!(kind(second.finish().await), Some(Kind::PreconditionFailed));
    Ok(())
}

/// With conditions that are checked here instead of by the store.
#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn without_its_conditions_all_can_be_written() -> Tested {
    let bucket = bucket("without_its_conditions_all_can_be_written", "&conditions=none")?;
    let first = bucket.put_if_absent("a", "1").await?;
    assert_eq!(kind(bucket.put_if_absent("a", "2").await), Some(Kind::AlreadyExists));
    bucket.put_if_match("a", "2", &first.etag.unwrap_or_default()).await?;
    let mut writer = bucket.put_stream_if_absent("b").await?;
    writer.write(vec![7; 9 << 20]).await?;
    writer.finish().await?;
    bucket.copy_if_absent("b", "c").await?;
    assert_eq!(keys(&bucket.list("").await?), ["a", "b", "c"]);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn with_checksums_all_can_be_written() -> Tested {
    let bucket = bucket("with_checksums_all_can_be_written", "&checksum=sha256")?;
    bucket.put("a", "1").await?;
    let mut writer = bucket.put_stream("b").await?;
    writer.write(vec![7; 17 << 20]).await?;
    let written = writer.finish().await?;
    bucket.copy("b", "c").await?;
    assert!(bucket.get("c").await? == vec![7; 17 << 20]);
    assert_eq!(bucket.head("b").await?, Some(written));
    assert_eq!(keys(&bucket.list("").await?), ["a", "b", "c"]);
    Ok(())
}

/// Accepts one connection to a server, and cuts it off after the head of the first request. Returns once the server has closed
/// it.
async fn cut_off(listener: TcpListener, server: String) -> std::io::Result<()> {
    let (mut client, _) = listener.accept().await?;
    let mut server = TcpStream::connect(server).await?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).await? > 0 {
        head.push(byte[0]);
    }
    server.write_all(&head).await?;
    server.shutdown().await?;
    // The answer does not matter; the server may reset the connection.
    let _ = server.read_to_end(&mut Vec::new()).await;
    Ok(())
}

async fn nothing_changes_by_what_is_cut_off(case: &str, settings: &str) -> Tested {
    let right = bucket(case, "")?;
    right.put("a", "old").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = std::env::var("S3_TEST_ENDPOINT")?;
    let server = endpoint.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
    let url = right_url(case, &endpoint.replace(&server, &listener.local_addr()?.to_string()), &format!("&retries=0{settings}"));
    let cut = tokio::spawn(cut_off(listener, server));
    assert!(Bucket::open(&url)?.put("a", "new").await.is_err());
    cut.await??;
    assert_eq!(right.get("a").await?, "old");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn what_is_cut_off_changes_nothing() -> Tested {
    nothing_changes_by_what_is_cut_off("what_is_cut_off_changes_nothing", "").await
}

#[tokio::test]
#[ignore = "needs a server: see .ci/s3"]
async fn with_checksums_what_is_cut_off_changes_nothing() -> Tested {
    nothing_changes_by_what_is_cut_off("with_checksums_what_is_cut_off_changes_nothing", "&checksum=sha256").await
}
