use super::super::core::RunIx;
use super::super::journal::RunKey;
use super::super::record::Slot;
use super::wake::{Wake, Watching};
use super::{Job, WeakEngine};
use crate::author::body;
use crate::author::context::{self, Context, Memory, RunInfo};
use crate::author::input::Supply;
use crate::plan::{NodeIx, Plan, What};
use crate::time::Timestamp;
use std::cell::OnceCell;
use std::fmt::Write;
use std::sync::Arc;

/// One start of a node's body.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) run: RunIx,
    /// The run's number in its journal.
    pub(crate) key: RunKey,
    pub(crate) slot: Slot,
    /// Which of the node's starts it is.
    pub(crate) start: u32,
    pub(crate) node: NodeIx,
    pub(crate) number: u32,
    pub(crate) started: Timestamp,
    pub(crate) plan: Arc<Plan>,
    pub(crate) info: Arc<RunInfo>,
    /// The indices of the elements it lies in, outermost first.
    pub(crate) indices: Vec<u32>,
    /// What earlier pokes kept.
    pub(crate) remembered: Option<Arc<str>>,
    /// Made where the body asks for its context.
    pub(crate) memory: OnceCell<Memory>,
    /// Made where a poke looks at what can be watched.
    pub(super) watching: OnceCell<Arc<Watching>>,
    /// Whom changes wake; none but for pokes, and none in simulations.
    pub(super) wakes: Option<WeakEngine>,
}

impl Attempt {
    /// The node's id, with the indices of its elements.
    pub(crate) fn id(&self) -> String {
        let mut id = self.plan.id(self.node);
        for index in &self.indices {
            // Writing to a text cannot fail.
            let _ = write!(id, "[{index}]");
        }
        id
    }

    /// Calls the body. What comes back has not been polled.
    pub(super) fn call(&self, supplies: &[Supply]) -> Option<body::Running> {
        let What::Body { start, .. } = self.plan.node(self.node).what else { return None };
        Some(start(&body::Inputs::new(self.plan.args(self.node), supplies, self)))
    }

    /// By what its looks may be watched, if changes there are to wake somebody.
    pub(crate) fn watching(&self) -> Option<&Arc<Watching>> {
        let engine = self.wakes.as_ref()?;
        Some(self.watching.get_or_init(|| Arc::new(Watching::new(Wake::new(engine.clone(), self.job())))))
    }

    pub(super) fn job(&self) -> Job {
        Job { run: self.run, slot: self.slot, start: self.start }
    }

    /// What the body remembered for its next poke.
    pub(super) fn memory(&self) -> Option<Arc<str>> {
        self.memory.get().map_or_else(|| self.remembered.clone(), Memory::get)
    }
}

impl context::Attempt for Attempt {
    fn context(&self) -> Context {
        let memory = self.memory.get_or_init(|| Memory::new(self.remembered.clone()));
        Context::new(Arc::clone(&self.info), self.id().into(), self.number, self.started.to_utc(), memory.clone())
    }
}
