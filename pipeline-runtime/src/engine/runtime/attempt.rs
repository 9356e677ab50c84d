use super::super::ids::{AttemptIx, Job, RunIx, Slot};
use super::super::state::{Label, Run, RunSpec};
use super::last_seen::LastSeen;
use super::watch::{Wake, Watches, Watching};
use super::{OtherRuns, WeakEngine, sensor_state};
use crate::author::body::{self, Arg, AttemptResult};
use crate::author::call::Call;
use crate::author::context::{self, Context, Memory};
use crate::author::input::{Source, Supply, Upstream};
use crate::author::notify::BoxFuture;
use crate::plan::{NodeIx, Plan, What};
use crate::time::Timestamp;
use std::cell::OnceCell;
use std::fmt::Write;
use std::sync::Arc;

/// One start of a node's body.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) run: RunIx,
    pub(crate) slot: Slot,
    /// Which of the node's starts it is.
    pub(crate) start: u32,
    /// Its index among the attempts in flight.
    number_in_flight: AttemptIx,
    pub(crate) node: NodeIx,
    pub(crate) number: u32,
    pub(crate) started: Timestamp,
    pub(crate) spec: Arc<RunSpec>,
    /// The inputs of its body, until the body is called.
    pub(super) supplies: Vec<Supply>,
    /// The call of its body, if it was polled and is pending.
    pub(super) begun: Option<Call>,
    /// The memory of an earlier attempt's call, for reuse.
    pub(super) place: Option<Call>,
    /// Some inputs must still be made from templates or settings.
    pub(super) has_templates: bool,
    /// Some inputs are secrets.
    pub(super) has_secrets: bool,
    /// The names of the elements that it lies in, outermost first.
    labels: Vec<Label>,
    /// The memory that earlier pokes left.
    pub(crate) remembered: Option<Arc<str>>,
    /// Created when the body asks for its context.
    pub(crate) memory: OnceCell<Memory>,
    /// The fields below may be set, because the last node was a sensor or used another run.
    may_wait: bool,
    /// Created when a poke reads something that can be watched.
    pub(super) watching: OnceCell<Arc<Watching>>,
    /// What the poke looked for, if it may be the sensor's last: only a timeout reports it.
    pub(crate) last_seen: Option<Box<LastSeen>>,
    /// Access to the runs of other pipelines. Set only for nodes that use one.
    pub(super) others: Option<Arc<dyn OtherRuns>>,
    /// The engine through which a change wakes the sensor. Set only for pokes, and in simulations only for pokes that wait for a
    /// run.
    pub(super) wakes: Option<WeakEngine>,
}

impl Attempt {
    /// An empty attempt, to be [given](Self::take_up) a node.
    pub(super) fn blank(spec: &Arc<RunSpec>) -> Self {
        Self {
            run: 0,
            slot: 0,
            start: 0,
            number_in_flight: 0,
            node: 0,
            number: 0,
            started: Timestamp::default(),
            spec: Arc::clone(spec),
            supplies: Vec::new(),
            begun: None,
            place: None,
            has_templates: false,
            has_secrets: false,
            labels: Vec::new(),
            remembered: None,
            memory: OnceCell::new(),
            may_wait: false,
            watching: OnceCell::new(),
            last_seen: None,
            others: None,
            wakes: None,
        }
    }

    /// Gathers the inputs of a node. A finished attempt may take up another node, which reuses its memory. Returns the last run's
    /// specification if this run has another: its drop may be user code, and the caller has the engine's lock.
    #[inline]
    #[must_use]
    pub(super) fn take_up(&mut self, run: &Run, job: Job, watches: &Watches) -> Option<Arc<RunSpec>> {
        let node = run.node(job.slot);
        self.run = job.run;
        self.slot = job.slot;
        self.start = job.start;
        self.number_in_flight = job.attempt;
        self.node = node.ix();
        self.number = node.attempt();
        self.started = node.last_start();
        // Threads that share a reference count share its cache line, so it is not touched if the run is the same.
        let is_same = Arc::ptr_eq(&self.spec, run.spec());
        let last = (!is_same).then(|| std::mem::replace(&mut self.spec, Arc::clone(run.spec())));
        let position = run.layout().position(job.slot);
        if position.expansion > 0 || !self.labels.is_empty() {
            self.labels = run.layout().labels(job.slot);
        }
        self.remembered = node.memory().and_then(sensor_state::memory);
        if self.memory.get().is_some() {
            self.memory = OnceCell::new();
        }
        if std::mem::take(&mut self.may_wait) {
            self.forget_wait();
        }
        let plan: &Plan = run.plan();
        if !plan.across.is_empty() || !node.is_plain() && plan.policy(self.node).sensor.is_some() {
            self.take_up_wait(run, job.slot, watches);
        }
        debug_assert!(self.supplies.is_empty(), "they are dropped where the engine's lock is free");
        self.has_templates = false;
        self.has_secrets = false;
        let see = |node| match position.expansion {
            0 => plan.node(node).offset,
            _ => run.layout().resolve(plan, node, position),
        };
        for arg in plan.args(self.node) {
            self.supplies.push(match &arg.source {
                Source::Plain(_) | Source::Text(_) => continue,
                // Read outside of the lock.
                Source::Secrets(_) => {
                    self.has_secrets = true;
                    continue;
                }
                Source::Node(from, _) => Supply::One(run.upstream_part(see(from.index()), from.part())),
                Source::Nodes(from, _) => {
                    Supply::Many(from.iter().map(|from| run.upstream_part(see(from.index()), from.part())).collect())
                }
                Source::Elements(from, _) => Supply::Many(run.elements(see(from.index()))),
                // Made outside of the lock.
                Source::Template(_) | Source::Setting(_) => {
                    self.has_templates = true;
                    Supply::One(Upstream::Skipped)
                }
                Source::Templates(_) => {
                    self.has_templates = true;
                    Supply::Many(Vec::new())
                }
            });
        }
        last
    }

