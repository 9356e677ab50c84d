//! The suite on another server: `S3_TEST_ENDPOINT`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and an empty bucket for
//! each case, of its name with `-` for `_`. `.ci/run` starts one; without it nothing of this runs.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use pipeline_runtime::{Bucket, BucketErrorKind as Kind};

use crate::cases::{Tested, keys, kind};

/// The bucket of a case, with further settings.
fn bucket(case: &str, settings: &str) -> Result<Bucket, Box<dyn std::error::Error>> {
    let endpoint = std::env::var("S3_TEST_ENDPOINT")?;
    Ok(Bucket::open(&format!("s3://{}?endpoint={endpoint}{settings}", case.replace('_', "-")))?)
}

macro_rules! on_the_given_server {
    ($($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a server: see .ci/run"]
            async fn $case() -> crate::Tested {
                crate::cases::$case(bucket(stringify!($case), "")?).await
            }
        )+
    };
}

crate::cases::every!(on_the_given_server);

#[tokio::test]
#[ignore = "needs a server: see .ci/run"]
async fn listings_go_on_over_pages() -> Tested {
    let bucket = bucket("listings_go_on_over_pages", "")?;
    let all: Vec<String> = (0..2500).map(|number| format!("raw/{:02}/{number:04}.csv", number / 100)).collect();
    stream::iter(&all).map(|key| bucket.put(key, "x")).buffer_unordered(50).try_for_each(async |_| Ok(())).await?;
    bucket.put("rawer.csv", "x").await?;
    assert_eq!(keys(&bucket.list("raw/").await?), all);
    assert_eq!(bucket.list("").await?.len(), 2501);
    assert_eq!(bucket.find("raw/*9.csv").await?.len(), 250);
    let last = bucket.find_first("raw/*2499.csv").await?;
    assert_eq!(last.map(|object| object.key).as_ref(), all.last(), "on the third page");
    assert_eq!(bucket.find_first("raw/*.json").await?, None);
    assert_eq!(bucket.list_prefixes("raw/").await?.len(), 25);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a server: see .ci/run"]
async fn bad_signatures_are_refused() -> Tested {
    let right = bucket("bad_signatures_are_refused", "")?;
    right.put("a", "1").await?;
    for (settings, expected) in [
        ("&access_key_id=test&secret_access_key=wrong", "the secret access key is wrong"),
        ("&access_key_id=nobody&secret_access_key=testtest", "does not know the access key id"),
    ] {
        let wrong = bucket("bad_signatures_are_refused", settings)?;
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

/// `.ci/s3` lets this bucket keep versions, and looks afterwards that it did.
#[tokio::test]
#[ignore = "needs a server: see .ci/run"]
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
