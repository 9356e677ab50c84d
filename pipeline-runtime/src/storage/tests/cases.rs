//! The behavior that all stores share: one suite over `file://`, `memory://` and, in `tests/s3`, over `s3://`.
//!
//! A case gets an empty bucket of its own, and knows nothing else about it.

use std::error::Error;

use chrono::TimeDelta;
use futures_util::future::{join_all, poll_immediate};
use pipeline_runtime::{Bucket, BucketError, BucketErrorKind as Kind, Object, ObjectListing};

pub(crate) type Tested = Result<(), Box<dyn Error>>;

/// Passes the names of all cases to a macro.
macro_rules! every {
    ($do:ident) => {
        $do! {
            an_object_is_written_read_and_deleted,
            what_was_put_is_what_is_seen,
            any_valid_key_is_kept,
            prefixes_are_bytes,
            folders_are_listed_without_what_is_in_them,
            patterns_cross_folders,
            a_stream_lists_what_a_listing_does,
            a_put_replaces_and_conditions_hold,
            copies_are_objects_of_their_own,
            renames_move,
            missing_keys_are_told_from_other_failures,
            invalid_keys_are_refused_everywhere,
            one_creator_wins,
            no_update_is_lost,
            a_plain_put_is_not_lost_to_a_conditional_one,
            changes_are_found_by_time,
            an_empty_object_is_an_object,
            a_dropped_operation_leaves_a_whole_object,
            what_is_streamed_in_is_streamed_out,
            any_part_can_be_read,
            a_reader_keeps_to_its_object,
            a_stream_shows_when_it_is_finished_and_only_then,
            streams_keep_their_conditions,
            one_copy_wins,
            of_large_streams_one_creator_wins,
            large_streams_lose_no_update,
            the_end_of_an_object_is_read,
            what_is_appended_follows_what_is_kept,
            large_objects_grow_and_lose_no_update,
        }
    };
}
pub(crate) use every;

