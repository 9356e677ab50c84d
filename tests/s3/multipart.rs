//! Objects larger than a part, which is 8 MiB.

use pipeline_runtime::{Bucket, BucketErrorKind as Kind};

use crate::cases::{Tested, distinct, keys, kind};
use crate::server::Server;

const PART: usize = 8 << 20;

fn uploads(asked: &[String]) -> [usize; 4] {
    let count = |method: &str, part: &str| asked.iter().filter(|line| line.starts_with(method) && line.contains(part)).count();
    [count("POST", "uploads"), count("PUT", "partNumber"), count("POST", "uploadId"), count("DELETE", "uploadId")]
}

async fn write(bucket: &Bucket, key: &str, body: &[u8]) -> Result<pipeline_runtime::Object, pipeline_runtime::BucketError> {
    let mut writer = bucket.put_stream(key).await?;
    for chunk in body.chunks(3 << 20) {
        writer.write(chunk.to_vec()).await?;
    }
    writer.finish().await
}

#[tokio::test]
async fn large_objects_go_in_parts_and_come_back_whole() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let all = distinct(2 * PART + 12_345);
    for (size, parts) in [(all.len(), 3), (2 * PART, 2), (PART - 1, 0)] {
        server.requests();
        let object = write(&bucket, "big", &all[..size]).await?;
        assert_eq!(object.size, size as u64);
        assert_eq!(uploads(&server.requests())[1], parts, "{size}");
        assert!(bucket.get("big").await? == all[..size]);
    }
    assert!(bucket.get_range("big", 1_000_000..7_000_000).await? == all[1_000_000..7_000_000]);
    Ok(())
}

#[tokio::test]
async fn an_upload_given_up_leaves_nothing_behind() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    bucket.put("a", "old").await?;
    let mut aborted = bucket.put_stream("a").await?;
    aborted.write(vec![0; PART + 1]).await?;
    aborted.abort().await?;
    assert_eq!(uploads(&server.requests()), [1, 1, 0, 1]);

    let mut dropped = bucket.put_stream("a").await?;
    dropped.write(vec![0; PART + 1]).await?;
    drop(dropped);
    let mut asked = Vec::new();
    tokio::time::timeout(std::time::Duration::from_mins(1), async {
        while uploads(&asked)[3] == 0 {
            asked.extend(server.requests());
            tokio::task::yield_now().await;
        }
    })
    .await?;
    assert_eq!(uploads(&asked), [1, 1, 0, 1]);
    assert_eq!(bucket.get("a").await?, "old");
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

#[tokio::test]
async fn conditions_hold_for_uploads_in_parts() -> Tested {
    let server = Server::start().await?;
    let bucket = server.bucket("bucket")?;
    let big = distinct(PART + 1);
    let (mut first, mut second) = (bucket.put_stream_if_absent("a").await?, bucket.put_stream_if_absent("a").await?);
    first.write(big.clone()).await?;
    second.write(vec![2; PART + 1]).await?;
    let first = first.finish().await?;
    assert_eq!(kind(second.finish().await), Some(Kind::AlreadyExists));
    assert!(bucket.get("a").await? == big);

    let etag = first.etag.unwrap_or_default();
    let (mut third, mut fourth) = (bucket.put_stream_if_match("a", &etag).await?, bucket.put_stream_if_match("a", &etag).await?);
    third.write(vec![3; PART + 1]).await?;
    fourth.write(vec![4; PART + 1]).await?;
    third.finish().await?;
    assert_eq!(kind(fourth.finish().await), Some(Kind::PreconditionFailed));
    assert!(bucket.get("a").await? == vec![3; PART + 1]);
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

#[tokio::test]
async fn a_large_object_is_copied_to_a_bucket_of_another_store() -> Tested {
    let server = Server::start().await?;
    let (bucket, memory) = (server.bucket("bucket")?, Bucket::open("memory://copied-to-s3")?);
    let all = distinct(2 * PART + 12_345);
    memory.put("big", all.clone()).await?;
    assert_eq!(memory.copy_to(&bucket, "big").await?.size, all.len() as u64);
    assert_eq!(uploads(&server.requests())[1], 3, "in parts");
    memory.delete("big").await?;
    bucket.copy_to(&memory, "big").await?;
    assert!(memory.get("big").await? == all);
    Ok(())
}

#[tokio::test]
async fn what_is_written_may_have_checksums() -> Tested {
    let server = Server::start().await?;
    server.make("bucket")?;
    let bucket = Bucket::open(&(server.url("bucket") + "&checksum=sha256"))?;
    let all = distinct(PART + 1);
    write(&bucket, "big", &all).await?;
    bucket.put_if_absent("small", "1").await?;
    assert!(bucket.get("big").await? == all && bucket.get("small").await? == "1");
    Ok(())
}
