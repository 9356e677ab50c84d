//! Resolves requests against the journal: the identity of a request decides whether it is a new run.
//!
//! A run is identified by its pipeline, logical date and kind. The unfinished run with that identity is resumed, else a new one
//! starts. Without a logical date, it is the pipeline's newest run that has started and not ended, or else its newest queued run.
//!
//! A queued run has no records, so it is never resumed: it starts, and only through [`QueuedRun`]. Its row becomes `running` in the
//! commit of its first records; if it stayed `queued`, the next process would start it again, and finished nodes would run a
//! second time. `run` starts a queued run only if `max_active_runs` leaves room beside the pipeline's runs that have started and
//! not ended, whether a process hosts them or not: a limit of one often ensures that the work of two runs is never interleaved.

use super::request::run_id;
use super::scheduler::Turn;
use super::{Request, RequestMode, StartError};
use super::{settings, updates};
use crate::Pipeline;
use crate::author::context::{RunInfo, RunUpdate};
use crate::author::previous::Previous;
use crate::engine::{Edit, EditError, Entry, Record, Run, RunSpec, RunState, reconsider};
use crate::journal::{Reader, RunKind, RunStart, StoredEntry, StoredRun};
use crate::plan::{Accepts, Plan, Remap};
use crate::time::{Present, Timestamp};
use std::sync::Arc;

/// A run that is about to be started or resumed.
#[derive(Debug)]
pub(crate) enum PreparedRun {
    /// A new run, and its row in the journal; `None` if runs are not recorded.
    New(RunSpec, Option<Box<StoredRun>>),
    /// A run that has waited for its turn, and starts now.
    Queued(Box<QueuedRun>),
    /// A run that has started before.
    Resumed(Box<ResumedRun>),
}

/// A queued run that starts, with the pipeline's current plan.
#[derive(Debug)]
pub(crate) struct QueuedRun {
    pub(crate) spec: RunSpec,
    pub(crate) begun: RunStart,
    /// An edit to apply before anything else happens in the run.
    pub(crate) edit: Option<Edit>,
    pub(crate) turn: Turn,
}

/// An unfinished run, read from the journal.
#[derive(Debug)]
pub(crate) struct ResumedRun {
    pub(crate) run: Run,
    pub(crate) entries: Vec<Entry>,
    /// If the plan has changed: its skeleton, and the mapping of the run's nodes to it.
    pub(crate) remap: Option<(String, Remap)>,
    /// The run has settings or updates of assets that are not stored with it: those that its pipeline has begun to take since.
    pub(crate) has_new_inputs: bool,
    /// An edit to apply before anything else happens in the run.
    pub(crate) edit: Option<Edit>,
    pub(crate) turn: Turn,
    /// An earlier process could not resume it.
    pub(crate) was_blocked: bool,
}

impl PreparedRun {
    /// Returns the run's turn for the scheduler; `None` if runs are not recorded.
    pub(super) fn turn(&self) -> Option<Turn> {
        match self {
            Self::New(_, stored) => stored.as_ref().map(|stored| Turn::of(stored)),
            Self::Queued(queued) => Some(queued.turn),
            Self::Resumed(resumed) => Some(resumed.turn),
        }
    }

    /// Returns the spec of a new run.
    pub(crate) fn new_spec(&self) -> Option<&RunSpec> {
        match self {
            Self::New(spec, _) => Some(spec),
            Self::Queued(_) | Self::Resumed(_) => None,
        }
    }

    pub(crate) fn plan(&self) -> &Plan {
        match self {
            Self::New(spec, _) => &spec.plan,
            Self::Queued(queued) => &queued.spec.plan,
            Self::Resumed(resumed) => resumed.run.plan(),
        }
    }

    /// Returns the run's id, and whether the journal had it already.
    pub(crate) fn about(&self) -> (&str, bool) {
        match self {
            Self::New(spec, _) => (&spec.info.run_id, false),
            Self::Queued(queued) => (&queued.spec.info.run_id, true),
            Self::Resumed(resumed) => (&resumed.run.spec().info.run_id, true),
        }
    }
}

