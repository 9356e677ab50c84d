//! Runs of other pipelines: a body asks for them, and the engine's host knows them.
//!
//! A sensor that waits for a run has no ticks. Its poke first gives the host its [`Wake`] and then reads, so that it misses no
//! end in between; the host wakes it when such a run ends. A process that resumes the waiting run gives the host a `Wake` again,
//! and pokes only if the awaited run has ended meanwhile.
//!
//! # Why the host is asked, and not the core
//!
//! Only the journal knows which runs exist: most have ended before this process began. To the core the end of another run is an
//! ordinary wake-up of a sensor, so budgets, retries and records work as for any other sensor.

use super::super::ids::{RunIx, Slot};
use super::super::state::Run;
use super::super::states::{NodeState, RunState};
use super::{Attempt, Engine, Wake, Watching};
use crate::author::across::{RunQuery, TakenOutput, UpstreamRun};
use crate::author::body::{AttemptResult, Produced};
use crate::author::context::RunInfo;
use crate::author::error::TaskError;
use crate::author::notify::BoxFuture;
use crate::author::pipeline::Pipeline;
use crate::author::value::Value;
use crate::plan::Plan;
use crate::schedule::Interval;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Knows the runs of other pipelines.
pub(crate) trait OtherRuns: Send + Sync + Debug {
    /// Returns the wanted run as it is now. If it has not succeeded, its end pokes the sensor of `watching`.
    fn look(&self, wanted: RunQuery, watching: Option<Arc<Watching>>) -> BoxFuture<Result<FoundRun, TaskError>>;
    /// Returns what a node of that task returned in a run.
    fn output(&self, run: UpstreamRun, of: TakenOutput) -> BoxFuture<Result<FoundOutput, TaskError>>;
    /// Starts a run, unless a run of that id exists. Returns the run's interval once the run is stored.
    fn start(&self, run: StartRun) -> BoxFuture<Result<Interval, TaskError>>;
}

/// The state of an awaited run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundRun {
    /// There is no such run.
    Nothing,
    /// It has not ended.
    Unfinished {
        run_id: String,
        state: &'static str,
    },
    Succeeded(UpstreamRun),
    /// The node passed in its previous run, or there is no previous run.
    Passed,
    /// It has ended without success, in this state.
    Failed {
        run_id: String,
        state: RunState,
        error: Option<String>,
    },
}

/// What a node of another run returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundOutput {
    Json(Arc<[u8]>),
    /// Nothing, because it was skipped.
    Skipped,
    /// Nothing, because it has not succeeded.
    Nothing,
}

impl FoundRun {
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Self::Succeeded(_) | Self::Passed | Self::Failed { .. })
    }
}

/// A run to be started.
#[derive(Debug, Clone)]
pub(crate) struct StartRun {
    pub(crate) pipeline: Pipeline,
    /// Its id, which is the same for all attempts to start it.
    pub(crate) run_id: String,
    /// The node that starts it.
    pub(crate) node: String,
    pub(crate) params: serde_json::Value,
    /// The interval of the run that starts it.
    pub(crate) interval: Interval,
}

impl StartRun {
    /// Returns the id of the run that a node starts. The journal recognizes such runs by the beginning of their ids.
    pub(crate) fn id_of(starting: &RunInfo, node: &str) -> String {
        format!("by__{}__{}__{node}", starting.pipeline, starting.run_id)
    }

    /// Returns the run's interval under that plan: if the plan has a schedule, the schedule's interval in which the starting run
    /// starts. `None` if its calendar has no such interval.
    pub(crate) fn interval_in(&self, plan: &Plan) -> Option<Interval> {
        match &plan.schedule {
            None => Some(self.interval),
            Some(schedule) => schedule.interval_starting_at_or_before(self.interval.start),
        }
    }
}

/// A poke of the sensor before a node that depends on its past.
pub(super) fn passed_before(attempt: &Attempt) -> BoxFuture<AttemptResult> {
    let wanted = attempt.spec.plan.across.get(&attempt.node).and_then(|across| across.run_query(&attempt.spec.info));
    let passed = || Ok(Produced::Value(Value::new(())));
    let Some(wanted) = wanted else { return Box::pin(std::future::ready(passed())) };
    let (others, watching) = (attempt.others().cloned(), attempt.watching().cloned());
    Box::pin(async move {
        let others = others.ok_or_else(|| TaskError::fatal("earlier runs are known where runs are kept in a journal"))?;
        let found = others.look(wanted, watching).await?;
        if found.has_ended() { passed() } else { Ok(Produced::NotYet) }
    })
}

impl Engine {
    /// Lets bodies ask for runs of other pipelines, from now on. To be called before any run is started or resumed.
    pub(crate) fn ask_of_others(&self, others: Arc<dyn OtherRuns>) {
        let engine = self.downgrade();
        self.lock().watches.tell_of_others(others, engine);
    }

    /// Resumes the waits of a resumed run's sensors for other runs.
    pub(super) fn await_again(&self, ix: RunIx) {
        let waits = self.look(ix, |run| run.plan().across.is_empty()) == Some(false);
        if !waits {
            return;
        }
        let Some((others, _)) = self.lock().watches.others() else { return };
        let engine = self.clone();
        drop(self.spawn_task(async move {
            let Some((spec, slots)) = engine.look(ix, |run| (Arc::clone(run.spec()), waiting_slots(run))) else { return };
            for (slot, node, start) in slots {
                // Outside of the lock: user code determines which run is wanted.
                let wanted: Option<RunQuery> =
                    catch_unwind(AssertUnwindSafe(|| spec.plan.across.get(&node)?.run_query(&spec.info))).ok().flatten();
                let poke = (ix, slot, start);
                let wake = Wake::new(engine.downgrade(), ix, slot, start);
                let Some(wanted) = wanted else {
                    // The poke finds out why.
                    wake.wake();
                    continue;
                };
                let watching = Arc::new(Watching::new(wake));
                match others.look(wanted, Some(Arc::clone(&watching))).await {
                    Ok(found) if !found.has_ended() => engine.watch_again(poke, &watching),
                    // If it cannot be known, a poke reports why.
                    Ok(_) | Err(_) => watching.wake().wake(),
                }
            }
        }));
    }
}

/// Returns the sensors between two pokes that wait for a run: slot, node and last start.
fn waiting_slots(run: &Run) -> Vec<(Slot, crate::plan::NodeIx, u32)> {
    let waiting = |slot: Slot| {
        let node = run.node(slot);
        let waits = node.awaits_next() && node.state() != NodeState::UpForRetry && run.plan().across.contains_key(&node.ix());
        waits.then(|| (slot, node.ix(), node.starts()))
    };
    run.slots().filter_map(waiting).collect()
}
