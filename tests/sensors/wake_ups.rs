//! Wake-ups on `file://`, in real runs. Every sensor's second tick is 50 seconds away, so an earlier poke is due to a change.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

use pipeline_runtime::cli::{Finished, Progress, Runner};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, Pipeline, RunReport, first_of};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often each key was looked for, by the bucket's URL and the key.
static LOOKS: LazyLock<watch::Sender<HashMap<String, u64>>> = LazyLock::new(|| watch::Sender::new(HashMap::new()));

#[sensor(poke = "50s", timeout = "1m")]
async fn waits(bucket: Bucket, key: String) -> Result<Poke<Object>> {
    let found = bucket.find(&key).await?.into_iter().next();
    LOOKS.send_modify(|looks| *looks.entry(format!("{bucket}/{key}")).or_default() += 1);
    Ok(found.into())
}

/// Waits for a file of at least that many bytes.
#[sensor(poke = "50s", timeout = "1m")]
async fn grown(bucket: Bucket, key: String, bytes: u64) -> Result<Poke<u64>> {
    let found = bucket.head(&key).await?.filter(|object| object.size >= bytes);
    LOOKS.send_modify(|looks| *looks.entry(format!("{bucket}/{key}")).or_default() += 1);
    Ok(found.map(|object| object.size).into())
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Params {
    url: String,
    keys: Vec<String>,
}

#[pipeline]
fn waiting(params: Params) -> Result<()> {
    let bucket = Bucket::open(&params.url)?;
    for key in &params.keys {
        waits(&bucket, key).named(key.replace(['/', '*'], "-"));
    }
    Ok(())
}

/// A bucket on `file://`, and its folder.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    fn waits_for(&self, keys: &[&str], meanwhile: impl FnOnce(Looks) -> BoxFuture + 'static) -> Ended {
        let params = Params { url: self.url(), keys: keys.iter().map(ToString::to_string).collect() };
        run(waiting(), &params, meanwhile)
    }
}

type BoxFuture = pipeline_runtime::BoxFuture<()>;

fn run(pipeline: Pipeline, params: &Params, meanwhile: impl FnOnce(Looks) -> BoxFuture + 'static) -> Ended {
    let looks = Looks(params.clone());
    let work = move |_| meanwhile(looks);
    let finished = Runner::new().pipeline(pipeline, params).beside(work).progress(Progress::Silent).run().unwrap();
    Ended(finished)
}

/// The result of a run.
struct Ended(Finished);

impl std::ops::Deref for Ended {
    type Target = RunReport;

    fn deref(&self) -> &RunReport {
        &self.0.reports()[0]
    }
}

/// The lookups in a bucket.
#[derive(Clone)]
struct Looks(Params);

impl Looks {
    fn of(&self, key: &str) -> u64 {
        LOOKS.borrow().get(&format!("{}/{key}", self.0.url)).copied().unwrap_or(0)
    }

    /// Returns once the key was looked for `times` times.
    async fn reach(&self, key: &str, times: u64) {
        let mut looks = LOOKS.subscribe();
        let key = format!("{}/{key}", self.0.url);
        looks.wait_for(|looks| looks.get(&key).is_some_and(|looks| *looks >= times)).await.unwrap();
    }

    /// Returns once all keys were looked for.
    async fn all(&self) {
        for key in &self.0.keys {
            self.reach(key, 1).await;
        }
    }
}

/// Asserts that the node succeeded at its `n`th poke, long before its second tick.
#[track_caller]
fn assert_woken(report: &RunReport, node: &str, n: usize) {
    let node = report.node(node);
    assert_eq!((node.state(), node.pokes()), (NodeState::Success, n), "{}: {}", node.id(), report.timeline());
    assert!(node.finished().unwrap() < Duration::from_secs(40), "{}", report.timeline());
}

#[test]
fn a_file_that_was_written_or_renamed_to_its_key_is_seen_at_once() {
    let folder = Folder::new();
    fs::create_dir(folder.path("raw")).unwrap();
    let (written, tmp, renamed) = (folder.path("raw/written"), folder.path("tmp"), folder.path("raw/renamed"));
    let report = folder.waits_for(&["raw/written", "raw/renamed"], move |looks| {
        Box::pin(async move {
            looks.all().await;
            fs::write(written, "1").unwrap();
            fs::write(&tmp, "2").unwrap();
            fs::rename(tmp, renamed).unwrap();
        })
    });
    assert_woken(&report, "raw-written", 2);
    assert_woken(&report, "raw-renamed", 2);
}