impl Request {
    pub(super) fn prepare(self, reader: &Reader, now: Present) -> Result<PreparedRun, StartError> {
        let (pipeline, params, mode) = (self.pipeline.clone(), self.params.clone(), self.mode);
        let dated = self.logical_date.is_some();
        let spec = self.into_spec(now)?;
        let start: Timestamp = spec.info.interval.start.into();
        let identity = || reader.unfinished_of(pipeline.id(), RunKind::Manual, dated.then_some(start));
        if let Some(run) = if mode == RequestMode::Resume { identity()? } else { None } {
            let given = params.as_object().is_some_and(|params| !params.is_empty());
            if given && spec.plan.params != run.params {
                return Err(StartError::OtherParams { run_id: run.run_id, stored: run.params.to_string() });
            }
            if run.state == RunState::Queued {
                refuse_beyond_limit(reader, &run, spec.plan.calendar.max_active_runs)?;
                return Ok(PreparedRun::Queued(Box::new(QueuedRun::read(reader, &pipeline, &run, now.clock)?)));
            }
            return Ok(PreparedRun::Resumed(Box::new(ResumedRun::read(reader, &pipeline, &run, Accepts::Additions)?)));
        }
        let (spec, stored) = new_run(reader, spec, mode, now, Some(&[]))?;
        Ok(PreparedRun::New(spec, Some(Box::new(stored))))
    }

    /// Creates the requested new run, to be queued, whatever else is unfinished, if that is allowed.
    pub(super) fn enter(self, reader: &Reader, now: Present) -> Result<(RunSpec, StoredRun), StartError> {
        let mode = self.mode;
        new_run(reader, self.into_spec(now)?, mode, now, None)
    }
}

