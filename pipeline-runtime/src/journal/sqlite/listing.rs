//! The listing of runs that match a filter, page by page.

use super::{JournalError, Reader};
use crate::engine::RunState;
use crate::journal::{RunKey, RunKind, StoredRun};
use crate::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Which runs to list: those that meet all conditions, the newest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) pipeline: Option<String>,
    /// Runs in that state that are not blocked.
    pub(crate) state: Option<RunState>,
    /// Blocked runs.
    pub(crate) blocked: bool,
    pub(crate) kind: Option<RunKind>,
    /// Runs created then or later.
    pub(crate) since: Option<Timestamp>,
    /// Runs created before the run of that key: the next page.
    pub(crate) before: Option<RunKey>,
    pub(crate) limit: u32,
}

impl Reader {
    /// Returns the runs that match a filter, the newest first.
    ///
    /// Each pair of a kind and a state is a range of an index in the order of keys, and at most `limit` keys of each are read,
    /// however many runs there are and however few of them match.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<StoredRun>, JournalError> {
        let after = filter
            .since
            .map(|since| last_before(&self.connection, since))
            .transpose()
            .map_err(self.failed())?
            .flatten()
            .unwrap_or(0);
        let query = keys_query(filter);
        let values = params![filter.before.unwrap_or(RunKey::MAX), after, filter.limit, filter.pipeline];
        let read = || -> rusqlite::Result<Vec<RunKey>> {
            let mut statement = self.connection.prepare(&query)?;
            let used = statement.parameter_count();
            let values: &[&dyn rusqlite::ToSql] = values;
            statement.query_map(&values[..used], |row| row.get(0))?.collect()
        };
        let mut keys = read().map_err(self.failed())?;
        keys.sort_unstable_by(|a, b| b.cmp(a));
        keys.truncate(filter.limit as usize);
        let mut runs = Vec::with_capacity(keys.len());
        for key in keys {
            runs.extend(self.runs_where("WHERE key = ?1", [key])?);
        }
        Ok(runs)
    }
}

/// Returns the last run created before that time. Keys are in the order of creation times, which the clock of the creating
/// process ensures, so a binary search finds it.
pub(super) fn last_before(connection: &Connection, time: Timestamp) -> rusqlite::Result<Option<RunKey>> {
    let mut next = connection.prepare_cached("SELECT key, created FROM runs WHERE key >= ?1 ORDER BY key LIMIT 1")?;
    let last: Option<RunKey> = connection.query_row("SELECT max(key) FROM runs", [], |row| row.get(0))?;
    // All runs up to `low` were created before; the next run that was not, if there is one, is at `high` or earlier.
    let (mut low, mut high) = (0, last.unwrap_or(0) + 1);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        let found = next.query_row([middle], |row| Ok((row.get::<_, RunKey>(0)?, row.get::<_, i64>(1)?))).optional()?;
        match found {
            Some((key, created)) if created < time.as_nanos() => low = key,
            _ => high = middle,
        }
    }
    Ok((low > 0).then_some(low))
}

