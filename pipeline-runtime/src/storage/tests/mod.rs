//! One suite of cases over every store, then cases for a single store or for a simulated world.
//!
//! Nothing here sleeps on the real clock.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{join_all, poll_immediate};

mod cases;

use self::cases::{Tested, keys, kind};
use super::error::Failure;
use super::{Bucket, BucketError, BucketErrorKind as Kind, Latency, World};

/// A bucket of its own for one test, and the folder that must outlive it.
struct Fixture {
    bucket: Bucket,
    _folder: Option<tempfile::TempDir>,
}

fn in_memory(case: &str) -> Result<Fixture, Box<dyn Error>> {
    Ok(Fixture { bucket: Bucket::open(&format!("memory://test-{case}"))?, _folder: None })
}

fn in_a_folder(_: &str) -> Result<Fixture, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    Ok(Fixture { bucket: Bucket::open(&format!("file://{}", folder.path().display()))?, _folder: Some(folder) })
}

/// Each case becomes one test per store, and one more per store within a simulated world.
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        on_every_store!(@ memory, in_memory, $($case),+);
        on_every_store!(@ file, in_a_folder, $($case),+);
    };
    (@ $store:ident, $fixture:ident, $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Tested {
                    let fixture = super::$fixture(stringify!($case))?;
                    super::cases::$case(fixture.bucket.clone()).await
                }
            )+
            mod simulated {
                $(
                    #[tokio::test(start_paused = true)]
                    async fn $case() -> super::super::Tested {
                        let world = super::super::simulated();
                        let fixture = world.enter(|| super::super::$fixture(stringify!($case)))?;
                        super::super::cases::$case(fixture.bucket.clone()).await?;
                        assert_eq!(world.in_flight(), 0);
                        Ok(())
                    }
                )+
            }
        }
    };
}

cases::every!(on_every_store);

#[tokio::test]
async fn a_folder_keeps_nothing_of_what_was_given_up() -> Tested {
    let fixture = in_a_folder("")?;
    let mut dropped = fixture.bucket.put_stream("a").await?;
    dropped.write(vec![0; 1 << 20]).await?;
    drop(dropped);
    let mut aborted = fixture.bucket.put_stream("b").await?;
    aborted.write(vec![0; 1 << 20]).await?;
    aborted.abort().await?;
    let mut late = fixture.bucket.put_stream_if_absent("c").await?;
    late.write(vec![0; 1 << 20]).await?;
    fixture.bucket.put("c", "first").await?;
    assert_eq!(kind(late.finish().await), Some(Kind::AlreadyExists));
    let root = fixture.bucket.url().trim_start_matches("file://").to_owned();
    let names: Vec<_> = fs::read_dir(root)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    assert_eq!(names, ["c"]);
    Ok(())
}

#[tokio::test]
async fn an_object_is_copied_to_a_bucket_of_another_store() -> Tested {
    let (fixture, memory) = (in_a_folder("")?, Bucket::open("memory://test-copied-across")?);
    let all = cases::distinct((1 << 20) + 13);
    fixture.bucket.put("raw/a", all.clone()).await?;
    let copied = fixture.bucket.copy_to(&memory, "raw/a").await?;
    assert_eq!((copied.bucket.as_str(), copied.key.as_str(), copied.size), ("test-copied-across", "raw/a", all.len() as u64));
    assert!(memory.get("raw/a").await? == all);
    memory.put("raw/a", "new").await?;
    memory.copy_to(&fixture.bucket, "raw/a").await?;
    assert_eq!(fixture.bucket.get("raw/a").await?, "new");
    // A copy to the same bucket is a new object with the same contents.
    fixture.bucket.copy_to(&fixture.bucket, "raw/a").await?;
    assert_eq!(fixture.bucket.get("raw/a").await?, "new");
    let missing = memory.copy_to(&fixture.bucket, "none").await.unwrap_err();
    assert!(missing.kind() == Kind::NoSuchKey && missing.to_string().contains("memory://test-copied-across"), "{missing}");
    assert_eq!(kind(memory.copy_to(&Bucket::open("file:///no/such/folder")?, "raw/a").await), Some(Kind::NoSuchBucket));
    assert_eq!(keys(&fixture.bucket.list("").await?), ["raw/a"]);
    Ok(())
}

