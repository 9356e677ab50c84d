//! What becomes of a request where runs are kept: its identity says whether it is a new run.
//!
//! A run is identified by its pipeline, logical date and kind. The unfinished run of that identity is resumed, else a new one
//! begins. Without a logical date it is the pipeline's newest run that has begun and not ended, and its newest queued run where
//! there is none.
//!
//! A queued run has no records, so it is never resumed: it begins, and [`Queued`] is the one way for it to begin. Its row becomes
//! `running` in the commit of its first records; were it to stay `queued`, the next process would begin it again, and nodes that
//! had finished would run a second time. `run` begins a queued run only where `max_active_runs` leaves room beside the runs of
//! its pipeline that have begun and not ended, whether a process has them or not: a limit of one is often there so that the work
//! of two runs is never interleaved.

use super::request::run_id;
use super::scheduler::Turn;
use super::{Ask, Request, StartError};
use crate::Pipeline;
use crate::author::context::RunInfo;
use crate::engine::{Edit, EditError, Entry, RunSpec, RunState, check_edit};
use crate::journal::{Begun, Reader, RunKind, StoredEntry, StoredRun};
use crate::plan::Remap;
use crate::schedule::Interval;
use crate::time::Timestamp;
use std::sync::Arc;

/// A run about to be begun or gone on with.
#[derive(Debug)]
pub(crate) enum Prepared {
    New(RunSpec, Option<Box<StoredRun>>),
    Queued(Box<Queued>),
    Resumed(Box<Resumed>),
}

/// A queued run that begins, as a run of the pipeline's present plan.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) spec: RunSpec,
    pub(crate) begun: Begun,
    /// What is changed before anything of it starts.
    pub(crate) edit: Option<Edit>,
    pub(crate) turn: Turn,
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
    pub(crate) turn: Turn,
}

impl Prepared {
    /// What a scheduler counts it as; none where runs are not kept.
    pub(super) fn turn(&self) -> Option<Turn> {
        match self {
            Self::New(_, stored) => stored.as_ref().map(|stored| Turn::of(stored)),
            Self::Queued(queued) => Some(queued.turn),
            Self::Resumed(resumed) => Some(resumed.turn),
        }
    }

    /// The run's id, and whether the journal had it already.
    pub(crate) fn about(&self) -> (&str, bool) {
        match self {
            Self::New(spec, _) => (&spec.info.run_id, false),
            Self::Queued(queued) => (&queued.spec.info.run_id, true),
            Self::Resumed(resumed) => (&resumed.spec.info.run_id, true),
        }
    }
}

impl Request {
    pub(super) fn prepare(self, reader: &Reader, now: Timestamp) -> Result<Prepared, StartError> {
        let (pipeline, params, ask) = (self.pipeline.clone(), self.params.clone(), self.ask);
        let dated = self.logical_date.is_some();
        let mut spec = self.into_spec(now)?;
        let start: Timestamp = spec.info.interval.start.into();
        let identity = || reader.unfinished_of(pipeline.id(), RunKind::Manual, dated.then_some(start));
        if let Some(run) = if ask == Ask::GoOn { identity()? } else { None } {
            let given = params.as_object().is_some_and(|params| !params.is_empty());
            if given && spec.plan.params != run.params {
                return Err(StartError::OtherParams { run_id: run.run_id, stored: run.params.to_string() });
            }
            if run.state == RunState::Queued {
                refuse_beyond_limit(reader, &run, spec.plan.calendar.max_active_runs)?;
                return Ok(Prepared::Queued(Box::new(Queued::read(reader, &pipeline, &run, now)?)));
            }
            return Ok(Prepared::Resumed(Box::new(Resumed::read(reader, &pipeline, &run)?)));
        }
        if ask == Ask::Trigger && dated {
            refuse_unfinished(reader, pipeline.id(), start)?;
        }
        let skeleton = spec.plan.skeleton().into();
        let stored = enter(reader, &mut spec, RunKind::Manual, now, &skeleton)?;
        Ok(Prepared::New(spec, Some(Box::new(stored))))
    }
}

/// A new run as the journal keeps it, with an id of its own: a date may be run again.
pub(super) fn enter(
    reader: &Reader,
    spec: &mut RunSpec,
    kind: RunKind,
    now: Timestamp,
    skeleton: &Arc<str>,
) -> Result<StoredRun, StartError> {
    let (pipeline, start) = (spec.info.pipeline.clone(), spec.info.interval.start.into());
    let info = Arc::make_mut(&mut spec.info);
    info.previous = reader.previous_success(&pipeline, start)?;
    info.run_id = run_id(kind, &info.interval);
    let before = reader.count_of(&pipeline, kind, start)?;
    if before > 0 {
        info.run_id = format!("{}__{}", info.run_id, before + 1);
    }
    Ok(StoredRun {
        key: 0,
        run_id: info.run_id.clone(),
        pipeline,
        kind,
        interval: info.interval,
        previous: info.previous,
        params: info.params.clone(),
        state: RunState::Running,
        created: now,
        sla_from: spec.sla_from,
        finished: None,
        seed: spec.seed,
        skeleton: Arc::clone(skeleton),
        begun: None,
        max_active: None,
    })
}

