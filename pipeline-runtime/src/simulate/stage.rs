//! The parts of a simulation while it runs, and how time passes for them.

use super::beside::{PipelinesBeside, is_over};
use super::intervention::Interventions;
use super::others::SimulatedRuns;
use super::{HORIZON, SimulationError};
use crate::engine::{Engine, RunIx};
use crate::storage::World;
use crate::time::{Clock, Timestamp};
use std::sync::Arc;

/// A running simulation.
pub(super) struct Stage {
    pub(super) clock: Clock,
    /// The start of the simulation, from which all its times count.
    pub(super) start: Timestamp,
    pub(super) world: World,
    pub(super) engine: Engine,
    pub(super) others: Arc<SimulatedRuns>,
    pub(super) interventions: Interventions,
    pub(super) beside: PipelinesBeside,
}

impl Stage {
    /// Applies the interventions that are due. Edits wait for the start of the run.
    pub(super) async fn intervene(&mut self, run: Option<RunIx>, call: &mut dyn FnMut(usize)) -> Result<(), SimulationError> {
        self.interventions.run_due(&self.world, &self.others, &self.engine, run, self.clock.now(), call).await
    }

    /// Lets time pass until the run starts.
    pub(super) async fn wait_for(&mut self, begin: Timestamp, call: &mut dyn FnMut(usize)) -> Result<(), SimulationError> {
        while self.clock.now() < begin {
            self.step().await;
            let now = self.clock.now();
            let next = self.due().filter(|next| *next > now).min();
            self.engine.pass_time(next.unwrap_or(begin).min(begin)).await;
            self.intervene(None, call).await?;
        }
        Ok(())
    }

    /// Lets time pass until the run and all that happens beside it have ended, or until the horizon.
    pub(super) async fn run_to_end(&mut self, run: RunIx, call: &mut dyn FnMut(usize)) -> Result<(), SimulationError> {
        loop {
            self.intervene(Some(run), call).await?;
            self.step().await;
            let has_ended = is_over(&self.engine, run) && self.interventions.is_empty() && self.beside.is_over(&self.engine);
            if has_ended || self.clock.now().since(self.start) >= HORIZON {
                return Ok(());
            }
            let next = self.due().min().unwrap_or(Timestamp::NEVER);
            self.engine.pass_time(next.min(self.start + HORIZON)).await;
        }
    }

    /// Does everything that is due at this instant.
    async fn step(&mut self) {
        self.engine.step().await;
        self.beside.start_due_runs(&self.engine, self.clock.now()).await;
    }

    /// The times of the next intervention and the next update.
    fn due(&self) -> impl Iterator<Item = Timestamp> {
        self.interventions.next().into_iter().chain(self.beside.next())
    }
}