#[test]
fn a_file_that_is_still_written_wakes_nobody() {
    let folder = Folder::new();
    let (half, other) = (folder.path("half"), folder.path("other"));
    let report = folder.waits_for(&["half", "other"], move |looks| {
        Box::pin(async move {
            use std::io::Write;
            looks.all().await;
            let mut file = fs::File::create(half).unwrap();
            file.write_all(b"{").unwrap();
            fs::write(other, "1").unwrap();
            // The system reports the events of a folder in order, so the event of the half-written file has arrived by now.
            looks.reach("other", 2).await;
            assert_eq!(looks.of("half"), 1);
            file.write_all(b"}").unwrap();
        })
    });
    assert_woken(&report, "other", 2);
    assert_woken(&report, "half", 2);
}

#[test]
fn folders_that_do_not_exist_yet_are_followed() {
    let folder = Folder::new();
    let path = |key| folder.path(key);
    let (made, moved, tree, at) = (path("raw/2024/03"), path("tmp"), path("in"), path("tmp/2024"));
    let report = folder.waits_for(&["raw/2024/03/25.json", "in/2024/25.json", "in/*/26.json"], move |looks| {
        Box::pin(async move {
            looks.all().await;
            fs::create_dir_all(&made).unwrap();
            fs::write(made.join("25.json"), "{}").unwrap();
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join("25.json"), "{}").unwrap();
            fs::write(at.join("26.json"), "{}").unwrap();
            fs::rename(moved, tree).unwrap();
        })
    });
    for node in ["raw-2024-03-25.json", "in-2024-25.json", "in---26.json"] {
        let node = report.node(node);
        assert_eq!(node.state(), NodeState::Success, "{}", report.timeline());
        assert!(node.finished().unwrap() < Duration::from_secs(40), "{}", report.timeline());
    }
}

#[test]
fn a_listing_sees_files_in_all_its_folders_and_in_new_ones() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("raw/eu/old")).unwrap();
    let (old, new) = (folder.path("raw/eu/old/1.csv"), folder.path("raw/us/new"));
    let report = folder.waits_for(&["raw/*/1.csv", "raw/*/2.csv"], move |looks| {
        Box::pin(async move {
            looks.all().await;
            fs::write(old, "1").unwrap();
            looks.reach("raw/*/1.csv", 2).await;
            fs::create_dir_all(&new).unwrap();
            fs::write(new.join("2.csv"), "2").unwrap();
        })
    });
    assert_woken(&report, "raw---1.csv", 2);
    assert_eq!(report.node("raw---2.csv").state(), NodeState::Success);
    assert!(report.node("raw---2.csv").finished().unwrap() < Duration::from_secs(40), "{}", report.timeline());
}

#[test]
fn a_folder_that_takes_anothers_place_is_watched_in_its_stead() {
    let folder = Folder::new();
    fs::create_dir(folder.path("raw")).unwrap();
    let (raw, away, file) = (folder.path("raw"), folder.path("away"), folder.path("raw/a"));
    let report = folder.waits_for(&["raw/a"], move |looks| {
        Box::pin(async move {
            looks.all().await;
            fs::rename(&raw, away).unwrap();
            fs::create_dir(raw).unwrap();
            fs::write(file, "1").unwrap();
        })
    });
    assert_eq!(report.node("raw-a").state(), NodeState::Success);
    assert!(report.node("raw-a").finished().unwrap() < Duration::from_secs(40), "{}", report.timeline());
}

#[test]
fn all_ways_in_which_a_bucket_writes_are_seen() {
    let folder = Folder::new();
    let url = folder.url();
    let report = folder.waits_for(&["put", "absent", "copied", "renamed", "there"], move |looks| {
        Box::pin(async move {
            let bucket = Bucket::open(&url).unwrap();
            bucket.put("source", "1").await.unwrap();
            looks.all().await;
            bucket.put("put", "1").await.unwrap();
            bucket.put_if_absent("absent", "1").await.unwrap();
            bucket.copy("source", "copied").await.unwrap();
            bucket.rename("source", "renamed").await.unwrap();
            bucket.put_if_absent("there", "1").await.unwrap();
        })
    });
    for node in ["put", "absent", "copied", "renamed", "there"] {
        assert_woken(&report, node, 2);
    }
}

