use super::{SimulationError, duration};
use crate::engine::{Edit, EditError, Engine, RunIx};
use crate::storage::World;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::fmt;

/// What a simulation does to the world at some time.
pub(super) enum Intervention<'a> {
    Arrive { url: String, body: Vec<u8> },
    Call(Box<dyn FnOnce() + 'a>),
    Edit(Edit),
}

impl fmt::Debug for Intervention<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrive { url, body } => write!(f, "Arrive({url}, {} bytes)", body.len()),
            Self::Call(_) => f.write_str("Call"),
            Self::Edit(edit) => write!(f, "{edit:?}"),
        }
    }
}

/// By time; at one time in the order in which they were given.
#[derive(Debug)]
pub(super) struct Interventions<'a>(VecDeque<(Timestamp, Intervention<'a>)>);

impl<'a> Interventions<'a> {
    pub(super) fn new(given: Vec<(String, Intervention<'a>)>, start: Timestamp) -> Result<Self, SimulationError> {
        let timed = given.into_iter().map(|(when, what)| Ok((start + duration(&when)?, what)));
        let mut timed: Vec<_> = timed.collect::<Result<_, SimulationError>>()?;
        timed.sort_by_key(|(at, _)| *at);
        Ok(Self(timed.into()))
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.front().map(|(at, _)| *at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does what is due. Before the run has started there is nothing to edit, and that waits for it.
    pub(super) async fn run_due(
        &mut self,
        world: &World,
        engine: &Engine,
        run: Option<RunIx>,
        now: Timestamp,
    ) -> Result<(), SimulationError> {
        while let Some((at, what)) = self.0.pop_front() {
            match (what, run) {
                (what, _) if at > now => {
                    self.0.push_front((at, what));
                    return Ok(());
                }
                (what @ Intervention::Edit(_), None) => {
                    self.0.push_front((at, what));
                    return Ok(());
                }
                (Intervention::Edit(edit), Some(run)) => match engine.edit(run, &edit) {
                    // A run that has ended before is what it is.
                    Err(EditError::Ended(_)) => {}
                    Err(EditError::NoNode { node, .. }) => return Err(SimulationError::NotThere { id: node }),
                    done => done?,
                },
                (Intervention::Arrive { url, body }, _) => drop(world.put_now(&url, body).await?),
                (Intervention::Call(call), _) => call(),
            }
        }
        Ok(())
    }
}
