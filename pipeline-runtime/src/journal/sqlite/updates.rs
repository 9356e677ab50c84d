//! Updates of assets: stored in the commit of their cause, and reported to waiting pipelines once they are durable.
//!
//! # Invariants
//!
//! - An update is written with the `Succeeded` record that causes it, from that record and the run's plan: neither exists without
//!   the other.
//! - The updates that a pipeline has used up (`consumed`) are written with the run that they start. So a process that dies leaves
//!   both or neither: no update is lost, and none starts two runs.
//! - Numbers rise and are never reused: an update newer than the one that was used up is new.
//! - What a run reads is recorded as it begins, even if there was nothing to read ([`NONE`]): so it reads the same for as long as
//!   it exists.

use super::runs::interval;
use super::{JournalError, Reader};
use crate::author::asset::AssetSpec;
use crate::author::context::RunUpdate;
use crate::engine::{Entry, Record, RunSpec, Skip};
use crate::journal::RunKey;
use crate::schedule::Interval;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// Stands for the number of an update if a run reads an asset that has none.
const NONE: i64 = 0;

/// An update to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewUpdate {
    pub(crate) asset: &'static str,
    pub(crate) at: Timestamp,
    /// `None` for an update from outside.
    pub(crate) by: Option<(RunKey, UpdatedBy)>,
    /// The data interval of its run.
    pub(crate) interval: Interval,
    pub(crate) json: Arc<[u8]>,
}

/// The node whose success was an update. Its run may have been deleted since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UpdatedBy {
    pub(crate) pipeline: String,
    pub(crate) run_id: String,
    pub(crate) node: String,
}

impl std::fmt::Display for UpdatedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}/{}", self.node, self.pipeline, self.run_id)
    }
}

/// A stored update, without its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredUpdate {
    pub(crate) id: i64,
    pub(crate) asset: String,
    pub(crate) at: Timestamp,
    pub(crate) by: Option<UpdatedBy>,
    pub(crate) interval: Interval,
}

/// An update was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AssetUpdated {
    pub(crate) asset: &'static str,
    pub(crate) id: i64,
}

/// A node that a later run may wait for has passed: it has succeeded, or was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodePassed {
    pub(crate) pipeline: &'static str,
    pub(crate) node: String,
    /// The start of its run's data interval.
    pub(crate) start: DateTime<Utc>,
}

/// A change that others may wait for. It is reported once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommitEvent {
    Updated(AssetUpdated),
    Passed(NodePassed),
}

impl NodePassed {
    /// Returns what a record means for runs that wait for the past of a node. To be called for runs that have such nodes.
    pub(super) fn of(spec: &RunSpec, entry: &Entry) -> Option<Self> {
        let slot = match &entry.record {
            // A node that its run's end cut off has not passed.
            Record::Skipped { why: Skip::RunEnded, .. } => return None,
            Record::Succeeded { slot, .. } | Record::Skipped { slot, .. } => slot,
            _ => return None,
        };
        // A node that depends on its past belongs to the pipeline itself, whose slots are the first.
        let node = spec.plan.id(*spec.plan.scope(0).nodes.get(*slot as usize)?);
        let start = spec.info.interval.start;
        spec.plan.depending_on_past().any(|known| known == node).then(|| Self { pipeline: spec.plan.pipeline, node, start })
    }
}

impl NewUpdate {
    /// Returns the updates that a record causes. To be called for runs that update assets.
    pub(super) fn of(spec: &RunSpec, entry: &Entry) -> Vec<Self> {
        let Record::Succeeded { slot, output: Some(output) } = &entry.record else { return Vec::new() };
        let Some(json) = &output.json else { return Vec::new() };
        let (pipeline, run_id) = (&spec.info.pipeline, &spec.info.run_id);
        let by = |node| UpdatedBy { pipeline: pipeline.clone(), run_id: run_id.clone(), node: spec.plan.id(node) };
        let update = |(node, asset): (_, &AssetSpec)| Self {
            asset: asset.name,
            at: entry.at,
            by: Some((spec.key, by(node))),
            interval: spec.info.interval,
            json: Arc::clone(json),
        };
        spec.plan.updated_at(*slot).map(update).collect()
    }

    /// Returns the memory that it takes besides its value, which its record has too.
    pub(super) fn bytes(&self) -> usize {
        let of_by = self.by.as_ref().map_or(self.json.len(), |(_, by)| by.pipeline.len() + by.run_id.len() + by.node.len());
        size_of::<Self>() + of_by
    }
}

/// Writes an update.
pub(super) fn insert(connection: &Connection, update: &NewUpdate) -> rusqlite::Result<AssetUpdated> {
    let insert = "INSERT INTO updates (asset, at, run, pipeline, run_id, node, interval_start, interval_end, value) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let by = update.by.as_ref();
    let of_by = by.map(|(_, by)| by);
    connection.prepare_cached(insert)?.execute(params![
        update.asset,
        update.at.as_nanos(),
        by.map(|(run, _)| run),
        of_by.map(|by| &by.pipeline),
        of_by.map(|by| &by.run_id),
        of_by.map(|by| &by.node),
        Timestamp::from(update.interval.start).as_nanos(),
        Timestamp::from(update.interval.end).as_nanos(),
        &*update.json,
    ])?;
    Ok(AssetUpdated { asset: update.asset, id: connection.last_insert_rowid() })
}