/// More than two pages, some of which change during the listing.
#[tokio::test]
async fn a_listing_goes_on_over_pages_beside_writers() -> Tested {
    for fixture in [in_memory("pages")?, in_a_folder("")?] {
        let bucket = &fixture.bucket;
        let keys: Vec<String> = (0..2300).map(|number| format!("{}/{:03}", number / 500, number % 500)).collect();
        for key in &keys {
            bucket.put(key, "").await?;
        }
        let mut listing = bucket.list_stream("")?;
        let mut seen = vec![listing.try_next().await?.ok_or("empty")?.key];
        // Behind the listing's position one object is deleted and one created; another is created before it.
        bucket.delete("4/299").await?;
        bucket.put("4/2985", "").await?;
        bucket.put("0/0000", "").await?;
        while let Some(object) = listing.try_next().await? {
            seen.push(object.key);
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "each once, in order");
        seen.retain(|key| key != "4/2985");
        assert_eq!(seen, keys[..2299], "{}", bucket.url());
        // Dropping the future of a page loses nothing.
        let mut listing = bucket.list_stream("")?;
        let mut count = 0;
        loop {
            let next = poll_immediate(Box::pin(listing.try_next())).await;
            match next {
                Some(next) if next.as_ref().is_ok_and(Option::is_none) => break,
                Some(next) => count += usize::from(next?.is_some()),
                None => tokio::task::yield_now().await,
            }
        }
        assert_eq!(count, 2301);
    }
    Ok(())
}

#[tokio::test]
async fn a_file_cut_short_is_no_end() -> Tested {
    let fixture = in_a_folder("")?;
    fixture.bucket.put("a", vec![0; 1 << 20]).await?;
    let mut reader = fixture.bucket.get_stream("a").await?;
    reader.chunk().await?;
    let root = fixture.bucket.url().trim_start_matches("file://").to_owned();
    fs::File::options().write(true).open(format!("{root}/a"))?.set_len(300_000)?;
    while let Some(chunk) = reader.chunk().await.transpose() {
        if let Err(error) = chunk {
            assert!(error.to_string().contains("became shorter"), "{error}");
            return Ok(());
        }
    }
    Err("a part passed for the whole".into())
}

#[tokio::test]
async fn a_missing_folder_is_an_error_at_once_and_later() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bucket");
    let bucket = Bucket::open(&format!("file://{}", path.display()))?;
    let missing = |step: &str, kind: Option<Kind>| assert_eq!(kind, Some(Kind::NoSuchBucket), "{step}");
    missing("head", kind(bucket.head("a").await));
    missing("list", kind(bucket.list("").await));
    missing("put", kind(bucket.put("a", "1").await));
    missing("delete", kind(bucket.delete("a").await));
    let error = bucket.get("a").await.err().ok_or("read from nowhere")?;
    assert!(error.to_string().contains(bucket.url()), "{error}");
    assert!(error.source().is_some());

    fs::create_dir(&path)?;
    assert_eq!(bucket.head("a").await?, None, "a failed look is not remembered");
    bucket.put("a", "1").await?;
    fs::remove_dir_all(&path)?;
    missing("head of a folder that vanished", kind(bucket.head("a").await));
    missing("put into a folder that vanished", kind(bucket.put("a", "1").await));
    fs::write(&path, "")?;
    missing("head of a file", kind(bucket.head("a").await));
    Ok(())
}

#[tokio::test]
async fn unfinished_files_stay_out_of_sight() -> Tested {
    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = bucket.url().trim_start_matches("file://").to_owned();
    for name in ["a#1", "a#b#1", ".lock#0"] {
        fs::write(format!("{root}/{name}"), "half")?;
        assert_eq!(kind(bucket.head(name).await), Some(Kind::InvalidKey), "{name}");
        assert_eq!(kind(bucket.put(name, "").await), Some(Kind::InvalidKey), "{name}");
    }
    fs::write(format!("{root}/line\nbreak"), "no key")?;
    bucket.put("a#b", "whole").await?;
    bucket.put("a", "whole").await?;
    assert_eq!(keys(&bucket.list("").await?), ["a", "a#b"]);
    Ok(())
}

