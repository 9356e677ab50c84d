//! The durations of runs over time: for very many runs, as many points as can be drawn.
//!
//! The values of ended runs change only by commands. So runs are read in blocks of keys, and the result of each block is cached:
//! the next read takes only new runs, and the two blocks at the edges.

use super::listing::last_before;
use super::{JournalError, Reader};
use crate::engine::RunState;
use crate::journal::RunKey;
use crate::time::Timestamp;
use rusqlite::{Row, params};
use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of keys in a block.
const BLOCK: RunKey = if cfg!(test) { 16 } else { 1_024 };
/// The number of views whose blocks are cached: those that were requested last.
const VIEWS: usize = 4;

/// Some runs of one state that began about the same time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    /// The key of the longest of them.
    pub(crate) key: RunKey,
    /// When the longest of them began.
    pub(crate) started: Timestamp,
    /// When that one ended; `None` if it has not.
    pub(crate) finished: Option<Timestamp>,
    pub(crate) state: String,
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    /// The number of these runs.
    pub(crate) count: i64,
}

/// The keys of the runs created within some time, and that of the newest run of all.
#[derive(Debug, Clone, Copy)]
struct KeyRange {
    first: RunKey,
    last: RunKey,
    newest: RunKey,
}

/// Which runs, and at which resolution.
#[derive(Debug)]
pub(crate) struct DurationQuery {
    from: Timestamp,
    to: Timestamp,
    view: View,
}

/// The parameters that the blocks depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    pipeline: Option<String>,
    /// The nanoseconds that one point stands for.
    width: i64,
}

impl DurationQuery {
    /// A request for the runs created between these times, with that many points for each state.
    pub(crate) fn new(pipeline: Option<String>, from: Timestamp, to: Timestamp, points: u32) -> Self {
        // At least a microsecond, so that no number is too large for the query.
        let width = (to.as_nanos().saturating_sub(from.as_nanos()) / i64::from(points.max(1))).max(1_000);
        Self { from, to, view: View { pipeline, width } }
    }
}

type Blocks = HashMap<RunKey, Arc<[Bucket]>>;

/// The cached results of blocks of ended runs.
#[derive(Debug, Default)]
pub(crate) struct DurationCache(Mutex<CachedViews>);

#[derive(Debug, Default)]
struct CachedViews {
    /// The last act at which the cache was valid: retrying or deleting runs is an act.
    act: i64,
    views: VecDeque<(View, Blocks)>,
}

impl DurationCache {
    /// Returns one row for all runs of one state that began about the same time, by the key of the longest of them.
    pub(crate) fn read(&self, reader: &Reader, query: &DurationQuery) -> Result<Vec<Bucket>, JournalError> {
        reader.snapshot(|reader| {
            let act = reader.last_act()?;
            let mut blocks = self.take(act, &query.view);
            let read = read(reader, query, &mut blocks);
            self.keep(act, &query.view, blocks);
            read
        })
    }

    fn take(&self, act: i64, view: &View) -> Blocks {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.act != act {
            *cached = CachedViews { act, views: VecDeque::new() };
        }
        let here = cached.views.iter().position(|(of, _)| of == view);
        here.and_then(|here| cached.views.remove(here)).map(|(_, blocks)| blocks).unwrap_or_default()
    }

    fn keep(&self, act: i64, view: &View, blocks: Blocks) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.act == act && cached.views.iter().all(|(of, _)| of != view) {
            cached.views.push_back((view.clone(), blocks));
            let over = cached.views.len().saturating_sub(VIEWS);
            cached.views.drain(..over);
        }
    }
}

fn read(reader: &Reader, query: &DurationQuery, blocks: &mut Blocks) -> Result<Vec<Bucket>, JournalError> {
    let Some(keys) = reader.keys_created(query.from, query.to)? else { return Ok(Vec::new()) };
    let mut all = HashMap::new();
    for block in keys.first / BLOCK..=keys.last / BLOCK {
        let (first, last) = (block * BLOCK, block * BLOCK + BLOCK - 1);
        // Other blocks may still get more runs.
        let is_whole = keys.first <= first && last <= keys.last && last < keys.newest;
        if let Some(known) = blocks.get(&block).filter(|_| is_whole) {
            merge(&mut all, known, query);
            continue;
        }
        let within = first.max(keys.first)..=last.min(keys.last);
        let found = reader.durations(query.view.pipeline.as_deref(), within, query.to, query.view.width)?;
        merge(&mut all, &found, query);
        let is_open = |bucket: &Bucket| [RunState::Queued, RunState::Running].iter().any(|state| state.name() == bucket.state);
        if is_whole && !found.iter().any(is_open) {
            blocks.insert(block, found.into());
        }
    }
    let mut all: Vec<Bucket> = all.into_values().collect();
    all.sort_unstable_by_key(|bucket| bucket.key);
    Ok(all)
}