fn new_run(
    reader: &Reader,
    mut spec: RunSpec,
    mode: RequestMode,
    now: Present,
    begins: Option<&[(&'static str, i64)]>,
) -> Result<(RunSpec, StoredRun), StartError> {
    if mode == RequestMode::Trigger {
        refuse_unfinished(reader, &spec.info.pipeline, spec.info.interval.start.into())?;
    }
    let skeleton = spec.plan.skeleton().into();
    let stored = enter(reader, &mut spec, RunKind::Manual, now.clock, &skeleton, begins)?;
    Ok((spec, stored))
}

/// Creates the row of a new run with an unused id, since a date may be run again. `begins` are the updates of assets that start
/// it; `None` for a queued run, which reads its inputs when it starts.
pub(super) fn enter(
    reader: &Reader,
    spec: &mut RunSpec,
    kind: RunKind,
    now: Timestamp,
    skeleton: &Arc<str>,
    begins: Option<&[(&'static str, i64)]>,
) -> Result<StoredRun, StartError> {
    let (pipeline, start) = (spec.info.pipeline.clone(), spec.info.interval.start.into());
    let updates = begins.map(|begins| updates::for_new_run(reader, &spec.plan, begins)).transpose()?.unwrap_or_default();
    let info = Arc::make_mut(&mut spec.info);
    info.updates = updates;
    if begins.is_some() {
        info.settings = settings::for_new_run(reader, &spec.plan)?;
    }
    info.previous = reader.previous_success(&pipeline, start)?.into();
    info.began = Some(now.to_utc());
    info.of_schedule(kind, spec.plan.schedule.as_ref());
    info.run_id = run_id(kind, &info.interval);
    info.run_id = unused_id(&info.run_id, &reader.ids_of(&pipeline, kind, start)?);
    Ok(row(spec, kind, now, skeleton))
}

/// Returns the row of a new run, with the id and everything else from its `spec`.
pub(super) fn row(spec: &RunSpec, kind: RunKind, now: Timestamp, skeleton: &Arc<str>) -> StoredRun {
    let info = &spec.info;
    StoredRun {
        key: 0,
        run_id: info.run_id.clone(),
        pipeline: info.pipeline.clone(),
        kind,
        interval: info.interval,
        previous: info.previous.get(),
        params: info.params.clone(),
        state: RunState::Running,
        created: now,
        sla_from: spec.sla_from,
        finished: None,
        seed: spec.seed,
        skeleton: Arc::clone(skeleton),
        begun: None,
        max_active: None,
        blocked: None,
        settings: info.settings.clone(),
    }
}

/// Returns the id for another run of an identity. Its number is one more than the greatest in use, and not the count, since some
/// may have been pruned.
fn unused_id(base: &str, used: &[String]) -> String {
    let number = |id: &String| id.rsplit_once("__").and_then(|(_, number)| number.parse::<u64>().ok()).unwrap_or(1);
    match used.iter().map(number).max() {
        None => base.to_owned(),
        Some(greatest) => format!("{base}__{}", greatest.saturating_add(1)),
    }
}

/// Refuses a second unfinished manual run for one date.
fn refuse_unfinished(reader: &Reader, pipeline: &str, start: Timestamp) -> Result<(), StartError> {
    match reader.unfinished_of(pipeline, RunKind::Manual, Some(start))? {
        Some(run) => Err(StartError::Unfinished { run_id: run.run_id, state: run.state }),
        None => Ok(()),
    }
}

/// Refuses a queued run if the pipeline's limit leaves no room beside its started runs.
fn refuse_beyond_limit(reader: &Reader, run: &StoredRun, limit: u32) -> Result<(), StartError> {
    let begun = reader.begun_of(&run.pipeline, false)?;
    if begun.len() < limit as usize {
        return Ok(());
    }
    Err(StartError::Waits { run_id: run.run_id.clone(), limit, begun })
}

impl QueuedRun {
    /// Reads the inputs of a queued run that starts now.
    pub(super) fn read(reader: &Reader, pipeline: &Pipeline, run: &StoredRun, now: Timestamp) -> Result<Self, StartError> {
        let plan = Arc::new(pipeline.plan_of_run(&run.params)?);
        let previous = reader.previous_success(&run.pipeline, run.interval.start.into())?;
        let updates = updates::for_new_run(reader, &plan, &[])?;
        let settings = settings::for_new_run(reader, &plan)?;
        let skeleton = plan.skeleton().into();
        let begun = RunStart { run: run.key, at: now, previous, skeleton, updates: updates.clone(), settings: settings.clone() };
        let info = Arc::new(RunInfo { settings, ..info(run, previous, updates, now, &plan) });
        let spec = RunSpec { plan, info, sla_from: now, seed: run.seed, key: run.key };
        Ok(Self { spec, begun, edit: None, turn: Turn::of(run) })
    }
}

impl ResumedRun {
    /// Reads a run, with the pipeline's current plan.
    pub(crate) fn read(reader: &Reader, pipeline: &Pipeline, run: &StoredRun, accepts: Accepts) -> Result<Self, StartError> {
        Self::of(reader, Arc::new(pipeline.plan_of_run(&run.params)?), run, accepts)
    }

    /// Reads a run, with that plan.
    pub(crate) fn of(reader: &Reader, plan: Arc<Plan>, run: &StoredRun, accepts: Accepts) -> Result<Self, StartError> {
        let mut remap = match plan.match_skeleton(&run.skeleton, accepts) {
            Ok(remap) => remap,
            Err(changed) if changed.may_be_accepted() => {
                return Err(match Self::of(reader, plan, run, Accepts::Removals) {
                    Ok(_) => changed.into(),
                    // A failed read does not tell what may be accepted.
                    Err(error @ StartError::Journal(_)) => error,
                    // Accepting is not suggested if it would be refused.
                    Err(_) => changed.not_to_be_accepted().into(),
                });
            }
            Err(changed) => return Err(changed.into()),
        };
        let mut stored = reader.entries(run.key)?;
        let is_accepted = remap.as_ref().is_some_and(Remap::is_of_removals);
        if let Some(remap) = remap.as_mut().filter(|_| is_accepted) {
            accept(&plan, remap, &stored).map_err(|reason| StartError::NotAccepted { run_id: run.run_id.clone(), reason })?;
        }
        if let Some(remap) = &remap {
            StoredEntry::remap(&mut stored, remap);
        }
        let entries = StoredEntry::decode(&plan, stored).map_err(|error| StartError::undecodable(&run.run_id, &error))?;
        let (updates, reads_more) = updates::for_resumed_run(reader, &plan, run.key)?;
        let settings = settings::for_resumed_run(reader, &plan, &run.settings)?;
        let has_new_inputs = reads_more || settings.len() > run.settings.len();
        let info = RunInfo { settings, ..info(run, run.previous, updates, run.started(), &plan) };
        let remap = remap.map(|remap| (plan.skeleton(), remap));
        let spec = RunSpec { plan, info: Arc::new(info), sla_from: run.sla_from, seed: run.seed, key: run.key };
        let replayed = Run::replay(spec, run.started(), &entries);
        let replayed = replayed.map_err(|illegal| {
            if !is_accepted {
                return StartError::damaged(&run.run_id, &illegal);
            }
            StartError::NotAccepted { run_id: run.run_id.clone(), reason: format!("it has progressed too far: {illegal}") }
        })?;
        if let Some(slot) = replayed.without_input().filter(|_| is_accepted) {
            let reason = format!("`{}` is running without an input that it takes now", replayed.id(slot));
            return Err(StartError::NotAccepted { run_id: run.run_id.clone(), reason });
        }
        let (turn, was_blocked) = (Turn::of(run), run.blocked.is_some());
        Ok(Self { run: replayed, entries, remap, has_new_inputs, edit: None, turn, was_blocked })
    }
}

/// Determines which nodes are decided again, or why the run cannot continue without the removed ones.
fn accept(plan: &Plan, remap: &mut Remap, stored: &[StoredEntry]) -> Result<(), String> {
    let records: Vec<&Record> = stored.iter().map(|stored| &stored.entry.record).collect();
    let is_lost = |record: &&Record| matches!(record, Record::Unfolded { slot, .. } if remap.slot(*slot).is_none());
    if records.iter().any(is_lost) {
        return Err("a removed mapping has already expanded into its elements".to_owned());
    }
    let reopened = reconsider(plan, remap, &records);
    remap.reopen(
        reopened.map_err(|node| format!("the outcome of `{node}` depends on a removed node, or on an input that has changed"))?,
    );
    Ok(())
}

fn info(run: &StoredRun, previous: Option<Previous>, updates: Box<[RunUpdate]>, began: Timestamp, plan: &Plan) -> RunInfo {
    let info = RunInfo::new(&run.pipeline, &run.run_id, run.interval, run.params.clone());
    let mut info = RunInfo { previous: previous.into(), updates, began: Some(began.to_utc()), ..info };
    info.of_schedule(run.kind, plan.schedule.as_ref());
    info
}

/// The result of an edit of a run that no engine hosts.
#[derive(Debug)]
pub(crate) enum EditResult {
    /// The run continues with the edit applied.
    Prepared(PreparedRun),
    /// The run is to be cancelled by its row in the journal only, since this program has no plan for it.
    CancelledAsItIs(Box<StoredRun>),
    /// The run has ended, and this program has no plan for it: its pending notifications are given up.
    GivenUp(Box<StoredRun>, Vec<u32>),
}

/// Prepares a run with an edit applied, if that is possible. Cancelling needs no plan: otherwise a run that cannot be resumed
/// would stay forever.
pub(super) fn edited(
    reader: &Reader,
    pipelines: &[Pipeline],
    name: &str,
    edit: Edit,
    now: Timestamp,
) -> Result<EditResult, StartError> {
    let run = reader.run(name)?.ok_or_else(|| StartError::NoRun { run_id: name.to_owned() })?;
    let is_cancel = edit == Edit::Cancel;
    match with_plan(reader, pipelines, &run, edit, now) {
        Err(error) if is_cancel && error.is_about_plan() => {
            if !run.state.is_end() {
                return Ok(EditResult::CancelledAsItIs(Box::new(run)));
            }
            let due = reader.due_callbacks(run.key)?;
            if due.is_empty() {
                let reason = EditError::Ended(run.state).to_string();
                return Err(StartError::Edit { run_id: run.run_id, reason });
            }
            Ok(EditResult::GivenUp(Box::new(run), due))
        }
        prepared => prepared.map(EditResult::Prepared),
    }
}

fn with_plan(
    reader: &Reader,
    pipelines: &[Pipeline],
    run: &StoredRun,
    edit: Edit,
    now: Timestamp,
) -> Result<PreparedRun, StartError> {
    if run.state == RunState::Queued {
        if edit != Edit::Cancel {
            return Err(StartError::still_queued(&run.run_id));
        }
        let mut queued = QueuedRun::read(reader, pipeline_of(pipelines, run)?, run, now)?;
        queued.edit = Some(edit);
        return Ok(PreparedRun::Queued(Box::new(queued)));
    }
    let mut resumed =
        ResumedRun::read(reader, pipeline_of(pipelines, run)?, run, Accepts::Additions).map_err(|error| match error {
            StartError::Changed(changed) if run.state.is_end() => StartError::Changed(changed.of_ended()),
            error => error,
        })?;
    let refused = |reason: EditError| StartError::Edit { run_id: run.run_id.clone(), reason: reason.to_string() };
    resumed.run.check_edit(&edit).map_err(refused)?;
    resumed.edit = Some(edit);
    Ok(PreparedRun::Resumed(Box::new(resumed)))
}

pub(super) fn pipeline_of<'a>(pipelines: &'a [Pipeline], run: &StoredRun) -> Result<&'a Pipeline, StartError> {
    let (run_id, id) = (run.run_id.clone(), run.pipeline.clone());
    pipelines.iter().find(|pipeline| pipeline.id() == id).ok_or(StartError::NoPipeline { run_id, pipeline: id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::setting::SettingInput;
    use crate::host::{RequestMode, set};
    use crate::journal::SqliteJournal;
    use crate::prelude::*;

    static LIMIT: Setting<u64> = Setting::new("limit", 500);

    #[task]
    async fn load(limit: u64) -> Result<u64> {
        Ok(limit)
    }

    #[pipeline]
    fn limited() {
        load(&LIMIT);
    }

    #[test]
    fn a_run_that_is_triggered_without_a_holder_starts_with_the_present_settings() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("journal.db")).unwrap();
        let now: Timestamp = "2024-03-26T06:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().into();
        set(&journal, &[limited()], "limit", &SettingInput::Json(200.into()), now).unwrap();
        let request = Request {
            pipeline: limited(),
            params: serde_json::Value::Null,
            logical_date: Some("2024-03-25".to_owned()),
            mode: RequestMode::Trigger,
        };
        let prepared = request.prepare(&journal.reader_after_sync().unwrap(), Present::of_clock(now)).unwrap();
        assert_eq!(prepared.new_spec().unwrap().info.settings.get("limit"), Some(&200.into()));
    }

    #[test]
    fn the_number_of_a_further_run_is_one_more_than_the_greatest() {
        let of = |used: &[&str]| unused_id("manual__D", &used.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), "manual__D");
        assert_eq!(of(&["manual__D"]), "manual__D__2");
        assert_eq!(of(&["manual__D__2"]), "manual__D__3");
        assert_eq!(of(&["manual__D__9", "manual__D", "manual__D__10"]), "manual__D__11");
    }
}