#[tokio::test]
async fn a_name_is_a_file_or_a_folder() -> Tested {
    let fixture = in_a_folder("")?;
    fixture.bucket.put("a/b", "1").await?;
    for key in ["a", "a/b/c"] {
        let error = fixture.bucket.put(key, "2").await.err().ok_or("put")?;
        assert!(error.to_string().contains("either a file or a folder"), "{error}");
    }
    assert_eq!(keys(&fixture.bucket.list("").await?), ["a/b"], "nothing half written");
    assert_eq!(kind(fixture.bucket.put(&"x".repeat(300), "").await), Some(Kind::InvalidKey));
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_read_but_not_written_through() -> Tested {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir()?;
    let secret = outside.path().join("secret");
    fs::write(&secret, "s")?;
    let written = fs::metadata(&secret)?.modified()?;
    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = std::path::PathBuf::from(bucket.url().trim_start_matches("file://"));
    fs::create_dir(root.join("real"))?;
    symlink(outside.path(), root.join("out"))?;
    symlink(&root, root.join("real/circle"))?;
    symlink(root.join("real"), root.join("alias"))?;
    symlink("self", root.join("self"))?;
    symlink("nothing", root.join("dangling"))?;
    bucket.put("real/a", "1").await?;

    assert_eq!(bucket.get("out/secret").await?, "s");
    assert_eq!(keys(&bucket.list("").await?), ["alias/a", "out/secret", "real/a"]);
    bucket.put("alias/b", "2").await?;
    for result in [
        kind(bucket.put("out/x", "1").await),
        kind(bucket.put("out/new/x", "1").await),
        kind(bucket.put_if_match("out/secret", "1", "e").await),
        kind(bucket.delete("out/secret").await),
        kind(bucket.rename("out/secret", "x").await),
        kind(bucket.copy("real/a", "out/x").await),
    ] {
        assert_eq!(result, Some(Kind::PermissionDenied));
    }
    // The link itself belongs to the bucket: it may be renamed and replaced.
    symlink(&secret, root.join("link"))?;
    bucket.rename("link", "link2").await?;
    bucket.put("link2", "replaced").await?;
    assert_eq!(fs::read_dir(outside.path())?.count(), 1);
    assert_eq!((fs::read(&secret)?, fs::metadata(&secret)?.modified()?), (b"s".to_vec(), written));
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_elsewhere_by_now_is_followed_at_the_next_operation() -> Tested {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir()?;
    let [a, b, current] = ["a", "b", "current"].map(|name| folder.path().join(name));
    for (place, text) in [(&a, "of a"), (&b, "of b")] {
        fs::create_dir(place)?;
        fs::write(place.join("x"), text)?;
    }
    let point_at = |place: &std::path::Path| {
        let next = folder.path().join("next");
        symlink(place, &next).and_then(|()| fs::rename(&next, &current))
    };
    point_at(&a)?;
    let bucket = Bucket::open(&format!("file://{}", current.display()))?;
    assert_eq!(bucket.get("x").await?, "of a");
    let mut begun = bucket.put_stream("y").await?;
    begun.write("for a").await?;

    point_at(&b)?;
    assert_eq!(bucket.get("x").await?, "of b");
    bucket.put("z", "for b").await?;
    assert_eq!(fs::read_to_string(b.join("z"))?, "for b");
    // An upload ends in the folder where it began.
    begun.finish().await?;
    assert!(a.join("y").exists() && !b.join("y").exists());

    // A vanished folder is a missing bucket, not a missing key, even for an upload in progress.
    let mut cut_off = bucket.put_stream("y").await?;
    cut_off.write("for b").await?;
    fs::remove_dir_all(&b)?;
    assert_eq!(kind(cut_off.finish().await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(bucket.head("x").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(bucket.list("").await), Some(Kind::NoSuchBucket));
    assert_eq!(kind(bucket.put("x", "").await), Some(Kind::NoSuchBucket));
    point_at(&a)?;
    fs::remove_dir_all(&a)?;
    assert_eq!(kind(bucket.head("x").await), Some(Kind::NoSuchBucket));
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_ladder_of_links_is_refused_and_not_walked_without_end() -> Tested {
    use std::os::unix::fs::symlink;

    let fixture = in_a_folder("")?;
    let root = std::path::PathBuf::from(fixture.bucket.url().trim_start_matches("file://"));
    let above = tempfile::tempdir()?;
    let rung = |number: u32| above.path().join(number.to_string());
    // Two links in each folder lead to the next, so there are 2^60 paths to the last one.
    for number in 0..60 {
        fs::create_dir(rung(number))?;
        for name in ["left", "right"] {
            symlink(rung(number + 1), rung(number).join(name))?;
        }
    }
    fs::create_dir(rung(60))?;
    symlink(rung(0), root.join("ladder"))?;
    let error = fixture.bucket.list("").await.unwrap_err().to_string();
    assert!(error.contains("more than 100 symbolic links lead to the folder"), "{error}");
    // Many links to one folder count as many folders.
    fs::remove_file(root.join("ladder"))?;
    fs::write(rung(60).join("x"), "")?;
    for number in 0..100 {
        symlink(rung(60), root.join(format!("link{number}")))?;
    }
    assert_eq!(fixture.bucket.list("").await?.len(), 100);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_relative_link_leads_where_it_led_from_another_folder() -> Tested {
    use std::os::unix::fs::symlink;

    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = std::path::PathBuf::from(bucket.url().trim_start_matches("file://"));
    bucket.put("real", "content").await?;
    symlink("real", root.join("link"))?;
    assert_eq!(bucket.rename("link", "sub/deep/link").await?.size, 7);
    assert_eq!(bucket.get("sub/deep/link").await?, "content");
    bucket.rename("sub/deep/link", "other/link").await?;
    bucket.rename("other/link", "other/link2").await?;
    assert_eq!(bucket.get("other/link2").await?, "content");
    assert!(fs::symlink_metadata(root.join("other/link2"))?.is_symlink());
    assert_eq!(keys(&bucket.list("").await?), ["other/link2", "real"]);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn what_takes_the_place_of_a_file_has_its_mode_and_owner() -> Tested {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = std::path::PathBuf::from(bucket.url().trim_start_matches("file://"));
    bucket.put("secret", "1").await?;
    bucket.put("open", "1").await?;
    fs::set_permissions(root.join("secret"), fs::Permissions::from_mode(0o600))?;
    // Only root can give a file away.
    let gives = chown(root.join("secret"), Some(12_345), Some(54_321)).is_ok();
    let is_kept = || -> Result<(), Box<dyn Error>> {
        let now = fs::metadata(root.join("secret"))?;
        assert_eq!(now.mode() & 0o7777, 0o600);
        assert!(!gives || (now.uid(), now.gid()) == (12_345, 54_321));
        Ok(())
    };
    let put = bucket.put("secret", "2").await?;
    is_kept()?;
    bucket.put_if_match("secret", "3", &put.etag.unwrap_or_default()).await?;
    is_kept()?;
    bucket.copy("open", "secret").await?;
    is_kept()?;
    fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o200))?;
    bucket.put("open", "2").await?;
    assert_eq!(fs::metadata(root.join("open"))?.mode() & 0o7777, 0o200);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_is_left_as_it_is() -> Tested {
    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = std::path::PathBuf::from(bucket.url().trim_start_matches("file://"));
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket"))?;
    bucket.put("a", "1").await?;
    for done in [bucket.put("socket", "1").await, bucket.rename("a", "socket").await, bucket.put_if_absent("socket", "1").await] {
        assert!(done.unwrap_err().to_string().contains("a pipe, a socket or a device"));
    }
    assert_eq!(keys(&bucket.list("").await?), ["a"]);
    Ok(())
}

#[tokio::test]
async fn leftovers_are_removed_from_all_folders() -> Tested {
    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    let root = bucket.url().trim_start_matches("file://").to_owned();
    bucket.put("raw/2024-03-25/a", "1").await?;
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(2);
    for name in ["raw/2024-03-25/b#1", "raw/2024-03-25/b#2", "c#1"] {
        fs::File::create(format!("{root}/{name}"))?.set_modified(long_ago)?;
    }
    let writer = fs::File::create(format!("{root}/raw/slow#1"))?;
    writer.try_lock()?;
    writer.set_modified(long_ago)?;
    assert_eq!(bucket.gc().await?, 3);
    assert_eq!(bucket.gc().await?, 0);
    assert!(fs::exists(format!("{root}/raw/slow#1"))?);
    assert_eq!(keys(&bucket.list("").await?), ["raw/2024-03-25/a"]);
    Ok(())
}

#[tokio::test]
async fn a_name_may_be_as_long_as_the_file_system_has_it() -> Tested {
    let fixture = in_a_folder("")?;
    let bucket = &fixture.bucket;
    for length in [253, 254, 255] {
        let key = format!("a/{}", "x".repeat(length));
        bucket.put(&key, "1").await?;
        let etag = bucket.head(&key).await?.and_then(|object| object.etag).unwrap_or_default();
        bucket.put_if_match(&key, "2", &etag).await?;
        assert_eq!(bucket.get(&key).await?, "2");
        assert_eq!(kind(bucket.put_if_absent(&key, "3").await), Some(Kind::AlreadyExists));
    }
    assert_eq!(bucket.list("").await?.len(), 3);
    Ok(())
}

#[test]
fn the_systems_refusals_are_told_apart() {
    use std::io::{Error, ErrorKind as K};
    for (io, expected) in [
        (K::PermissionDenied, Kind::PermissionDenied),
        (K::ReadOnlyFilesystem, Kind::PermissionDenied),
        (K::NotFound, Kind::NoSuchKey),
        (K::StorageFull, Kind::Other),
        (K::TimedOut, Kind::Other),
    ] {
        let plain = Failure::from(Error::from(io)).at("read");
        assert_eq!(plain.kind(), expected);
        assert!(plain.to_string().len() > "could not read: ".len() && plain.source().is_some());
    }
}

#[test]
fn a_bucket_is_one_pointer_and_its_futures_travel() -> Tested {
    fn travels<T: Send>(_: &T) {}
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let bucket = Bucket::open("memory:///test-pointer")?;
    assert_eq!(size_of_val(&bucket), size_of::<usize>());
    assert_eq!((bucket.to_string().as_str(), bucket.name()), ("memory://test-pointer", "test-pointer"));
    shared(&bucket);
    travels(&bucket.head("a"));
    travels(&bucket.find("a*"));
    travels(&bucket.put("a", "b"));
    travels(&bucket.copy("a", "b"));
    Ok(())
}

/// 2024-03-25, six o'clock, plus the time elapsed on tokio's paused clock.
fn simulated() -> World {
    let start = tokio::time::Instant::now();
    World::simulated(Arc::new(move || dawn() + start.elapsed()), false)
}

fn dawn() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_711_346_400)
}

#[tokio::test(start_paused = true)]
async fn worlds_have_memory_buckets_of_their_own() -> Tested {
    let (here, there) = (simulated(), simulated());
    let open = || Bucket::open("memory://test-worlds");
    let (inside, other, outside) = (here.enter(open)?, there.enter(|| here.enter(open))?, open()?);
    here.put_now("memory://test-worlds/a", "1").await?;
    assert_eq!(inside.get("a").await?, "1");
    assert_eq!(other.get("a").await?, "1", "scopes nest");
    assert_eq!(outside.head("a").await?, None);
    assert_eq!(there.enter(open)?.head("a").await?, None);
    assert_eq!(open()?.put("b", "2").await?.key, "b");
    assert_eq!(outside.get("b").await?, "2", "one store per name");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_is_written_has_virtual_times() -> Tested {
    let folder = tempfile::tempdir()?;
    let world = simulated();
    for url in [format!("file://{}/bucket", folder.path().display()), "memory://bucket".into()] {
        let bucket = world.enter(|| Bucket::open(&url))?;
        let first = world.put_now(&format!("{url}/raw/a"), "1").await?.last_modified;
        tokio::time::sleep(Duration::from_mins(7)).await;
        let second = bucket.put("raw/b", "2").await?;
        assert_eq!(second.last_modified - first, TimeDelta::seconds(420));
        assert!(second.last_modified < dawn() + TimeDelta::days(1));
        assert_eq!(bucket.head("raw/a").await?.map(|object| object.last_modified), Some(first), "{url}");
        assert_eq!(bucket.modified_since("raw/", second.last_modified).await?, std::slice::from_ref(&second));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let renamed = bucket.rename("raw/a", "raw/c").await?;
        assert_eq!(renamed.last_modified - second.last_modified, TimeDelta::seconds(1));
        assert_eq!(bucket.find("raw/c").await?, [renamed]);
    }
    let path = folder.path().join("bucket/raw/b");
    fs::write(&path, "by somebody else")?;
    let bucket = world.enter(|| Bucket::open(&format!("file://{}/bucket", folder.path().display())))?;
    let seen = bucket.head("raw/b").await?.ok_or("gone")?;
    assert_eq!(seen.last_modified, DateTime::<Utc>::from(fs::metadata(path)?.modified()?));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_clock_stands_still_during_io() -> Tested {
    let world = simulated();
    let fixture = world.enter(|| in_a_folder(""))?;
    let start = tokio::time::Instant::now();
    // A timer that a paused clock would advance to as soon as nothing else can run.
    let timer = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
    for round in 0..20 {
        let many = (0..4).map(|part| {
            let bucket = fixture.bucket.clone();
            async move { bucket.put(&format!("{round}/{part}"), vec![0; 1 << 16]).await }
        });
        for put in join_all(many).await {
            put?;
        }
        fixture.bucket.list("").await?;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!timer.is_finished());
    Ok(timer.await?)
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_in_flight_until_its_caller_saw_its_end() -> Tested {
    let world = simulated();
    let fixture = world.enter(|| in_a_folder(""))?;
    let bucket = &fixture.bucket;
    let mut first = Box::pin(bucket.put("a", "1"));
    assert_eq!(world.in_flight(), 0, "nobody polled it yet");
    assert!(poll_immediate(&mut first).await.is_none());
    bucket.put("b", "2").await?;
    // Operations take turns, so the first one's I/O is over, but its caller has not seen the result.
    assert_eq!(bucket.get("a").await?, "1");
    assert_eq!(world.in_flight(), 1);
    assert!(poll_immediate(Box::pin(world.idle())).await.is_none());
    first.await?;
    assert_eq!(world.in_flight(), 0);
    world.idle().await;

    let mut dropped = Box::pin(bucket.put("c", "3"));
    assert!(poll_immediate(&mut dropped).await.is_none());
    assert_eq!(world.in_flight(), 1);
    drop(dropped);
    assert_eq!(world.in_flight(), 0);

    let memory = world.enter(|| Bucket::open("memory://b"))?;
    assert!(poll_immediate(Box::pin(memory.put("a", "1"))).await.is_some(), "memory does not wait");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn operations_take_turns_in_the_order_of_their_first_polls() -> Tested {
    let world = simulated();
    let fixture = world.enter(|| in_a_folder(""))?;
    for _ in 0..10 {
        let puts = (0..16).map(|id: u32| {
            let bucket = fixture.bucket.clone();
            async move { bucket.put("last", id.to_string()).await }
        });
        join_all(puts).await;
        assert_eq!(fixture.bucket.get("last").await?, "15");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn faults_take_virtual_time() -> Tested {
    let world = simulated();
    let (slow, down) = world.enter(|| (Bucket::open("memory://slow"), Bucket::open("memory://down")));
    let (slow, down) = (slow?, down?);
    world.latency("memory:///slow", Latency::between(Duration::from_secs(3), Duration::from_secs(3), 0))?;
    let start = tokio::time::Instant::now();
    let mut put = Box::pin(slow.put("a", "1"));
    assert!(poll_immediate(&mut put).await.is_none());
    assert_eq!(world.in_flight(), 0, "waiting for time is not I/O");
    let put = put.await?;
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert_eq!(put.last_modified, dawn() + TimeDelta::seconds(3));

    let now = dawn() + start.elapsed();
    world.outage("memory://down", now + TimeDelta::seconds(10), now + TimeDelta::seconds(20))?;
    down.put("a", "1").await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(kind(down.head("a").await), Some(Kind::Network));
    world.put_now("memory://down/b", "what arrives, arrives").await?;
    slow.head("a").await?;
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(down.list("").await?.len(), 2);
    Ok(())
}

/// With as many callers and as few threads as possible: no operation may wait for a second thread while it holds one.
#[test]
fn a_small_blocking_pool_is_enough() -> Tested {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build()?;
    runtime.block_on(async {
        let fixture = in_a_folder("")?;
        let etag = fixture.bucket.put("total", "0").await?.etag.unwrap_or_default();
        let all = (0..50).map(|id: u32| {
            let (bucket, etag) = (fixture.bucket.clone(), etag.clone());
            async move {
                let updated = bucket.put_if_match("total", id.to_string(), &etag).await.is_ok();
                bucket.put(&format!("{id}"), "1").await?;
                bucket.copy(&format!("{id}"), &format!("copy/{id}")).await?;
                bucket.rename(&format!("{id}"), &format!("renamed/{id}")).await?;
                bucket.delete(&format!("copy/{id}")).await?;
                Ok::<_, BucketError>(updated)
            }
        });
        let all = tokio::time::timeout(Duration::from_mins(1), join_all(all)).await?;
        let updates: Vec<bool> = all.into_iter().collect::<Result<_, _>>()?;
        assert_eq!(updates.iter().filter(|updated| **updated).count(), 1);
        assert_eq!(fixture.bucket.list("renamed/").await?.len(), 50);
        Ok(())
    })
}