/// Adds the result of a block: of two buckets of one time and state, the one with the longest run represents both.
fn merge(all: &mut HashMap<(i64, String), Bucket>, block: &[Bucket], query: &DurationQuery) {
    let took = |bucket: &Bucket| bucket.finished.unwrap_or(query.to).as_nanos() - bucket.started.as_nanos();
    for bucket in block {
        let here = (bucket.started.as_nanos() / query.view.width, bucket.state.clone());
        all.entry(here)
            .and_modify(|known| {
                let count = known.count + bucket.count;
                if took(bucket) > took(known) {
                    *known = bucket.clone();
                }
                known.count = count;
            })
            .or_insert_with(|| bucket.clone());
    }
}

impl Reader {
    /// Returns the range of keys of the runs created between these times, both included; `None` if there can be none.
    fn keys_created(&self, from: Timestamp, to: Timestamp) -> Result<Option<KeyRange>, JournalError> {
        let query = || -> rusqlite::Result<Option<KeyRange>> {
            let end = |of: &str| {
                self.connection.prepare_cached(&format!("SELECT {of}(key) FROM runs"))?.query_row([], |row| row.get(0))
            };
            let (Some(oldest), Some(newest)) = (end("min")?, end("max")?) else { return Ok(None) };
            // A run is created before it begins, and keys are in the order of creation.
            let first = last_before(&self.connection, from)?.map_or(oldest, |before| before + 1);
            let last = last_before(&self.connection, Timestamp::from_nanos(to.as_nanos().saturating_add(1)))?;
            Ok(last.filter(|last| *last >= first).map(|last| KeyRange { first, last, newest }))
        };
        query().map_err(self.failed())
    }