/// Builds the query for the keys of the runs that match a filter: ?1 and ?2 are the keys that they lie between, ?3 is the limit,
/// ?4 the pipeline.
fn keys_query(filter: &Filter) -> String {
    let of_pipeline = filter.pipeline.as_ref().map(|_| "pipeline = ?4 AND ");
    if filter.blocked {
        let of_kind = filter.kind.map(|kind| format!("kind = '{kind}' AND ")).unwrap_or_default();
        let of_pipeline = of_pipeline.unwrap_or_default();
        return format!(
            "SELECT key FROM runs INDEXED BY blocked_runs WHERE {of_pipeline}{of_kind}blocked IS NOT NULL \
             AND key < ?1 AND key > ?2 ORDER BY key DESC LIMIT ?3"
        );
    }
    if of_pipeline.is_none() && filter.state.is_none() && filter.kind.is_none() {
        return "SELECT key FROM runs WHERE key < ?1 AND key > ?2 ORDER BY key DESC LIMIT ?3".to_owned();
    }
    let states = RunState::ALL.into_iter().filter(|state| filter.state.is_none_or(|wanted| wanted == *state));
    let kinds = RunKind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind));
    let pairs = states.flat_map(|state| kinds.clone().map(move |kind| (state, kind)));
    let of_pair = |(state, kind): (RunState, RunKind)| {
        let of_pipeline = of_pipeline.unwrap_or_default();
        let not_blocked = if filter.state.is_some() && !state.is_end() { "blocked IS NULL AND " } else { "" };
        format!(
            "SELECT * FROM (SELECT key FROM runs WHERE {of_pipeline}state = '{state}' AND kind = '{kind}' AND {not_blocked}key < ?1 \
             AND key > ?2 ORDER BY key DESC LIMIT ?3)"
        )
    };
    pairs.map(of_pair).collect::<Vec<_>>().join(" UNION ALL ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::connect;
    use rusqlite::StatementStatus;

    /// A journal of that many runs, each with three records. One in a hundred failed, and three in all are of pipeline `rare`.
    fn journal(runs: i64) -> (tempfile::TempDir, Reader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let connection = connect::open(&path).unwrap();
        connection.execute("INSERT INTO skeletons (id, text) VALUES (1, '{}')", []).unwrap();
        let counted = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)";
        let fill = format!(
            "{counted} INSERT INTO runs (key, run_id, pipeline, kind, interval_start, interval_end, params, state, created, \
             sla_from, finished, seed, skeleton) SELECT n, 'run__' || n, iif(n % (?1 / 3) = 1, 'rare', 'nightly'), \
             iif(n % 2, 'manual', 'scheduled'), n, n + 1, 'null', iif(n % 100 = 7, 'failed', 'success'), n, n, n, 0, 1 FROM n"
        );
        connection.execute(&fill, [runs]).unwrap();
        let records = "INSERT INTO records (run, seq, at, kind) SELECT n, column1, n, 1 FROM n, (VALUES (1), (2), (3))";
        connection.execute(&format!("{counted} {records}"), [runs]).unwrap();
        drop(connection);
        (folder, Reader::open(&path).unwrap())
    }

    fn filters() -> Vec<Filter> {
        let mut filters = Vec::new();
        for pipeline in [None, Some("rare"), Some("nightly"), Some("unknown")] {
            for state in [None, Some(RunState::Success), Some(RunState::Failed), Some(RunState::Running)] {
                for kind in [None, Some(RunKind::Manual), Some(RunKind::Backfill)] {
                    filters.push(Filter { pipeline: pipeline.map(str::to_owned), state, kind, limit: 5, ..Filter::default() });
                }
            }
            let pipeline = pipeline.map(str::to_owned);
            filters.push(Filter { pipeline, blocked: true, limit: 5, ..Filter::default() });
        }
        filters
    }

    /// The number of instructions that `SQLite` executes for a page of runs, which does not depend on this machine's speed.
    fn steps(reader: &Reader, filter: &Filter) -> i32 {
        let mut query = reader.connection.prepare(&keys_query(filter)).unwrap();
        let used = query.parameter_count();
        let values: &[&dyn rusqlite::ToSql] = params![RunKey::MAX, 0, filter.limit, filter.pipeline];
        let keys: Vec<i64> = query.query_map(&values[..used], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(keys.len() <= 15 * 5, "{keys:?}");
        query.get_status(StatementStatus::VmStep)
    }

    #[test]
    fn a_page_of_runs_takes_as_many_steps_of_many_runs_as_of_few() {
        let ((_few, few), (_many, many)) = (journal(2_000), journal(40_000));
        for filter in filters() {
            let (of_few, of_many) = (steps(&few, &filter), steps(&many, &filter));
            assert!(of_many <= of_few + 20, "{filter:?}: {of_few} steps of 2,000 runs, {of_many} of 40,000");
        }
    }

    #[test]
    fn a_query_that_is_asked_again_is_not_prepared_again() {
        let (_folder, reader) = journal(300);
        for _ in 0..3 {
            for limit in 1..4 {
                reader.active_runs(limit).unwrap();
                reader.count("nightly", RunState::Success).unwrap();
            }
        }
        let again = |select: &str| {
            let statement = reader.connection.prepare_cached(select).unwrap();
            assert!(statement.get_status(StatementStatus::Run) >= 9, "it is another statement: {select}");
            statement.get_status(StatementStatus::RePrepare)
        };
        let limited = "SELECT key, (SELECT coalesce(max(seq), 0) FROM records WHERE run = key) FROM runs \
                       WHERE state = 'running' AND blocked IS NULL ORDER BY key DESC LIMIT ?1";
        assert_eq!(again(limited), 0);
        assert_eq!(again("SELECT count(*) FROM runs WHERE pipeline = ?1 AND state = ?2"), 0);
    }

    #[test]
    fn no_query_reads_all_runs_or_sorts_them() {
        let (_folder, reader) = journal(300);
        let all = filters().iter().map(keys_query).collect::<Vec<_>>();
        let single = [
            "SELECT key FROM runs WHERE run_id = ?1",
            "SELECT key FROM runs WHERE run_id = ?1 AND pipeline = ?2",
            "SELECT max(key) FROM runs",
            "SELECT key, created FROM runs WHERE key >= ?1 ORDER BY key LIMIT 1",
            "SELECT run_id FROM runs WHERE pipeline = ?1 AND kind = ?2 AND interval_start = ?3",
            "SELECT run_id FROM runs WHERE ticket = ?1",
            "SELECT id FROM logs WHERE run = ?1 AND node = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
            "SELECT seq FROM records WHERE run = ?1 AND seq > ?2 ORDER BY seq",
        ];
        for query in all.iter().map(String::as_str).chain(single) {
            let mut explained = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let values = vec![0; explained.parameter_count()];
            let steps = explained.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            for step in steps.map(Result::unwrap) {
                let reads_all = ["SCAN runs", "SCAN logs", "SCAN records", "TEMP B-TREE"].iter().any(|all| step.contains(all));
                assert!(!reads_all, "{query}: {step}");
            }
        }
    }

    #[test]
    fn pages_and_times_leave_nothing_out() {
        let (_folder, reader) = journal(600);
        let mut filter = Filter { pipeline: Some("nightly".into()), limit: 50, ..Filter::default() };
        let mut seen = Vec::new();
        loop {
            let page = reader.runs(&filter).unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.key);
            seen.extend(page.iter().map(|run| run.key));
        }
        assert_eq!(seen.len(), 597);
        assert!(seen.is_sorted_by(|a, b| a > b));
        for since in [0, 1, 2, 300, 599, 600, 601] {
            let since = Filter { since: Some(Timestamp::from_nanos(since)), limit: 1_000, ..Filter::default() };
            let expected = 600 - since.since.unwrap().as_nanos().clamp(1, 601) + 1;
            assert_eq!(i64::try_from(reader.runs(&since).unwrap().len()).unwrap(), expected, "{since:?}");
        }
    }
}