/// Records the updates that started a run, and those that it reads. Updates that started it are used up by its pipeline, with all
/// before them.
pub(super) fn record_of_run(connection: &Connection, run: RunKey, updates: &[RunUpdate]) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO run_updates (run, asset, update_id, begins) VALUES (?1, ?2, ?3, ?4)";
    let consume = "INSERT INTO consumed (pipeline, asset, update_id) SELECT pipeline, ?2, ?3 FROM runs WHERE key = ?1 \
                   ON CONFLICT (pipeline, asset) DO UPDATE SET update_id = max(update_id, excluded.update_id)";
    for update in updates {
        let id = update.id.unwrap_or(NONE);
        connection.prepare_cached(insert)?.execute(params![run, update.asset, id, update.begins])?;
        if update.begins {
            connection.prepare_cached(consume)?.execute(params![run, update.asset, id])?;
        }
    }
    Ok(())
}

/// True for a row `u` of `updates` that nobody needs: its run is gone or it has none, a newer update of its asset exists, and no
/// existing run was started by it or reads it.
pub(super) const IS_UNUSED: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE key = u.run) \
     AND EXISTS (SELECT 1 FROM updates AS newer WHERE newer.asset = u.asset AND newer.id > u.id) \
     AND NOT EXISTS (SELECT 1 FROM run_updates AS r JOIN runs ON runs.key = r.run WHERE r.update_id = u.id)";

const UPDATE: &str = "SELECT u.id, u.asset, u.at, u.pipeline, u.run_id, u.node, u.interval_start, u.interval_end";

fn read(row: &Row<'_>) -> rusqlite::Result<StoredUpdate> {
    let pipeline: Option<String> = row.get(3)?;
    let by = |pipeline| -> rusqlite::Result<UpdatedBy> { Ok(UpdatedBy { pipeline, run_id: row.get(4)?, node: row.get(5)? }) };
    Ok(StoredUpdate {
        id: row.get(0)?,
        asset: row.get(1)?,
        at: Timestamp::from_nanos(row.get(2)?),
        by: pipeline.map(by).transpose()?,
        interval: interval(row.get(6)?, row.get(7)?),
    })
}

/// A value as JSON.
type Json = Arc<[u8]>;

impl Reader {
    /// Returns the number of an asset's newest update, and of the newest that this pipeline has used up; 0 if there is none.
    pub(crate) fn update_numbers(&self, pipeline: &str, asset: &str) -> Result<(i64, i64), JournalError> {
        let query = "SELECT (SELECT max(id) FROM updates WHERE asset = ?2), \
                     (SELECT update_id FROM consumed WHERE pipeline = ?1 AND asset = ?2)";
        let read = |row: &Row<'_>| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.unwrap_or(0));
            Ok((number(0)?, number(1)?))
        };
        let found = self.connection.prepare_cached(query).and_then(|mut query| query.query_row([pipeline, asset], read));
        found.map_err(self.failed())
    }

    /// Returns the joint interval of an asset's updates after one and up to another.
    pub(crate) fn joint_interval(&self, asset: &str, after: i64, to: i64) -> Result<Option<Interval>, JournalError> {
        let query = "SELECT min(interval_start), max(interval_end) FROM updates WHERE asset = ?1 AND id > ?2 AND id <= ?3";
        let read = |row: &Row<'_>| {
            let (start, end): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(start.zip(end).map(|(start, end)| interval(start, end)))
        };
        let found = self.connection.prepare_cached(query).and_then(|mut query| query.query_row(params![asset, after, to], read));
        found.map_err(self.failed())
    }

    /// Returns an update's value.
    pub(crate) fn value_of_update(&self, id: i64) -> Result<Option<Json>, JournalError> {
        let read = |row: &Row<'_>| Ok(Arc::from(row.get_ref(0)?.as_blob()?));
        let query = self.connection.prepare_cached("SELECT value FROM updates WHERE id = ?1");
        query.and_then(|mut query| query.query_row([id], read).optional()).map_err(self.failed())
    }

    /// Returns the updates that started a run or that it reads. The flag is true for those that started it.
    pub(crate) fn updates_of_run(&self, run: RunKey) -> Result<Vec<(bool, StoredUpdate)>, JournalError> {
        let query = format!(
            "{UPDATE}, r.begins FROM run_updates AS r JOIN updates AS u ON u.id = r.update_id WHERE r.run = ?1 ORDER BY u.id"
        );
        let query = || -> rusqlite::Result<Vec<_>> {
            self.connection.prepare_cached(&query)?.query_map([run], |row| Ok((row.get(8)?, read(row)?)))?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns what was recorded of a run: for each asset the update that started the run or that it reads, if there was one, and
    /// whether it started the run.
    pub(crate) fn update_ids_of_run(&self, run: RunKey) -> Result<Vec<(String, Option<i64>, bool)>, JournalError> {
        let query = || -> rusqlite::Result<Vec<_>> {
            let select = "SELECT asset, nullif(update_id, ?2), begins FROM run_updates WHERE run = ?1";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            self.connection.prepare_cached(select)?.query_map([run, NONE], read)?.collect()
        };
        query().map_err(self.failed())
    }

    /// Returns the number of an asset's newest update, and its value.
    pub(crate) fn newest_value(&self, asset: &str) -> Result<Option<(i64, Json)>, JournalError> {
        let query = "SELECT id, value FROM updates WHERE asset = ?1 ORDER BY id DESC LIMIT 1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, Arc::from(row.get_ref(1)?.as_blob()?)));
        let query = self.connection.prepare_cached(query);
        query.and_then(|mut query| query.query_row([asset], read).optional()).map_err(self.failed())
    }

    /// Returns an asset's newest update.
    pub(crate) fn newest_update(&self, asset: &str) -> Result<Option<StoredUpdate>, JournalError> {
        let query = format!("{UPDATE} FROM updates AS u WHERE u.asset = ?1 ORDER BY u.id DESC LIMIT 1");
        let query = self.connection.prepare_cached(&query);
        query.and_then(|mut query| query.query_row([asset], read).optional()).map_err(self.failed())
    }
}