/// One date has one unfinished run that was asked for.
fn refuse_unfinished(reader: &Reader, pipeline: &str, start: Timestamp) -> Result<(), StartError> {
    match reader.unfinished_of(pipeline, RunKind::Manual, Some(start))? {
        Some(run) => Err(StartError::Unfinished { run_id: run.run_id, state: run.state }),
        None => Ok(()),
    }
}

/// A queued run begins where the pipeline's limit leaves room beside the runs that have begun.
fn refuse_beyond_limit(reader: &Reader, run: &StoredRun, limit: u32) -> Result<(), StartError> {
    let begun = reader.begun_of(&run.pipeline)?;
    if begun.len() < limit as usize {
        return Ok(());
    }
    Err(StartError::Waits { run_id: run.run_id.clone(), limit, begun })
}

impl Queued {
    /// Reads what a queued run looks back on as it begins.
    pub(super) fn read(reader: &Reader, pipeline: &Pipeline, run: &StoredRun, now: Timestamp) -> Result<Self, StartError> {
        let plan = Arc::new(pipeline.plan(&run.params)?);
        let previous = reader.previous_success(&run.pipeline, run.interval.start.into())?;
        let begun = Begun { run: run.key, at: now, previous, skeleton: plan.skeleton().into() };
        let info = Arc::new(info(run, previous));
        let spec = RunSpec { plan, info, sla_from: now, seed: run.seed, key: run.key };
        Ok(Self { spec, begun, edit: None, turn: Turn::of(run) })
    }
}

impl Resumed {
    /// Reads a run, as a run of the pipeline's present plan.
    pub(crate) fn read(reader: &Reader, pipeline: &Pipeline, run: &StoredRun) -> Result<Self, StartError> {
        let plan = Arc::new(pipeline.plan(&run.params)?);
        let remap = plan.match_skeleton(&run.skeleton)?;
        let mut stored = reader.entries(run.key)?;
        if let Some(remap) = &remap {
            for entry in &mut stored {
                entry.remap(remap);
            }
        }
        let entries = StoredEntry::decode(&plan, stored).map_err(|error| StartError::undecodable(&run.run_id, &error))?;
        let info = info(run, run.previous);
        let remap = remap.map(|remap| (plan.skeleton(), remap));
        let spec = RunSpec { plan, info: Arc::new(info), sla_from: run.sla_from, seed: run.seed, key: run.key };
        Ok(Self { spec, started: run.started(), entries, remap, edit: None, turn: Turn::of(run) })
    }
}

fn info(run: &StoredRun, previous: Option<Interval>) -> RunInfo {
    RunInfo {
        pipeline: run.pipeline.clone(),
        run_id: run.run_id.clone(),
        interval: run.interval,
        previous,
        params: run.params.clone(),
    }
}

/// What the journal has left to do.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Runs to go on with, and those that have ended and have not told everybody.
    pub(crate) begun: Vec<Prepared>,
    /// Runs that wait for their turn.
    pub(crate) queued: Vec<StoredRun>,
}

impl Unfinished {
    pub(crate) fn len(&self) -> usize {
        self.begun.len() + self.queued.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All unfinished runs that a filter lets through, and those that have not told everybody.
pub(super) fn unfinished(
    reader: &Reader,
    pipelines: &[Pipeline],
    wanted: impl Fn(&StoredRun) -> bool,
) -> Result<Unfinished, StartError> {
    let mut unfinished = Unfinished::default();
    for run in reader.unfinished()?.into_iter().chain(reader.untold()?).filter(wanted) {
        let pipeline = of(pipelines, &run)?;
        if run.state == RunState::Queued {
            unfinished.queued.push(run);
        } else {
            unfinished.begun.push(Prepared::Resumed(Box::new(Resumed::read(reader, pipeline, &run)?)));
        }
    }
    Ok(unfinished)
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
    if run.state == RunState::Queued {
        if edit != Edit::Cancel {
            return Err(StartError::still_queued(&run.run_id));
        }
        let mut queued = Queued::read(reader, of(pipelines, &run)?, &run, now)?;
        queued.edit = Some(edit);
        return Ok(Prepared::Queued(Box::new(queued)));
    }
    let mut resumed = Resumed::read(reader, of(pipelines, &run)?, &run)?;
    let refused = |reason: EditError| StartError::Edit { run_id: run_id.to_owned(), reason: reason.to_string() };
    check_edit(resumed.spec.clone(), run.started(), &resumed.entries, &edit, now).map_err(refused)?;
    resumed.edit = Some(edit);
    Ok(Prepared::Resumed(Box::new(resumed)))
}

pub(super) fn of<'a>(pipelines: &'a [Pipeline], run: &StoredRun) -> Result<&'a Pipeline, StartError> {
    let (run_id, id) = (run.run_id.clone(), run.pipeline.clone());
    pipelines.iter().find(|pipeline| pipeline.id() == id).ok_or(StartError::NoPipeline { run_id, pipeline: id })
}
