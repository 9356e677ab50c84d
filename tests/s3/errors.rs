//! Kinds of errors, and what none of their texts contains.

use std::error::Error;

use hyper::StatusCode;
use pipeline_runtime::{Bucket, BucketError, BucketErrorKind as Kind};

use crate::cases::{Tested, kind};
use crate::server::{Fault, SECRET, Server};

#[tokio::test]
async fn a_missing_bucket_is_no_missing_key() -> Tested {
    let server = Server::start().await?;
    let bucket = Bucket::open(&server.url("nowhere"))?;
    assert_eq!(kind(bucket.head("a").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(bucket.list("").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(bucket.find_first("a*").await), Some(Kind::NoSuchBucket));
    server.make("nowhere")?;
    assert_eq!(bucket.head("a").await?, None, "a failed look is not remembered");
    server.requests();
    assert_eq!(bucket.head("a").await?, None);
    assert_eq!(server.requests(), ["HEAD /nowhere/a"], "once it was seen, one request is enough");
    Ok(())
}

#[tokio::test]
async fn wrong_credentials_are_an_error_at_every_look() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    for (url, expected) in [
        (server.url("bucket").replace("AKIATEST", "AKIANONE"), "does not know the access key id"),
        (server.url("bucket").replace("not%2F", "but%2F"), "secret access key is wrong"),
    ] {
        let bucket = Bucket::open(&url)?;
        let looks = [
            bucket.head("a").await.err(),
            bucket.list("").await.err(),
            bucket.get("a").await.err(),
            bucket.put("a", "1").await.err(),
            bucket.put_if_absent("a", "1").await.err(),
        ];
        for error in looks.into_iter().map(Option::unwrap) {
            assert_eq!(error.kind(), Kind::PermissionDenied, "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            no_secret(&error);
        }
    }
    Ok(())
}

#[tokio::test]
async fn answers_of_the_store_have_kinds_of_their_own() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    bucket.put("a", "1").await?;
    for (status, code, expected) in [
        (StatusCode::FORBIDDEN, "AccessDenied", Kind::PermissionDenied),
        (StatusCode::BAD_REQUEST, "ExpiredToken", Kind::ExpiredCredentials),
        (StatusCode::SERVICE_UNAVAILABLE, "SlowDown", Kind::Throttled),
        (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", Kind::Network),
        (StatusCode::NOT_FOUND, "NoSuchBucket", Kind::NoSuchBucket),
    ] {
        server.meet("GET /bucket", std::iter::repeat_n(Fault::Status(status, code), 20));
        for error in [bucket.list("").await.unwrap_err(), bucket.get("a").await.unwrap_err()] {
            assert_eq!(error.kind(), expected, "{error}");
            no_secret(&error);
        }
        server.forget();
    }
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_the_networks_failure() -> Tested {
    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let url = format!("s3://bucket?endpoint=http://127.0.0.1:{port}&access_key_id=x&secret_access_key={SECRET}&retries=1");
    let bucket = Bucket::open(&url)?;
    let error = bucket.head("a").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network);
    assert!(error.to_string().contains(&format!("http://127.0.0.1:{port} could not be reached")), "{error}");
    no_secret(&error);
    assert_eq!((bucket.url(), bucket.name()), ("s3://bucket", "bucket"), "nor does the bucket show it");
    assert!(!format!("{bucket:?}").contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn limits_may_be_as_large_as_they_can_be_written() -> Tested {
    let server = Server::start().await?;
    server.make("limits")?;
    for settings in ["&timeout=36500d", "&retries=18446744073709551615", "&timeout=1ms", "&part_size=5GiB"] {
        let bucket = Bucket::open(&(server.url("limits") + settings))?;
        match bucket.put("a", "1").await {
            Ok(_) => assert!(bucket.head("a").await.is_ok_and(|found| found.is_some())),
            Err(error) => assert!(settings.contains("1ms") && error.kind() == Kind::Network, "{settings}: {error}"),
        }
    }
    Ok(())
}

/// Asserts that neither the error nor its causes contain the secret.
fn no_secret(error: &BucketError) {
    let mut link: Option<&dyn Error> = Some(error);
    while let Some(error) = link {
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(SECRET) && !text.contains("Signature="), "{text}");
        }
        link = error.source();
    }
}
