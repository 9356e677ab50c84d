//! What becomes of a request where runs are kept: its identity says whether it is a new run.
//!
//! A run is identified by its pipeline, logical date and kind. The unfinished run of that identity is gone on with, else a new
//! one begins. Without a logical date it is the pipeline's newest unfinished run.

use super::{Request, StartError};
use crate::Pipeline;
use crate::author::context::RunInfo;
use crate::engine::{Edit, EditError, Entry, RunSpec, RunState, check_edit};
use crate::journal::{Reader, RunKind, StoredEntry, StoredRun};
use crate::plan::Remap;
use crate::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// A run about to be begun or gone on with.
#[derive(Debug)]
pub(crate) enum Prepared {
    New(RunSpec, Option<Box<StoredRun>>),
    Resumed(Box<Resumed>),
}

/// An unfinished run, read from the journal.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) spec: RunSpec,
    pub(crate) started: Timestamp,
    pub(crate) entries: Vec<Entry>,
    /// The plan's skeleton, and how the run's nodes are called in it, where it has changed.
    pub(crate) remap: Option<(String, Remap)>,
    /// What somebody wants changed before anything else of it happens.
    pub(crate) edit: Option<Edit>,
}

impl Prepared {
    /// The run's id, and whether it is gone on with.
    pub(crate) fn about(&self) -> (&str, bool) {
        match self {
            Self::New(spec, _) => (&spec.info.run_id, false),
            Self::Resumed(resumed) => (&resumed.spec.info.run_id, true),
        }
    }
}

impl Request {
    pub(super) fn prepare(self, reader: &Reader, now: Timestamp) -> Result<Prepared, StartError> {
        let (pipeline, params, asked_for_new) = (self.pipeline.clone(), self.params.clone(), self.new);
        let dated = self.logical_date.is_some();
        let mut spec = self.into_spec(now)?;
        let start: Timestamp = spec.info.interval.start.into();
        let identity = || reader.unfinished_of(pipeline.id(), RunKind::Manual, dated.then_some(start));
        if let Some(run) = if asked_for_new { None } else { identity()? } {
            let given = params.as_object().is_some_and(|params| !params.is_empty());
            if given && spec.plan.params != run.params {
                return Err(StartError::OtherParams { run_id: run.run_id, stored: run.params.to_string() });
            }
            return Ok(Prepared::Resumed(Box::new(Resumed::read(reader, &pipeline, &run)?)));
        }
        let info = Arc::make_mut(&mut spec.info);
        info.previous = reader.previous_success(pipeline.id(), start)?;
        // A date may be run again; each run has an id of its own.
        let before = reader.count_of(pipeline.id(), RunKind::Manual, start)?;
        if before > 0 {
            info.run_id = format!("{}__{}", info.run_id, before + 1);
        }
        let stored = StoredRun {
            key: 0,
            run_id: info.run_id.clone(),
            pipeline: info.pipeline.clone(),
            kind: RunKind::Manual,
            interval: info.interval,
            previous: info.previous,
            params: info.params.clone(),
            state: RunState::Running,
            created: now,
            sla_from: spec.sla_from,
            finished: None,
            seed: spec.seed,
            skeleton: spec.plan.skeleton().into(),
        };
        Ok(Prepared::New(spec, Some(Box::new(stored))))
    }
}

impl Resumed {
    /// Reads a run, as a run of the pipeline's present plan.
    pub(crate) fn read(reader: &Reader, pipeline: &Pipeline, run: &StoredRun) -> Result<Self, StartError> {
        let params = if run.params.is_null() { Value::Null } else { run.params.clone() };
        let plan = Arc::new(pipeline.plan(&params)?);
        let remap = plan.match_skeleton(&run.skeleton)?;
        let mut stored = reader.entries(run.key)?;
        if let Some(remap) = &remap {
            for entry in &mut stored {
                entry.remap(remap);
            }
        }
        let entries = StoredEntry::decode(&plan, stored).map_err(|error| StartError::undecodable(&run.run_id, &error))?;
        let info = RunInfo {
            pipeline: run.pipeline.clone(),
            run_id: run.run_id.clone(),
            interval: run.interval,
            previous: run.previous,
            params: run.params.clone(),
        };
        let remap = remap.map(|remap| (plan.skeleton(), remap));
        let spec = RunSpec { plan, info: Arc::new(info), sla_from: run.sla_from, seed: run.seed, key: run.key };
        Ok(Self { spec, started: run.created, entries, remap, edit: None })
    }
}

/// All unfinished runs of these pipelines, and those that have not told everybody.
pub(super) fn unfinished(reader: &Reader, pipelines: &[Pipeline]) -> Result<Vec<Prepared>, StartError> {
    let runs = reader.unfinished()?.into_iter().chain(reader.untold()?);
    runs.map(|run| Ok(Prepared::Resumed(Box::new(Resumed::read(reader, of(pipelines, &run)?, &run)?)))).collect()
}

/// A run as an edit leaves it, if it can be applied.
pub(super) fn edited(
    reader: &Reader,
    pipelines: &[Pipeline],
    run_id: &str,
    edit: Edit,
    now: Timestamp,
) -> Result<Prepared, StartError> {
    let run = reader.run(run_id)?.ok_or_else(|| StartError::NoRun { run_id: run_id.to_owned() })?;
    let mut resumed = Resumed::read(reader, of(pipelines, &run)?, &run)?;
    let refused = |reason: EditError| StartError::Edit { run_id: run_id.to_owned(), reason: reason.to_string() };
    check_edit(resumed.spec.clone(), run.created, &resumed.entries, &edit, now).map_err(refused)?;
    resumed.edit = Some(edit);
    Ok(Prepared::Resumed(Box::new(resumed)))
}

fn of<'a>(pipelines: &'a [Pipeline], run: &StoredRun) -> Result<&'a Pipeline, StartError> {
    let (run_id, id) = (run.run_id.clone(), run.pipeline.clone());
    pipelines.iter().find(|pipeline| pipeline.id() == id).ok_or(StartError::NoPipeline { run_id, pipeline: id })
}