pub(crate) fn kind<T>(result: Result<T, BucketError>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

pub(crate) fn keys(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

/// Bytes without repeating parts, so that a lost, doubled or misplaced part is noticed.
pub(crate) fn distinct(size: usize) -> Vec<u8> {
    (0_u64..).flat_map(u64::to_le_bytes).take(size).collect()
}

pub(crate) async fn an_object_is_written_read_and_deleted(bucket: Bucket) -> Tested {
    assert_eq!(bucket.head("raw/a.json").await?, None);
    bucket.put("raw/a.json", "{}").await?;
    assert_eq!(bucket.get("raw/a.json").await?, "{}");
    bucket.delete("raw/a.json").await?;
    assert_eq!(bucket.head("raw/a.json").await?, None);
    Ok(bucket.delete("raw/a.json").await?)
}

pub(crate) async fn what_was_put_is_what_is_seen(bucket: Bucket) -> Tested {
    let put = bucket.put("raw/a.json", "[1]").await?;
    assert_eq!((put.bucket.as_str(), put.key.as_str(), put.size), (bucket.name(), "raw/a.json", 3));
    assert!(put.etag.is_some());
    assert_eq!(bucket.head("raw/a.json").await?.as_ref(), Some(&put));
    assert_seen(&bucket.list("").await?, &put);
    assert_eq!(serde_json::from_str::<Object>(&serde_json::to_string(&put)?)?, put);

    let replaced = bucket.put_if_match("raw/a.json", "[2]", put.etag.as_deref().unwrap_or_default()).await?;
    assert_eq!(bucket.head("raw/a.json").await?.as_ref(), Some(&replaced));
    let copied = bucket.copy("raw/a.json", "b/c").await?;
    assert_seen(&bucket.find("b/*").await?, &copied);
    let renamed = bucket.rename("b/c", "b/d").await?;
    assert_eq!(bucket.head("b/d").await?, Some(renamed));
    Ok(())
}

/// Checks that a listing shows an object as a lookup of its key does. Not every S3 server has etags in its listings, and some
/// report more precise times there.
fn assert_seen(listed: &[Object], put: &Object) {
    let [seen] = listed else { panic!("{listed:?}") };
    if seen.etag.is_some() {
        assert_eq!(seen.etag, put.etag);
    }
    let apart = seen.last_modified - put.last_modified;
    assert!(
        apart.is_zero() || put.last_modified.timestamp_subsec_nanos() == 0 && apart < TimeDelta::seconds(1),
        "{seen:?} {put:?}"
    );
    assert_eq!((&seen.bucket, &seen.key, seen.size), (&put.bucket, &put.key, put.size));
}

/// Without a backslash, which some servers treat as a `/`.
pub(crate) async fn any_valid_key_is_kept(bucket: Bucket) -> Tested {
    let mut all = ["ü/ß é.csv", "a b/100%/x?y*[z]", "..a/b..", "x#y", "raw/.hidden", "%2E%2E/x", "a+b&c=d", "日本/語"];
    all.sort_unstable();
    for key in all {
        bucket.put(key, key).await?;
        assert_eq!(bucket.get(key).await?, key);
    }
    assert_eq!(keys(&bucket.list("").await?), all);
    for key in all {
        bucket.delete(key).await?;
    }
    assert!(bucket.list("").await?.is_empty());
    Ok(())
}

pub(crate) async fn prefixes_are_bytes(bucket: Bucket) -> Tested {
    for key in ["raw/daily_2.csv", "raw/daily/1.csv", "raw/daily_1.csv", "raw/hourly.csv", "rawhide", "other/daily"] {
        bucket.put(key, "x").await?;
    }
    for (prefix, expected) in [
        ("raw/daily_", &["raw/daily_1.csv", "raw/daily_2.csv"][..]),
        ("raw/dai", &["raw/daily/1.csv", "raw/daily_1.csv", "raw/daily_2.csv"]),
        ("raw/", &["raw/daily/1.csv", "raw/daily_1.csv", "raw/daily_2.csv", "raw/hourly.csv"]),
        ("rawh", &["rawhide"]),
        ("rawhide", &["rawhide"]),
        ("rawhide/", &[]),
        ("nothing/here/", &[]),
    ] {
        assert_eq!(keys(&bucket.list(prefix).await?), expected, "{prefix}");
    }
    assert_eq!(bucket.list("").await?.len(), 6);
    Ok(())
}

pub(crate) async fn folders_are_listed_without_what_is_in_them(bucket: Bucket) -> Tested {
    for key in [
        "source/b/2024-03-25/x.csv",
        "source/b/2024-03-26/x.csv",
        "source/a/x.csv",
        "source/ab/x/y.csv",
        "source/file",
        "sources/c",
    ] {
        bucket.put(key, "x").await?;
    }
    assert_eq!(bucket.list_prefixes("source/").await?, ["source/a/", "source/ab/", "source/b/"]);
    assert_eq!(bucket.list_prefixes("source/a").await?, ["source/a/", "source/ab/"]);
    assert_eq!(bucket.list_prefixes("").await?, ["source/", "sources/"]);
    assert_eq!(bucket.list_prefixes("source/b/").await?, ["source/b/2024-03-25/", "source/b/2024-03-26/"]);
    assert!(bucket.list_prefixes("nowhere/").await?.is_empty() && bucket.list_prefixes("source/file").await?.is_empty());
    assert_eq!(kind(bucket.list_prefixes("../").await), Some(Kind::InvalidKey));
    Ok(())
}

pub(crate) async fn patterns_cross_folders(bucket: Bucket) -> Tested {
    for key in ["raw/a.json", "raw/b.csv", "raw/eu/c.json", "raw/eu/.d.json", "raw.json"] {
        bucket.put(key, "x").await?;
    }
    for (glob, expected) in [
        ("raw/*.json", &["raw/a.json", "raw/eu/.d.json", "raw/eu/c.json"][..]),
        ("raw/?.json", &["raw/a.json"]),
        ("raw/[!a].*", &["raw/b.csv"]),
        ("*.csv", &["raw/b.csv"]),
        ("raw/a.json", &["raw/a.json"]),
        ("raw", &[]),
        ("nothing/*", &[]),
    ] {
        assert_eq!(keys(&bucket.find(glob).await?), expected, "{glob}");
        let first = bucket.find_first(glob).await?.map(|object| object.key);
        assert_eq!(first.as_deref(), expected.first().copied(), "{glob}");
    }
    assert_eq!(kind(bucket.find("raw/[").await), Some(Kind::InvalidKey));
    Ok(())
}

pub(crate) async fn a_stream_lists_what_a_listing_does(bucket: Bucket) -> Tested {
    for key in ["a-b/x", "a.csv", "a/x", "a/z/1", "a/z.csv", "b", "é/x"] {
        bucket.put(key, key).await?;
    }
    let streamed = async |mut listing: ObjectListing| {
        let mut objects = Vec::new();
        while let Some(object) = listing.try_next().await? {
            objects.push(object);
        }
        assert_eq!(listing.try_next().await?, None, "it has ended");
        // A store may list by folder.
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok::<_, BucketError>(objects)
    };
    for prefix in ["", "a", "a/", "a/z", "é", "none"] {
        assert_eq!(streamed(bucket.list_stream(prefix)?).await?, bucket.list(prefix).await?, "{prefix}");
    }
    for glob in ["*", "a/*.csv", "*x", "b", "none", "none*"] {
        assert_eq!(streamed(bucket.find_stream(glob)?).await?, bucket.find(glob).await?, "{glob}");
    }
    let last = bucket.put("c", "late").await?.last_modified;
    let new = streamed(bucket.list_stream("")?.modified_since(last)).await?;
    assert_eq!(new, bucket.modified_since("", last).await?);
    assert!(new.iter().any(|object| object.key == "c"));
    assert!(streamed(bucket.list_stream("")?.modified_since(last + TimeDelta::days(1))).await?.is_empty());
    for wrong in ["../", "/", "a//"] {
        assert_eq!(kind(bucket.list_stream(wrong)), Some(Kind::InvalidKey), "{wrong}");
        assert_eq!(kind(bucket.find_stream(&format!("{wrong}/*"))), Some(Kind::InvalidKey), "{wrong}");
    }
    Ok(())
}

pub(crate) async fn a_put_replaces_and_conditions_hold(bucket: Bucket) -> Tested {
    let first = bucket.put_if_absent("a", "1").await?;
    assert_eq!(kind(bucket.put_if_absent("a", "2").await), Some(Kind::AlreadyExists));
    let second = bucket.put("a", "3").await?;
    assert_ne!(first.etag, second.etag);
    let old = first.etag.unwrap_or_default();
    assert_eq!(kind(bucket.put_if_match("a", "4", &old).await), Some(Kind::PreconditionFailed));
    assert_eq!(bucket.get("a").await?, "3");
    let third = bucket.put_if_match("a", "5", second.etag.as_deref().unwrap_or_default()).await?;
    assert_ne!(third.etag, second.etag);
    assert_eq!(bucket.get("a").await?, "5");
    for missing in ["b", "no/folder/b"] {
        assert_eq!(kind(bucket.put_if_match(missing, "6", &old).await), Some(Kind::PreconditionFailed));
    }
    assert_eq!(keys(&bucket.list("").await?), ["a"], "no trace of how it was done");
    Ok(())
}

pub(crate) async fn copies_are_objects_of_their_own(bucket: Bucket) -> Tested {
    let big = vec![7; 3 << 20];
    bucket.put("a", big.clone()).await?;
    bucket.put("b", "replaced").await?;
    let copy = bucket.copy("a", "b").await?;
    assert_eq!((copy.key.as_str(), copy.size), ("b", 3 << 20));
    bucket.put("a", "changed").await?;
    assert_eq!(bucket.get("b").await?, big);
    // With a hard link between the two names, this rename would do nothing.
    bucket.copy("a", "c/d").await?;
    bucket.rename("a", "c/d").await?;
    assert_eq!(keys(&bucket.list("").await?), ["b", "c/d"]);
    bucket.copy("b", "b").await?;
    assert_eq!(bucket.get("b").await?, big);
    Ok(())
}

pub(crate) async fn renames_move(bucket: Bucket) -> Tested {
    bucket.put("raw/a", "1").await?;
    bucket.put("archive/a", "0").await?;
    assert_eq!(bucket.rename("raw/a", "archive/a").await?.key, "archive/a");
    assert_eq!(bucket.get("archive/a").await?, "1");
    bucket.rename("archive/a", "archive/a").await?;
    bucket.rename("archive/a", "new/folder/a").await?;
    assert_eq!(keys(&bucket.list("").await?), ["new/folder/a"]);
    assert_eq!(kind(bucket.rename("raw/a", "raw/a").await), Some(Kind::NoSuchKey));
    Ok(())
}

pub(crate) async fn missing_keys_are_told_from_other_failures(bucket: Bucket) -> Tested {
    let url = bucket.url().to_owned();
    let error = bucket.get("raw/none.json").await.err().ok_or("read what is not there")?;
    assert_eq!(error.kind(), Kind::NoSuchKey);
    assert_eq!(error.to_string(), format!("could not read `raw/none.json` in `{url}`: there is no such key"));
    assert_eq!(kind(bucket.copy("raw/none.json", "b").await), Some(Kind::NoSuchKey));
    assert_eq!(kind(bucket.rename("raw/none.json", "b").await), Some(Kind::NoSuchKey));
    bucket.put("raw/a", "1").await?;
    assert_eq!(bucket.head("raw").await?, None, "a folder is no object");
    assert_eq!(kind(bucket.get("raw").await), Some(Kind::NoSuchKey));
    assert_eq!(bucket.head("raw/a/b").await?, None, "nor does a file hold any");
    assert_eq!(kind(bucket.get("raw/a/b").await), Some(Kind::NoSuchKey));
    bucket.delete("raw").await?;
    bucket.delete("raw/a/b").await?;
    assert_eq!(keys(&bucket.list("").await?), ["raw/a"]);
    Ok(())
}

pub(crate) async fn invalid_keys_are_refused_everywhere(bucket: Bucket) -> Tested {
    bucket.put("a", "1").await?;
    for key in ["", "../secret", "/etc/passwd", "a/../../b", "a//b", "a/", "a\0b"] {
        let all = [
            kind(bucket.head(key).await),
            kind(bucket.get(key).await),
            kind(bucket.put(key, "x").await),
            kind(bucket.put_if_absent(key, "x").await),
            kind(bucket.put_if_match(key, "x", "etag").await),
            kind(bucket.copy("a", key).await),
            kind(bucket.copy(key, "a").await),
            kind(bucket.rename("a", key).await),
            kind(bucket.rename(key, "a").await),
            kind(bucket.delete(key).await),
            kind(bucket.find(key).await),
        ];
        assert_eq!(all, [Some(Kind::InvalidKey); 11], "{key:?}");
    }
    for prefix in ["..", "../", "/", "a//"] {
        assert_eq!(kind(bucket.list(prefix).await), Some(Kind::InvalidKey), "{prefix:?}");
        assert_eq!(kind(bucket.find(&format!("{prefix}/*")).await), Some(Kind::InvalidKey), "{prefix:?}");
    }
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

pub(crate) async fn one_creator_wins(bucket: Bucket) -> Tested {
    let creators = (0..32).map(|id: u32| {
        let bucket = bucket.clone();
        tokio::spawn(async move { bucket.put_if_absent("race/x", id.to_string()).await.map(|_| id) })
    });
    let mut winners = Vec::new();
    for creator in join_all(creators).await {
        match creator? {
            Ok(id) => winners.push(id),
            Err(error) => assert_eq!(error.kind(), Kind::AlreadyExists),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(bucket.get("race/x").await?, winners[0].to_string());
    assert_eq!(keys(&bucket.list("").await?), ["race/x"]);
    Ok(())
}

pub(crate) async fn no_update_is_lost(bucket: Bucket) -> Tested {
    const WRITERS: u32 = 8;
    const EACH: u32 = 8;
    bucket.put("total", "1000").await?;
    let writers = (0..WRITERS).map(|_| {
        let bucket = bucket.clone();
        tokio::spawn(async move {
            for _ in 0..EACH {
                increment(&bucket).await?;
            }
            Ok::<_, String>(())
        })
    });
    for writer in join_all(writers).await {
        writer??;
    }
    assert_eq!(bucket.get("total").await?, (1000 + WRITERS * EACH).to_string());
    Ok(())
}

/// More than there are writers: one of them succeeds in each round.
const MOST_TRIES: usize = 1000;

/// Reads, adds one and writes conditionally, until no other writer came in between.
async fn increment(bucket: &Bucket) -> Result<(), String> {
    // Includes the kind, which the suite checks on other servers.
    let text = |error: BucketError| format!("{:?}: {error}", error.kind());
    for _ in 0..MOST_TRIES {
        // The etag is read first: a value newer than its etag fails the condition, an older one would pass it.
        let etag = bucket.head("total").await.map_err(text)?.and_then(|object| object.etag).ok_or("gone")?;
        let value = bucket.get("total").await.map_err(text)?;
        let value: u32 = String::from_utf8_lossy(&value).parse().map_err(|_| "not a number")?;
        match bucket.put_if_match("total", (value + 1).to_string(), &etag).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == Kind::PreconditionFailed => {}
            Err(error) => return Err(text(error)),
        }
    }
    Err(format!("somebody else came between {MOST_TRIES} times"))
}

pub(crate) async fn a_plain_put_is_not_lost_to_a_conditional_one(bucket: Bucket) -> Tested {
    for _ in 0..10 {
        bucket.put("total", "1000").await?;
        // From here on the folder has its lock file.
        increment(&bucket).await?;
        let counter = {
            let bucket = bucket.clone();
            tokio::spawn(async move { while increment(&bucket).await.is_ok() {} })
        };
        tokio::task::yield_now().await;
        bucket.put("total", "stop").await?;
        // Later increments see the text, and stop.
        assert_eq!(bucket.get("total").await?, "stop");
        counter.await?;
        assert_eq!(bucket.get("total").await?, "stop");
    }
    Ok(())
}

pub(crate) async fn changes_are_found_by_time(bucket: Bucket) -> Tested {
    let written = bucket.put("raw/a", "1").await?.last_modified;
    let copied = bucket.copy("raw/a", "raw/b").await?.last_modified;
    let renamed = bucket.rename("raw/b", "raw/c").await?.last_modified;
    assert!(written <= copied && copied <= renamed, "{written} {copied} {renamed}");
    assert_eq!(keys(&bucket.modified_since("raw/", written).await?), ["raw/a", "raw/c"]);
    // With whole seconds and a clock of its own, a store may place objects some seconds before or after.
    assert!(bucket.modified_since("raw/", renamed + TimeDelta::minutes(1)).await?.is_empty());
    assert!(bucket.modified_since("other/", written).await?.is_empty());
    Ok(())
}

pub(crate) async fn an_empty_object_is_an_object(bucket: Bucket) -> Tested {
    assert_eq!(bucket.put("done/_SUCCESS", "").await?.size, 0);
    assert_eq!(bucket.get("done/_SUCCESS").await?, "");
    assert_eq!(bucket.copy("done/_SUCCESS", "done/_COPY").await?.size, 0);
    assert_eq!(bucket.list("done/").await?.len(), 2);
    Ok(())
}

pub(crate) async fn a_dropped_operation_leaves_a_whole_object(bucket: Bucket) -> Tested {
    let (old, new) = ("o".repeat(1 << 20), "n".repeat(1 << 20));
    bucket.put("a", old.clone()).await?;
    drop(poll_immediate(Box::pin(bucket.put("a", new.clone()))).await);
    let now = bucket.get("a").await?;
    assert!(now == old || now == new);
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

pub(crate) async fn what_is_streamed_in_is_streamed_out(bucket: Bucket) -> Tested {
    let all = distinct((1 << 20) + 13);
    // Chunks smaller than a part, of exactly its size, and larger.
    for chunk in [1000, 256 << 10, 600_000, all.len()] {
        let mut writer = bucket.put_stream("big/a").await?;
        for chunk in all.chunks(chunk) {
            writer.write(chunk.to_vec()).await?;
        }
        let written = writer.finish().await?;
        assert_eq!((written.key.as_str(), written.size), ("big/a", all.len() as u64));
        assert_eq!(bucket.head("big/a").await?, Some(written.clone()));
        let mut reader = bucket.get_stream("big/a").await?;
        assert_eq!(reader.object(), &written);
        let mut read = Vec::new();
        while let Some(chunk) = reader.chunk().await? {
            assert!(!chunk.is_empty());
            read.extend_from_slice(&chunk);
        }
        assert!(read == all, "{chunk}");
        assert_eq!(reader.chunk().await?, None, "the end stays the end");
    }
    let empty = bucket.put_stream("empty").await?.finish().await?;
    assert_eq!((empty.size, bucket.get_stream("empty").await?.chunk().await?), (0, None));

    // As an `AsyncRead`, one chunk or less at a time.
    let mut reader = Box::pin(bucket.get_stream("big/a").await?);
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 999];
        let mut into = tokio::io::ReadBuf::new(&mut buffer);
        std::future::poll_fn(|cx| tokio::io::AsyncRead::poll_read(reader.as_mut(), cx, &mut into)).await?;
        if into.filled().is_empty() {
            break;
        }
        read.extend_from_slice(into.filled());
    }
    assert!(read == all);
    Ok(())
}

pub(crate) async fn any_part_can_be_read(bucket: Bucket) -> Tested {
    let all = distinct(700_000);
    bucket.put("a", all.clone()).await?;
    assert!(bucket.get_range("a", ..).await? == all);
    assert!(bucket.get_range("a", 1..600_001).await? == all[1..600_001]);
    assert!(bucket.get_range("a", 262_144..=300_000).await? == all[262_144..=300_000]);
    assert!(bucket.get_range("a", 699_999..).await? == all[699_999..]);
    assert!(bucket.get_range("a", 600_000..u64::MAX).await? == all[600_000..]);
    for nothing in [5..5, 700_000..700_001, 800_000..900_000] {
        assert_eq!(bucket.get_range("a", nothing).await?, "");
    }
    assert_eq!(bucket.get_stream_range("a", 699_998..).await?.object().size, 700_000);
    bucket.put("empty", "").await?;
    assert_eq!(bucket.get_range("empty", ..).await?, "");
    assert_eq!(bucket.get_range("empty", 0..10).await?, "");
    assert_eq!(kind(bucket.get_range("none", 0..10).await), Some(Kind::NoSuchKey));
    assert_eq!(kind(bucket.get_stream("none").await), Some(Kind::NoSuchKey));
    assert_eq!(kind(bucket.get_stream("../a").await), Some(Kind::InvalidKey));
    Ok(())
}

/// A chunk of the new object must never follow one of the old.
pub(crate) async fn a_reader_keeps_to_its_object(bucket: Bucket) -> Tested {
    let (old, new) = (vec![b'o'; 1 << 20], vec![b'n'; 1 << 20]);
    bucket.put("a", old.clone()).await?;
    let mut reader = bucket.get_stream("a").await?;
    let mut read = reader.chunk().await?.ok_or("empty")?.to_vec();
    bucket.put("a", new).await?;
    loop {
        match reader.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Ok(None) => break assert!(read == old),
            Err(error) => break assert_eq!(error.kind(), Kind::PreconditionFailed, "{error}"),
        }
    }
    Ok(())
}

pub(crate) async fn a_stream_shows_when_it_is_finished_and_only_then(bucket: Bucket) -> Tested {
    let big = vec![7; 600_000];
    bucket.put("kept", "old").await?;
    let mut dropped = bucket.put_stream("kept").await?;
    dropped.write(big.clone()).await?;
    drop(dropped);
    let mut aborted = bucket.put_stream("new").await?;
    aborted.write(big.clone()).await?;
    assert_eq!(aborted.key(), "new");
    aborted.abort().await?;
    bucket.put_stream("kept").await?.abort().await?;
    let mut cut_off = bucket.put_stream("kept").await?;
    // Drops the future of a write at any point: the object is discarded, or the write was done.
    if poll_immediate(Box::pin(cut_off.write(big.clone()))).await.is_none() {
        assert_eq!(kind(cut_off.write("x").await), Some(Kind::Other));
        assert_eq!(kind(cut_off.finish().await), Some(Kind::Other));
    }
    assert_eq!(keys(&bucket.list("").await?), ["kept"]);
    assert_eq!(bucket.get("kept").await?, "old");

    let mut writer = bucket.put_stream("kept").await?;
    writer.write(big.clone()).await?;
    assert_eq!(bucket.get("kept").await?, "old");
    writer.finish().await?;
    assert_eq!(bucket.get("kept").await?, big);
    assert_eq!(kind(bucket.put_stream("a//b").await), Some(Kind::InvalidKey));
    Ok(())
}

pub(crate) async fn streams_keep_their_conditions(bucket: Bucket) -> Tested {
    let big = distinct(600_000);
    // On `file://` both with one write and with several.
    for size in [10, big.len()] {
        let key = format!("a{size}");
        let (mut first, mut second) = (bucket.put_stream_if_absent(&key).await?, bucket.put_stream_if_absent(&key).await?);
        first.write(big[..size].to_vec()).await?;
        second.write("second").await?;
        let first = first.finish().await?;
        assert_eq!(kind(second.finish().await), Some(Kind::AlreadyExists));
        assert_eq!(kind(bucket.put_stream_if_absent(&key).await), Some(Kind::AlreadyExists), "at once");

        let etag = first.etag.unwrap_or_default();
        let (mut third, mut fourth) =
            (bucket.put_stream_if_match(&key, &etag).await?, bucket.put_stream_if_match(&key, &etag).await?);
        third.write("third").await?;
        fourth.write(big[..size].to_vec()).await?;
        let third = third.finish().await?;
        assert_ne!(third.etag.as_ref(), Some(&etag));
        assert_eq!(kind(fourth.finish().await), Some(Kind::PreconditionFailed));
        assert_eq!(kind(bucket.put_stream_if_match(&key, &etag).await), Some(Kind::PreconditionFailed), "at once");
        assert_eq!(bucket.get(&key).await?, "third");
    }
    assert_eq!(kind(bucket.put_stream_if_match("none", "etag").await), Some(Kind::PreconditionFailed));
    assert_eq!(bucket.list("").await?.len(), 2, "no trace of what did not come to be");
    Ok(())
}

pub(crate) async fn one_copy_wins(bucket: Bucket) -> Tested {
    for id in 0..8 {
        bucket.put(&format!("from/{id}"), id.to_string()).await?;
    }
    let copies = (0..8).map(|id: u32| {
        let bucket = bucket.clone();
        tokio::spawn(async move { bucket.copy_if_absent(&format!("from/{id}"), "to").await.map(|_| id) })
    });
    let mut winners = Vec::new();
    for copy in join_all(copies).await {
        match copy? {
            Ok(id) => winners.push(id),
            Err(error) => assert_eq!(error.kind(), Kind::AlreadyExists, "{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(bucket.get("to").await?, winners[0].to_string());
    assert_eq!(kind(bucket.copy_if_absent("none", "to2").await), Some(Kind::NoSuchKey));
    assert_eq!(kind(bucket.copy_if_absent("none", "../to").await), Some(Kind::InvalidKey));
    Ok(())
}

/// More than one part on `s3://`.
const SEVERAL_PARTS: usize = 9 << 20;

pub(crate) async fn of_large_streams_one_creator_wins(bucket: Bucket) -> Tested {
    let (mut first, mut second) = (bucket.put_stream_if_absent("a").await?, bucket.put_stream_if_absent("a").await?);
    first.write(vec![1; SEVERAL_PARTS]).await?;
    second.write(vec![2; SEVERAL_PARTS]).await?;
    let first = first.finish().await?;
    assert_eq!(kind(second.finish().await), Some(Kind::AlreadyExists));
    assert_eq!(bucket.head("a").await?, Some(first));
    assert!(bucket.get("a").await? == vec![1; SEVERAL_PARTS]);

    // A copy is checked in the same way.
    bucket.copy_if_absent("a", "b").await?;
    assert_eq!(kind(bucket.copy_if_absent("a", "b").await), Some(Kind::AlreadyExists));
    assert_eq!(keys(&bucket.list("").await?), ["a", "b"]);
    Ok(())
}

pub(crate) async fn large_streams_lose_no_update(bucket: Bucket) -> Tested {
    let etag = bucket.put("a", "old").await?.etag.unwrap_or_default();
    let (mut first, mut second) = (bucket.put_stream_if_match("a", &etag).await?, bucket.put_stream_if_match("a", &etag).await?);
    first.write(vec![1; SEVERAL_PARTS]).await?;
    second.write(vec![2; SEVERAL_PARTS]).await?;
    let first = first.finish().await?;
    assert_eq!(kind(second.finish().await), Some(Kind::PreconditionFailed));
    assert_eq!(bucket.head("a").await?, Some(first));
    assert!(bucket.get("a").await? == vec![1; SEVERAL_PARTS]);
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

pub(crate) async fn the_end_of_an_object_is_read(bucket: Bucket) -> Tested {
    let put = bucket.put("a", "0123456789").await?;
    for (length, expected) in [(3, "789"), (10, "0123456789"), (4096, "0123456789"), (0, "")] {
        let mut tail = bucket.get_tail("a", length).await?;
        assert_eq!(tail.object(), &put);
        assert_eq!(tail.chunk().await?.unwrap_or_default(), expected, "{length}");
        assert_eq!(tail.chunk().await?, None);
    }
    bucket.put("empty", "").await?;
    let mut tail = bucket.get_tail("empty", 10).await?;
    assert_eq!((tail.chunk().await?, tail.object().size), (None, 0));
    assert_eq!(kind(bucket.get_tail("missing", 10).await), Some(Kind::NoSuchKey));
    Ok(())
}

pub(crate) async fn what_is_appended_follows_what_is_kept(bucket: Bucket) -> Tested {
    let first = bucket.put("a", "one two").await?;
    let etag = |object: &Object| object.etag.clone().unwrap_or_default();
    let mut writer = bucket.append_stream("a", &etag(&first), 4).await?;
    writer.write("three").await?;
    assert_eq!(bucket.get("a").await?, "one two", "not yet");
    let second = writer.finish().await?;
    assert_eq!(bucket.head("a").await?.as_ref(), Some(&second));
    assert_eq!((bucket.get("a").await?, second.size), ("one three".into(), 9));
    assert_eq!(kind(bucket.append_stream("a", &etag(&first), 4).await), Some(Kind::PreconditionFailed));
    assert_eq!(kind(bucket.append_stream("a", &etag(&second), 10).await), Some(Kind::Other));
    assert_eq!(kind(bucket.append_stream("missing", &etag(&second), 1).await), Some(Kind::PreconditionFailed));
    let cut = bucket.append_stream("a", &etag(&second), 0).await?.finish().await?;
    assert_eq!((bucket.get("a").await?, cut.size), ("".into(), 0));
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

pub(crate) async fn large_objects_grow_and_lose_no_update(bucket: Bucket) -> Tested {
    let all = distinct(SEVERAL_PARTS);
    let mut writer = bucket.put_stream("a").await?;
    writer.write(all.clone()).await?;
    let etag = writer.finish().await?.etag.unwrap_or_default();
    let keep = SEVERAL_PARTS - 5;
    let (mut first, mut second) =
        (bucket.append_stream("a", &etag, keep as u64).await?, bucket.append_stream("a", &etag, keep as u64).await?);
    first.write("first").await?;
    second.write("second").await?;
    let first = first.finish().await?;
    assert_eq!(kind(second.finish().await), Some(Kind::PreconditionFailed));
    assert_eq!(bucket.head("a").await?, Some(first));
    assert!(bucket.get("a").await? == [&all[..keep], b"first"].concat());
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}