    /// Returns the runs between these keys: for each state and stretch of `width` nanoseconds one row, with the longest run that
    /// began in it. A run that has not ended counts as ending at `to`.
    fn durations(
        &self,
        pipeline: Option<&str>,
        keys: RangeInclusive<RunKey>,
        to: Timestamp,
        width: i64,
    ) -> Result<Vec<Bucket>, JournalError> {
        let query = || -> rusqlite::Result<Vec<Bucket>> {
            // SQLite takes the key beside a `max` from the row with that maximum. Rows are grouped by one number only, which
            // compares much faster than a text: the first letters of states differ.
            let select = "SELECT key, coalesce(begun, created), finished, runs.state, pipeline, run_id, number FROM ( \
                          SELECT key AS longest, count(*) AS number, max(coalesce(finished, ?4) - coalesce(begun, created)) \
                          FROM runs WHERE key >= ?1 AND key <= ?2 AND (?3 IS NULL OR pipeline = ?3) \
                          GROUP BY coalesce(begun, created) / ?5 * 128 + unicode(state) \
                          ) JOIN runs ON key = longest";
            let mut statement = self.connection.prepare_cached(select)?;
            let read = |row: &Row<'_>| {
                Ok(Bucket {
                    key: row.get(0)?,
                    started: Timestamp::from_nanos(row.get(1)?),
                    finished: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos),
                    state: row.get(3)?,
                    pipeline: row.get(4)?,
                    run_id: row.get(5)?,
                    count: row.get(6)?,
                })
            };
            statement.query_map(params![keys.start(), keys.end(), pipeline, to.as_nanos(), width], read)?.collect()
        };
        query().map_err(self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::super::acts::{self, Act};
    use super::super::connect;
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use rusqlite::Connection;

    /// A run takes up to a second, and is created a second after the one before it.
    const SECOND: i64 = 1_000_000_000;

    fn add(connection: &Connection, random: &mut StdRng, state: &str) {
        let insert = "INSERT INTO runs (run_id, pipeline, kind, interval_start, interval_end, params, state, created, sla_from, seed, skeleton, \
                      begun, finished) SELECT 'run__' || n, iif(?1 % 3, 'nightly', 'rare'), 'manual', 0, 0, 'null', ?2, n * 1000000000, 0, 0, 1, \
                      n * 1000000000 + ?3, n * 1000000000 + ?4 FROM (SELECT coalesce(max(key), 0) + 1 AS n FROM runs)";
        let begun = random.random_range(0..3 * SECOND);
        let finished = RunState::ALL.iter().any(|known| known.name() == state && known.is_end());
        let finished = finished.then(|| begun + random.random_range(0..SECOND));
        connection.execute(insert, params![random.random_range(0..6), state, begun, finished]).unwrap();
    }

    /// The result of a single query over all runs, without a cache.
    fn at_once(reader: &Reader, query: &DurationQuery) -> Vec<(RunKey, String, i64)> {
        let select = "SELECT longest, state, number FROM (SELECT key AS longest, count(*) AS number, \
                      max(coalesce(finished, ?2) - coalesce(begun, created)), state FROM runs \
                      WHERE created >= ?1 AND created <= ?2 AND (?3 IS NULL OR pipeline = ?3) \
                      GROUP BY coalesce(begun, created) / ?4, state) ORDER BY longest";
        let mut select = reader.connection.prepare(select).unwrap();
        let values = params![query.from.as_nanos(), query.to.as_nanos(), query.view.pipeline, query.view.width];
        select.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_kept_and_what_is_new_come_to_what_all_runs_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        connection.execute("INSERT INTO skeletons (id, text) VALUES (1, '{}')", []).unwrap();
        let seed = crate::random::new_seed();
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (reader, cache) = (Reader::open(&path).unwrap(), DurationCache::default());
        let mut kept = 0;
        for round in 0..200 {
            for _ in 0..random.random_range(0..8) {
                let state =
                    ["success", "success", "success", "failed", "cancelled", "running", "queued"][random.random_range(0..7)];
                add(&connection, &mut random, state);
            }
            // Most unfinished runs end soon.
            let end = "UPDATE runs SET state = 'success', finished = created + 3000000000 + ?1 \
                       WHERE state IN ('queued', 'running') AND random() % 4 = 0";
            connection.execute(end, [random.random_range(0..SECOND)]).unwrap();
            if random.random_ratio(1, 20) {
                // Somebody retries a run, or deletes some.
                let by_hand =
                    ["UPDATE runs SET state = 'running', finished = NULL WHERE key = ?1", "DELETE FROM runs WHERE key <= ?1 / 4"];
                let count: i64 = connection.query_row("SELECT coalesce(max(key), 0) FROM runs", [], |row| row.get(0)).unwrap();
                connection.execute(by_hand[random.random_range(0..2)], [random.random_range(0..=count)]).unwrap();
                let (command, answer) = ("{}".to_owned(), "done".to_owned());
                acts::write(&connection, &Act { at: Timestamp::default(), who: None, command, done: true, answer }).unwrap();
            }
            let now = (round + 1) * 5 * SECOND;
            let from = if random.random() { 0 } else { random.random_range(0..now) };
            let pipeline = [None, Some("nightly".to_owned()), Some("none".to_owned())][random.random_range(0..3)].clone();
            let points = [1, 20][random.random_range(0..2)];
            // The same width, as if somebody opens the view of the last days repeatedly.
            let width = 100 * SECOND / i64::from(points);
            let query = DurationQuery::new(pipeline, Timestamp::from_nanos(from), Timestamp::from_nanos(now), points);
            let query = DurationQuery { view: View { width, ..query.view }, ..query };
            let read = cache.read(&reader, &query).unwrap();
            let read: Vec<_> = read.into_iter().map(|bucket| (bucket.key, bucket.state, bucket.count)).collect();
            assert_eq!(read, at_once(&reader, &query), "round {round}: {query:?}");
            kept = kept.max(cache.0.lock().unwrap().views.iter().map(|(_, blocks)| blocks.len()).max().unwrap_or(0));
        }
        assert!(kept > 3, "{kept} blocks");
    }
}