    /// Sets the fields for sensors and for nodes that use a run of another pipeline.
    #[cold]
    fn take_up_wait(&mut self, run: &Run, slot: Slot, watches: &Watches) {
        self.may_wait = true;
        let (plan, node): (&Plan, _) = (run.plan(), run.node(slot));
        let policy = plan.policy(self.node);
        if let Some(sensor) = policy.sensor.as_deref() {
            let budget_left = node.budget_left(sensor, self.started);
            // A poke can end after the deadline only if its time limit does.
            let may_be_last = budget_left.is_some_and(|left| policy.limit.is_none_or(|limit| left <= limit));
            self.last_seen = may_be_last.then(Box::default);
            self.wakes = watches.engine();
        }
        if plan.across.contains_key(&self.node)
            && let Some((others, engine)) = watches.others()
        {
            self.others = Some(others);
            self.wakes = Some(engine);
        }
    }

    #[cold]
    fn forget_wait(&mut self) {
        self.watching = OnceCell::new();
        (self.last_seen, self.others, self.wakes) = (None, None, None);
    }

    /// The node's id, with the keys or indices of its elements.
    pub(crate) fn id(&self) -> String {
        let mut id = self.spec.plan.id(self.node);
        for label in &self.labels {
            // Writing to a `String` cannot fail.
            let _ = write!(id, "{label}");
        }
        id
    }

    /// Calls the body, with `args` instead of the plan's if it takes secrets. The returned call has not been polled.
    #[inline]
    pub(super) fn start(&mut self, args: Option<&[Arg]>) -> Option<body::Started> {
        let place = self.place.take();
        let started = self.started(args, place);
        self.supplies.clear();
        started
    }

    #[inline]
    fn started(&self, args: Option<&[Arg]>, place: Option<Call>) -> Option<body::Started> {
        let plan = &self.spec.plan;
        let What::Body(task) = &plan.node(self.node).what else { return None };
        Some(task.body.start(&body::Inputs::new(args.unwrap_or_else(|| plan.args(self.node)), &self.supplies, self, place)))
    }

    /// Returns the holder of the poke's watches, if changes are to wake the sensor.
    pub(crate) fn watching(&self) -> Option<&Arc<Watching>> {
        let engine = self.wakes.as_ref()?;
        Some(self.watching.get_or_init(|| Arc::new(Watching::new(Wake::new(engine.clone(), self.run, self.slot, self.start)))))
    }

    /// Returns the access to runs of other pipelines, if the node uses one.
    pub(crate) fn others(&self) -> Option<&Arc<dyn OtherRuns>> {
        self.others.as_ref()
    }

    #[inline]
    pub(super) fn job(&self) -> Job {
        Job { run: self.run, slot: self.slot, start: self.start, attempt: self.number_in_flight }
    }

    /// Returns the memory for the sensor's next poke.
    pub(super) fn memory(&self) -> Option<Arc<str>> {
        self.memory.get().map_or_else(|| self.remembered.clone(), Memory::get)
    }
}

impl context::Attempt for Attempt {
    fn context(&self) -> Context {
        let memory = self.memory.get_or_init(|| Memory::new(self.remembered.clone()));
        let zone = self.spec.plan.zone.current();
        Context::new(Arc::clone(&self.spec.info), self.id().into(), self.number, self.started.to_utc(), memory.clone(), zone)
    }

    fn passed_before(&self) -> BoxFuture<AttemptResult> {
        super::others::passed_before(self)
    }
}
