use super::others::{ScriptedRun, SimulatedRuns};
use super::{SimulationError, duration};
use crate::engine::{Edit, EditError, Engine, RunIx};
use crate::storage::World;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// A change that a simulation makes at a given time.
#[derive(Debug)]
pub(super) enum Intervention {
    Arrive {
        url: String,
        body: Vec<u8>,
    },
    /// The caller's closure with that number.
    Call(usize),
    Edit(Edit),
    /// A run of another pipeline has ended.
    Ran(Box<ScriptedRun>),
    /// A node has passed in the previous scheduled run.
    Passed(String),
}

/// Ordered by time; at the same time, in the order in which they were given.
#[derive(Debug)]
pub(super) struct Interventions {
    due: VecDeque<(Timestamp, Intervention)>,
    /// The URLs of objects that have arrived.
    arrived: Vec<String>,
}

impl Interventions {
    pub(super) fn new(given: Vec<(String, Intervention)>, start: Timestamp) -> Result<Self, SimulationError> {
        let timed = given.into_iter().map(|(when, what)| Ok((start + duration(&when)?, what)));
        let mut timed: Vec<_> = timed.collect::<Result<_, SimulationError>>()?;
        timed.sort_by_key(|(at, _)| *at);
        Ok(Self { due: timed.into(), arrived: Vec::new() })
    }

    /// The nodes that pass in the previous scheduled run only during this one.
    pub(super) fn passing(&self) -> impl Iterator<Item = &str> {
        self.due.iter().filter_map(|(_, what)| if let Intervention::Passed(node) = what { Some(&**node) } else { None })
    }

    /// The given runs of other pipelines.
    #[cfg(feature = "cli")]
    pub(super) fn scripted_runs(&self) -> impl Iterator<Item = &ScriptedRun> {
        self.due.iter().filter_map(|(_, what)| if let Intervention::Ran(run) = what { Some(&**run) } else { None })
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.front().map(|(at, _)| *at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Applies the interventions that are due. An edit waits for the start of the run.
    pub(super) async fn run_due(
        &mut self,
        world: &World,
        others: &SimulatedRuns,
        engine: &Engine,
        run: Option<RunIx>,
        now: Timestamp,
        call: &mut dyn FnMut(usize),
    ) -> Result<(), SimulationError> {
        while let Some((at, what)) = self.due.pop_front() {
            match (what, run) {
                (what, _) if at > now => {
                    self.due.push_front((at, what));
                    return Ok(());
                }
                (what @ Intervention::Edit(_), None) => {
                    self.due.push_front((at, what));
                    return Ok(());
                }
                (Intervention::Edit(edit), Some(run)) => match engine.edit(run, &edit) {
                    // A run that has ended cannot be edited; this is not an error.
                    Err(EditError::Ended(_)) => {}
                    Err(EditError::NoNode { node, .. }) => return Err(SimulationError::NotThere { id: node }),
                    done => done?,
                },
                (Intervention::Arrive { url, body }, _) => {
                    world.put_now(&url, body).await?;
                    self.arrived.push(url);
                }
                (Intervention::Call(number), _) => call(number),
                (Intervention::Ran(given), _) => others.add(*given, at)?,
                (Intervention::Passed(node), _) => others.passed(&node),
            }
        }
        Ok(())
    }

    /// The URLs of objects that have arrived.
    pub(super) fn arrived(&self) -> &[String] {
        &self.arrived
    }
}
