//! The tables of a plan: what its nodes share.

use super::super::notifiers::Notifier;
use super::super::policy::{DEFAULT_PARALLELISM, DEFAULT_POOL, Levels, NotifierIx, Policy, PoolIx, PoolSpec, RunPolicy};
use crate::author::definition::{Kind, Task};
use crate::author::draft::{self, DraftGroup, DraftNode, Overrides};
use crate::author::error::cut_shared;
use crate::author::notify::{Callback, Event, Identity};
use crate::author::options::{PipelineOptions, TaskOptions};
use crate::author::past::is_wait;
use pipeline_syntax::limits::TEARDOWN_TIMEOUT;
use std::collections::HashMap;
use std::sync::Arc;

/// What nodes share, each stored once: policies, pools and notifiers.
pub(super) struct Tables<'a> {
    defaults: &'a TaskOptions,
    pub(super) policies: Vec<Policy>,
    pub(super) pools: Vec<PoolSpec>,
    pub(super) notifiers: Vec<Notifier>,
    /// Nodes of the same task without overrides share a policy,
    of_task: HashMap<*const Task, u32>,
    last: Option<(*const Task, u32)>,
    /// but in a group with overrides, and as teardowns, they share another one.
    of_task_within: HashMap<(*const Task, Option<*const Overrides>, bool), u32>,
    of_notifier: HashMap<Identity, NotifierIx>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(options: &'a PipelineOptions) -> Self {
        // Gates take the first policy: no retries, no limit, no callbacks.
        let gate = TaskOptions::default();
        let levels = [&gate];
        let levels = Levels::new(&levels, 0);
        let policy = Policy {
            retries: 0,
            retry_delay: levels.retry_delay(Kind::Task),
            limit: None,
            pool: 0,
            priority: 0,
            sla: None,
            callbacks: Box::default(),
            sensor: None,
        };
        Self {
            defaults: &options.defaults,
            policies: vec![policy],
            pools: vec![PoolSpec { name: DEFAULT_POOL, slots: DEFAULT_PARALLELISM }],
            notifiers: Vec::new(),
            of_task: HashMap::new(),
            last: None,
            of_task_within: HashMap::new(),
            of_notifier: HashMap::new(),
        }
    }

    /// `groups` are the enclosing groups, the innermost first. `is_woken` returns whether the run's host wakes the node.
    pub(super) fn policy<'g>(
        &mut self,
        node: &DraftNode,
        groups: impl ExactSizeIterator<Item = &'g DraftGroup>,
        is_teardown: bool,
        is_woken: impl FnOnce() -> bool,
    ) -> u32 {
        let draft::What::Body(task) = &node.what else { return 0 };
        // The case of most nodes: everything else is too slow for a plan of a million nodes.
        let is_plain = groups.len() == 0 && !is_teardown;
        if is_plain && node.overrides.is_none() {
            let task = Arc::as_ptr(task);
            if let Some((_, known)) = self.last.filter(|(last, _)| *last == task) {
                return known;
            }
            if let Some(&known) = self.of_task.get(&task) {
                self.last = Some((task, known));
                return known;
            }
        }
        let of_groups: Vec<&Overrides> = groups.filter_map(|group| group.overrides.as_deref()).collect();
        // The groups around the innermost one are always the same, so it is enough as a key.
        let within = (Arc::as_ptr(task), of_groups.first().map(|nearest| std::ptr::from_ref(*nearest)), is_teardown);
        if !is_plain
            && node.overrides.is_none()
            && let Some(&known) = self.of_task_within.get(&within)
        {
            return known;
        }
        let mut levels: Vec<&TaskOptions> =
            node.overrides.as_deref().into_iter().chain(of_groups).map(|overrides| &overrides.options).collect();
        let wired = levels.len();
        levels.push(&task.options);
        // The sensor that waits for a node's past is implicit: nobody is notified about it, and it must not take a slot of a
        // user's pool.
        if !is_wait(task) {
            levels.push(self.defaults);
        }
        let levels = Levels::new(&levels, wired);
        let kind = task.definition.kind;
        let sensor = levels.sensor(kind, is_woken);
        let policy = Policy {
            retries: levels.first(|options| options.retries).unwrap_or(0),
            retry_delay: levels.retry_delay(kind),
            limit: levels.limit(sensor.as_deref()).or(is_teardown.then_some(TEARDOWN_TIMEOUT)),
            pool: levels.first(|options| options.pool).map_or(0, |pool| self.pool(pool.name, pool.slots)),
            priority: levels.first(|options| options.priority).unwrap_or(0),
            sla: levels.first(|options| options.sla),
            callbacks: self.callbacks(&levels),
            sensor,
        };
        let ix = u32::try_from(self.policies.len()).unwrap_or(u32::MAX);
        self.policies.push(policy);
        if node.overrides.is_none() {
            if is_plain {
                self.of_task.insert(within.0, ix);
            } else {
                self.of_task_within.insert(within, ix);
            }
        }
        ix
    }

    fn callbacks(&mut self, levels: &Levels<'_>) -> Box<[(Event, NotifierIx)]> {
        let events =
            [Event::OnFailure, Event::OnUpstreamFailed, Event::OnRetry, Event::OnSuccess, Event::OnSkipped, Event::OnSlaMiss];
        let all = events.into_iter().flat_map(|event| levels.callbacks(event));
        all.map(|callback| (callback.event, self.notifier(callback))).collect()
    }

    fn notifier(&mut self, callback: &Callback) -> NotifierIx {
        let next = u32::try_from(self.notifiers.len()).unwrap_or(u32::MAX);
        *self.of_notifier.entry(callback.identity()).or_insert_with(|| {
            let notify = Arc::clone(&callback.notifier);
            self.notifiers.push(Notifier { label: cut_shared(notify.label().into()), notify });
            next
        })
    }

    fn pool(&mut self, name: &'static str, slots: u32) -> PoolIx {
        // Two pools with the same name and different slots are a mistake, which the check finds in this list.
        let spec = PoolSpec { name, slots };
        let known = self.pools.iter().position(|known| *known == spec);
        let ix = known.unwrap_or_else(|| {
            self.pools.push(spec);
            self.pools.len() - 1
        });
        u32::try_from(ix).unwrap_or(u32::MAX)
    }

    pub(super) fn run(&mut self, options: &PipelineOptions) -> RunPolicy {
        let mut slas: Vec<_> = Vec::new();
        for (after, callback) in &options.escalation {
            slas.push((*after, self.notifier(callback)));
        }
        let mut callbacks = Vec::new();
        for callback in options.callbacks.iter().filter(|callback| !callback.is_nobody()) {
            let notifier = self.notifier(callback);
            match (callback.event, options.sla) {
                (Event::OnSlaMiss, Some(sla)) => slas.push((sla, notifier)),
                (Event::OnSlaMiss, None) => {}
                (event, _) => callbacks.push((event, notifier)),
            }
        }
        slas.sort_by_key(|(after, _)| *after);
        RunPolicy { timeout: options.timeout, sla: options.sla, slas, callbacks }
    }
}