#[test]
fn there_are_never_more_pokes_than_changes_and_ticks() {
    const CHANGES: usize = 300;
    #[pipeline]
    fn growing(params: Params) -> Result<()> {
        grown(Bucket::open(&params.url)?, "log", CHANGES as u64);
        Ok(())
    }
    let folder = Folder::new();
    let log = folder.path("log");
    let params = Params { url: folder.url(), keys: vec!["log".into()] };
    let report = run(growing(), &params, move |looks| {
        Box::pin(async move {
            looks.all().await;
            for bytes in 1..=CHANGES {
                fs::write(&log, vec![b'.'; bytes]).unwrap();
                if bytes == 1 {
                    looks.reach("log", 2).await;
                }
            }
        })
    });
    let node = report.node("grown");
    assert_eq!(node.state(), NodeState::Success);
    // One at once, one for the first change, and a few for all that followed closely.
    let pokes = node.pokes();
    assert!((3..=1 + CHANGES).contains(&pokes), "{pokes}");
    assert!(node.finished().unwrap() < Duration::from_secs(40), "{}", report.timeline());
}

// ---- watches, as the system reports them

/// How many watches this process has on the folder.
fn watches_of(folder: &Path) -> usize {
    let inode = format!(" ino:{:x} ", fs::metadata(folder).unwrap().ino());
    let files = fs::read_dir("/proc/self/fdinfo").unwrap();
    // A file that was closed meanwhile is skipped.
    let infos = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    infos.map(|info| info.lines().filter(|line| line.starts_with("inotify ") && line.contains(&inode)).count()).sum()
}

#[track_caller]
fn assert_soon(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "the condition did not become true");
        std::thread::yield_now();
    }
}

#[test]
fn sensors_on_one_folder_share_a_watch_that_ends_with_the_last_of_them() {
    let folder = Folder::new();
    fs::create_dir(folder.path("raw")).unwrap();
    let keys: Vec<String> = (0..50).map(|n| format!("raw/{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let raw = folder.path("raw");
    let watched = raw.clone();
    let report = folder.waits_for(&keys, move |looks| {
        Box::pin(async move {
            looks.all().await;
            assert_soon(|| watches_of(&watched) == 1);
            for n in 0..49 {
                fs::write(watched.join(n.to_string()), "").unwrap();
                looks.reach(&format!("raw/{n}"), 2).await;
            }
            assert_eq!(watches_of(&watched), 1, "one still waits");
            fs::write(watched.join("49"), "").unwrap();
        })
    });
    assert_eq!(report.state(), pipeline_runtime::RunState::Success);
    assert_soon(|| watches_of(&raw) == 0);
}

#[test]
fn a_sensor_that_lost_a_race_watches_no_longer() {
    #[task]
    async fn seen(object: Object) -> Result<String> {
        Ok(object.key)
    }
    #[pipeline]
    fn race(params: Params) -> Result<()> {
        let bucket = Bucket::open(&params.url)?;
        seen(first_of([waits(&bucket, "eu/a").named("eu"), waits(&bucket, "us/a").named("us")]));
        waits(&bucket, "end");
        Ok(())
    }
    let folder = Folder::new();
    fs::create_dir(folder.path("eu")).unwrap();
    fs::create_dir(folder.path("us")).unwrap();
    let (eu, us, end) = (folder.path("eu"), folder.path("us"), folder.path("end"));
    let params = Params { url: folder.url(), keys: ["eu/a", "us/a", "end"].map(str::to_owned).to_vec() };
    let report = run(race(), &params, move |looks| {
        Box::pin(async move {
            looks.all().await;
            fs::write(us.join("a"), "").unwrap();
            assert_soon(|| watches_of(&eu) == 0 && watches_of(&us) == 0);
            fs::write(end, "").unwrap();
        })
    });
    assert_eq!(report.node("eu").state(), NodeState::Skipped);
    assert_woken(&report, "waits", 2);
}
