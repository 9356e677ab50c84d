//! Tests that cached states equal those computed from the records alone.

use super::*;
use crate::author::pipeline::Pipeline;
use crate::engine::Entry;
use crate::journal::SqliteJournal;
use crate::observe::RunHistory;
use crate::plan::Accepts;
use crate::prelude::*;
use crate::read::RunFilter;
use crate::{Host, Mode};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static IS_MENDED: AtomicBool = AtomicBool::new(false);
static POKES: AtomicU32 = AtomicU32::new(0);

#[task]
async fn list() -> Result<Vec<u32>> {
    // After the fix, some elements differ.
    let first = if IS_MENDED.load(Ordering::Relaxed) { 5 } else { 0 };
    Ok((first..40).collect())
}

#[sensor(poke = "1ms", timeout = "1d")]
async fn arrival() -> Result<Poke<u64>> {
    Ok(if POKES.fetch_add(1, Ordering::Relaxed) < 20 { Poke::NotYet } else { Poke::Ready(1) })
}

#[task(retries = 1, retry_delay = "1ms")]
async fn upload(n: u32) -> Result<u32> {
    if n % 7 == 3 && !IS_MENDED.load(Ordering::Relaxed) { Err("503".into()) } else { Ok(n) }
}

#[task]
async fn publish(uploaded: Vec<u32>, rows: u64) -> Result<u64> {
    Ok(rows + uploaded.len() as u64)
}

#[pipeline]
fn nightly() {
    let uploaded = list().each(upload);
    publish(uploaded, arrival().mode(Mode::Reschedule));
}

/// The same pipeline without its sensor, some time later.
fn without_sensor() -> Pipeline {
    #[task]
    async fn publish(uploaded: Vec<u32>) -> Result<u64> {
        Ok(uploaded.len() as u64)
    }
    #[pipeline]
    fn nightly() {
        publish(list().each(upload));
    }
    nightly()
}

struct Journal {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Journal {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        Self { _folder: folder, file }
    }

    fn reader(&self, pipelines: impl IntoIterator<Item = Pipeline>) -> JournalReader {
        JournalReader::open(&self.file).unwrap().pipelines(pipelines)
    }
}

/// Checks a state against the first records of a run alone.
fn assert_is_as_of(details: &RunDetails, entries: &[(i64, Entry)], record: i64) {
    let history = details.history();
    let before: Vec<Entry> = entries.iter().filter(|(number, _)| *number <= record).map(|(_, entry)| entry.clone()).collect();
    let alone = RunHistory::of(Arc::clone(history.plan()), history.started, &before);
    let everything = |history: &RunHistory| {
        let of = |slot: u32| {
            let node = history.node(slot);
            (
                history.id(slot),
                node.state(),
                node.attempts(),
                node.pokes(),
                node.spans(),
                node.error().cloned(),
                history.periods(slot),
            )
        };
        let counts: Vec<_> = history.counts().collect();
        let nodes: Vec<_> = history.listed().into_iter().map(of).collect();
        (history.state, history.finished, counts, nodes, history.critical_path(), history.totals(history.latest()))
    };
    assert_eq!(everything(history), everything(&alone), "as of record {record}");
    let mut totals = [Duration::ZERO; 6];
    for period in history.listed().into_iter().flat_map(|slot| history.periods(slot)) {
        totals[period.kind as usize] += period.until.unwrap_or(history.latest()).saturating_sub(period.from);
    }
    assert_eq!(history.totals(history.latest()), totals, "as of record {record}");
}

fn entries(reader: &JournalReader, run: &RunSummary) -> Vec<(i64, Entry)> {
    let stored = reader.journal().entries(run.stored().key).unwrap();
    stored.into_iter().map(|stored| (stored.number, stored.entry)).collect()
}

/// Reads a run as of its records, back and forth.
fn assert_records(cache: &RunCache, reader: &JournalReader, run: &RunSummary) {
    let entries = entries(reader, run);
    let seed = crate::random::new_seed();
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut records: Vec<i64> = (0..=entries.last().unwrap().0).collect();
    records.shuffle(&mut random);
    // More than enough: each is a snapshot, or lies between two of them.
    records.truncate(80);
    eprintln!("seed {seed}, {} records", records.len());
    for record in records {
        let details = cache.details(reader, run, AsOf::after(Some(record))).unwrap();
        assert_is_as_of(&details, &entries, record);
        if random.random_ratio(1, 10) {
            let now = cache.details(reader, run, AsOf::NOW).unwrap();
            assert_is_as_of(&now, &entries, i64::MAX);
        }
    }
}

fn only_run(reader: &JournalReader) -> RunSummary {
    reader.runs(&RunFilter::new()).unwrap().pop().unwrap()
}

#[tokio::test]
async fn each_moment_is_the_fold_of_the_records_before_it() {
    let journal = Journal::new();
    let host = Host::builder([nightly()]).journal(&journal.file).start().await.unwrap();
    let run = host.trigger("nightly", (), None).await.unwrap();
    host.wait(&run).await.unwrap();
    let (present, none) = (RunCache::new(2), RunCache::new(2));
    let (reader, without) = (journal.reader([nightly()]), journal.reader([]));
    for (cache, reader) in [(&present, &reader), (&none, &without)] {
        assert_records(cache, reader, &only_run(reader));
    }
    // A manual retry whose list has other elements does not change earlier states.
    IS_MENDED.store(true, Ordering::Relaxed);
    host.retry(&run, &["list"], true).await.unwrap();
    host.wait(&run).await.unwrap();
    for (cache, reader) in [(&present, &reader), (&none, &without)] {
        assert_records(cache, reader, &only_run(reader));
    }
    host.shutdown().await.unwrap();

    // When read in steps, each intermediate state is consistent.
    let (cache, run) = (RunCache::new(1), only_run(&reader));
    let entries = entries(&reader, &run);
    let soon = AsOf { record: None, within: Some(Duration::ZERO) };
    let mut reached = Vec::new();
    loop {
        let details = cache.details(&reader, &run, soon).unwrap();
        assert_is_as_of(&details, &entries, details.tail().last_applied());
        reached.push(details.tail().last_applied());
        if soon.is_reached(&details) {
            break;
        }
    }
    assert!(reached.len() > 10 && reached.is_sorted(), "{reached:?}");

    // The run is resumed with another plan: the same records refer to other nodes.
    let old = nightly().plan(&serde_json::Value::Null).unwrap();
    let new = without_sensor().plan(&serde_json::Value::Null).unwrap();
    let later = journal.reader([without_sensor()]);
    assert_records(&none, &later, &run);
    let remap = new.match_skeleton(&old.skeleton(), Accepts::Removals).unwrap().unwrap();
    let writer = SqliteJournal::open(&journal.file).unwrap();
    writer.remap(run.stored().key, &new.skeleton(), remap);
    writer.close();
    for cache in [&none, &RunCache::new(1)] {
        assert_records(cache, &later, &only_run(&later));
    }
    let details = none.details(&later, &only_run(&later), AsOf::after(Some(30))).unwrap();
    assert!(details.node("arrival").is_none() && details.removed_nodes().contains(&"arrival".to_owned()));
}

#[test]
fn a_run_that_was_viewed_long_ago_is_dropped() {
    let cache = RunCache::new(3);
    for run in 0..5 {
        cache.entry(run);
    }
    let found: Vec<RunKey> = cache.runs.lock().unwrap().iter().map(|(run, _)| *run).collect();
    assert_eq!(found, [2, 3, 4]);
}
