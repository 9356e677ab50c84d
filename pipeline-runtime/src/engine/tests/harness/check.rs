//! The checks after each event: the core against the model, against a replay of its records, and against itself.

use super::super::super::effects::{Action, Outbox, Todo};
use super::super::super::ids::{Job, RunIx, Slot};
use super::super::super::log::{Entry, Output, Record, Skip};
use super::super::model::Key;
use super::super::random_plan::{Direction, NARROW, WIDER};
use super::{AttemptInFlight, Harness, IgnoreChanges, fold, index};
use crate::engine::{NodeState, RunState};
use std::collections::{BTreeSet, HashMap};

impl Harness {
    /// Takes the work that the core left, and compares everything with the model.
    pub(super) fn check(&mut self) {
        let Outbox { records, todo: Todo { starts, actions }, garbage: _ } = std::mem::take(self.core.outbox());
        let mut granted: Vec<(RunIx, Slot)> = Vec::new();
        let records: Vec<(RunIx, Entry)> = records.iter().collect();
        for (at, (run, entry)) in records.iter().enumerate() {
            self.apply_edit(*run, &records[..at], &records[at..]);
            self.record(*run, entry.clone());
        }
        for job @ Job { run, slot, .. } in starts {
            let overlaps = self.in_flight.iter().any(|started| started.job.run == run && started.job.slot == slot);
            assert!(!overlaps, "{} was started while it runs", self.runs[run as usize].shadow.id(slot));
            let attempt = self.core.run(run).unwrap().node(slot).attempt();
            self.in_flight.push(AttemptInFlight { job, attempt, aborted: false });
            granted.push((run, slot));
        }
        for action in actions {
            match action {
                Action::Abort(job) => {
                    let of = self.in_flight.iter_mut().find(|of| of.job == job);
                    // Cut off by its limit, and again by the run's end.
                    of.expect("what is cut off runs").aborted = true;
                }
                Action::Look { run, slot, number } => self.list_queries.push((number, run, self.key(run, slot))),
                Action::Deliver { .. } => panic!("there are no callbacks"),
                // Another life may have begun in the same call.
                Action::Ended { run, state } => {
                    let ended = |(of, entry): &(RunIx, Entry)| {
                        *of == run && matches!(entry.record, Record::RunEnded { state: of } if of == state)
                    };
                    assert!(records.iter().any(ended));
                }
            }
        }
        for run in 0..self.runs.len() {
            if self.runs[run].resuming {
                self.runs[run].finish_resuming();
            }
            self.check_run(index(run));
            self.note_without_permit(index(run));
        }
        self.check_permits(&granted);
    }

    /// Notes the sensors whose poke is due and waits for a permit.
    pub(super) fn note_without_permit(&mut self, run: RunIx) {
        for slot in self.runs[run as usize].shadow.slots() {
            let node = self.runs[run as usize].shadow.node(slot);
            let is_due = node.awaits_next() && node.next().is_some_and(|next| next <= self.now);
            if is_due && self.core.node_work(run, slot).unwrap().queued {
                let key = self.key(run, slot);
                self.runs[run as usize].without_permit.insert(key);
            }
        }
    }

    /// Applies an edit to the model at its first record: an edit is one event, and nothing follows before it is complete.
    pub(super) fn apply_edit(&mut self, run: RunIx, before: &[(RunIx, Entry)], from: &[(RunIx, Entry)]) {
        let is_skip = |entry: &Entry| matches!(entry.record, Record::Skipped { why: Skip::ByHand, .. });
        let is_of_edit = |entry: &Entry| is_skip(entry) || matches!(entry.record, Record::Cleared { .. });
        let goes_on = before.last().is_some_and(|(of, entry)| *of == run && is_of_edit(entry));
        let Some((_, first)) = from.first().filter(|(_, entry)| is_of_edit(entry) && !goes_on) else { return };
        let key = |slot: &Slot| self.key(run, *slot);
        let cleared: Vec<Key> = match &first.record {
            Record::Cleared { slots } => slots.iter().map(key).collect(),
            _ => Vec::new(),
        };
        let skips = from.iter().filter(|(of, entry)| *of == run && is_skip(entry));
        let skipped: Vec<Key> = skips
            .map(|(_, entry)| match &entry.record {
                Record::Skipped { slot, .. } => key(slot),
                _ => unreachable!(),
            })
            .collect();
        let tracked = &mut self.runs[run as usize];
        for key in &cleared {
            tracked.retries.remove(key);
            tracked.interrupted.remove(key);
            tracked.not_yets.remove(key);
            tracked.grace.remove(key);
            tracked.without_permit.remove(key);
            tracked.begun.remove(key);
            *tracked.cleared.entry(key.clone()).or_default() += 1;
        }
        if !cleared.is_empty() {
            (tracked.cancelled, tracked.is_over) = (false, false);
        }
        tracked.model.edit(&cleared, &skipped);
    }

    /// An element that a shorter list lost begins again when a longer list contains it.
    pub(super) fn forget_new_elements(&mut self, run: RunIx) {
        let shadow = &self.runs[run as usize].shadow;
        let fresh = |slot: &Slot| shadow.node(*slot).starts() == 0 && shadow.node(*slot).state() != NodeState::Removed;
        let fresh: Vec<Key> = shadow.slots().filter(fresh).map(|slot| self.key(run, slot)).collect();
        let tracked = &mut self.runs[run as usize];
        for key in fresh {
            tracked.retries.remove(&key);
            tracked.interrupted.remove(&key);
            tracked.not_yets.remove(&key);
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each record")]
    pub(super) fn record(&mut self, run: RunIx, entry: Entry) {
        let record = entry.record.clone();
        // Elements have names once they exist.
        let slot_of = record.slot();
        let key = slot_of.map(|slot| self.key(run, slot));
        let tracked = &mut self.runs[run as usize];
        if tracked.resuming && !matches!(record, Record::Interrupted { .. } | Record::Retrying { .. } | Record::Failed { .. }) {
            tracked.finish_resuming();
        }
        if let (Record::Started { slot, .. }, Some(key)) = (&record, &key) {
            tracked.check_start(*slot, key, entry.at);
        }
        assert_eq!(tracked.shadow.check(&record), Ok(()), "{record:?}");
        tracked.shadow.apply(&entry, &mut IgnoreChanges);
        tracked.entries.push(entry);
        if let Record::Unfolded { .. } = record {
            self.forget_new_elements(run);
        }
        let tracked = &mut self.runs[run as usize];
        let (Some(slot), Some(key)) = (slot_of, key) else {
            if let Record::RunEnded { state } = record {
                let expected = if tracked.cancelled { Some(RunState::Cancelled) } else { tracked.model.run_state() };
                assert_eq!(Some(state), expected);
                tracked.is_over = true;
            }
            return;
        };
        let name = &self.description.specs[key.0].name;
        match record {
            Record::Started { attempt, .. } => {
                assert!(tracked.model.may_run(&key), "{name} {:?} was started before its inputs held", key.1);
                assert_eq!(tracked.model.state(&key), None, "{name} was started again after it had ended");
                assert_eq!(attempt, 1 + tracked.retries.get(&key).copied().unwrap_or(0), "{name}");
            }
            Record::NotYet { .. } => {
                *tracked.not_yets.entry(key.clone()).or_default() += 1;
                tracked.interrupted.remove(&key);
            }
            Record::Retrying { .. } => {
                let retries = tracked.retries.entry(key.clone()).or_default();
                *retries += 1;
                assert!(*retries <= self.description.specs[key.0].retries, "{name} is retried too often");
                tracked.interrupted.remove(&key);
            }
            Record::Succeeded { output: Some(Output { value, .. }), .. } => {
                let value = value.as_ref().as_any();
                if let Some(direction) = value.downcast_ref::<Direction>() {
                    tracked.model.set_arm(
                        &key,
                        match direction {
                            Direction::Left(_) => 0,
                            Direction::Right(_) => 1,
                            Direction::Neither => 2,
                        },
                    );
                }
                if let Some(list) = value.downcast_ref::<Vec<u64>>() {
                    tracked.model.set_list(&key, list.iter().map(|item| u32::try_from(*item).unwrap()).collect());
                }
                assert_eq!(tracked.model.state(&key), None, "{name} ended twice");
                tracked.model.end(&key, NodeState::Success);
            }
            Record::Failed { error, .. } => {
                assert_eq!(tracked.model.state(&key), None, "{name} ended twice");
                if &*error == "error" {
                    let retries = tracked.retries.get(&key).copied().unwrap_or(0);
                    assert_eq!(retries, self.description.specs[key.0].retries, "{name} was not retried");
                }
                tracked.fail(&key);
            }
            Record::Skipped { why: Skip::Body(_) | Skip::Timeout(_), .. } => {
                assert_eq!(tracked.model.state(&key), None, "{name} ended twice");
                tracked.model.end(&key, NodeState::Skipped);
            }
            // These follow from others, as the model says.
            Record::Succeeded { output: None, .. } => {
                tracked.check_derived(&key, NodeState::Success, name);
            }
            Record::Skipped { .. } => {
                tracked.check_derived(&key, NodeState::Skipped, name);
            }
            Record::UpstreamFailed { .. } => {
                tracked.check_derived(&key, NodeState::UpstreamFailed, name);
                let failure = tracked.shadow.node(slot).failure().cloned().expect("a cause");
                let root = tracked.shadow.layout().find(tracked.shadow.plan(), failure.node()).expect("the root cause is a node");
                assert_eq!(tracked.shadow.node(root).state(), NodeState::Failed, "the root cause of {name}");
            }
            Record::Interrupted { .. } | Record::Unfolded { .. } => {}
            other => panic!("nobody asked for {other:?}"),
        }
    }

    pub(super) fn check_run(&self, run: RunIx) {
        let tracked = &self.runs[run as usize];
        let of_core = self.core.run(run).unwrap();
        assert_eq!(fold(of_core), fold(&tracked.shadow), "the state does not follow from the records");
        assert_eq!(of_core.state().is_end(), tracked.is_over);
        let mut ended = 0;
        for (slot, node) in (0..).zip(of_core.nodes()) {
            let key = self.key(run, slot);
            if node.state() == NodeState::Removed {
                continue;
            }
            let expected = tracked.model.state(&key);
            let name = of_core.id(slot);
            ended += usize::from(expected.is_some());
            assert_eq!(node.state().is_end().then_some(node.state()), expected, "{name}");
            // Nodes that a plan has gained since its run ended wait for a retry.
            if expected.is_none() && !tracked.is_over && self.description.specs[key.0].what.is_body() {
                assert_eq!(tracked.model.may_run(&key), node.state() != NodeState::None, "{name} is {}", node.state());
                let work = self.core.node_work(run, slot).unwrap();
                let goes_on = work.queued || work.attempt().is_some() || node.next().is_some();
                assert!(node.state() == NodeState::None || goes_on, "{name} is {} and nothing will wake it", node.state());
            }
        }
        assert_eq!(ended, tracked.model.ended().count(), "the model has nodes that the core has not");
        if !tracked.is_over {
            assert_eq!(tracked.model.run_state(), None, "all nodes have ended, and the run has not");
        }
    }

    /// Checks permits: who owns them, and who waits for one.
    pub(super) fn check_permits(&mut self, granted: &[(RunIx, Slot)]) {
        let sizes = HashMap::from([("default_pool", self.parallelism), ("narrow", NARROW.slots()), ("wider", WIDER.slots())]);
        let names = ["default_pool", "narrow", "wider"];
        let shared = self.core.shared();
        let used: HashMap<&str, u32> = shared.pools.used().collect();
        let names_in_core: Vec<&str> = shared.pools.used().map(|(name, _)| name).collect();
        let mut owned: HashMap<&str, u32> = HashMap::new();
        for (.., pool) in shared.in_flight.permits() {
            *owned.entry(names_in_core[pool as usize]).or_default() += 1;
        }
        let in_flight: BTreeSet<(RunIx, Slot)> = shared.in_flight.permits().map(|(run, slot, _)| (run, slot)).collect();
        let kept: Vec<((RunIx, Slot), u32)> = shared.kept_permits.iter().map(|(of, permit)| (*of, permit.pool())).collect();
        for ((run, slot), pool) in &kept {
            *owned.entry(names_in_core[*pool as usize]).or_default() += 1;
            let node = self.runs[*run as usize].shadow.node(*slot);
            assert!(
                node.state() == NodeState::Running && node.next().is_some(),
                "{} keeps its permit",
                self.runs[*run as usize].shadow.id(*slot)
            );
        }
        for (pool, used) in &used {
            assert_eq!(*used, owned.get(pool).copied().unwrap_or(0), "pool {pool} has permits that nobody owns");
            assert!(used <= &sizes[pool], "pool {pool} is overbooked");
        }
        let expected: BTreeSet<(RunIx, Slot)> =
            self.in_flight.iter().map(|started| (started.job.run, started.job.slot)).collect();
        assert_eq!(in_flight.len(), expected.len());
        let mut waiting: [Vec<(i32, String)>; 3] = Default::default();
        let mut first: [Vec<i32>; 3] = Default::default();
        for (ix, tracked) in (0..).zip(&self.runs) {
            let run = &tracked.shadow;
            for (slot, node) in (0..).zip(run.nodes()) {
                let spec = &self.description.specs[self.key(ix, slot).0];
                let wants = node.state() == NodeState::Scheduled || node.awaits_next();
                if wants && self.core.node_work(ix, slot).unwrap().queued {
                    waiting[spec.pool].push((spec.priority, run.id(slot)));
                }
                if granted.contains(&(ix, slot)) && node.starts() == 1 {
                    first[spec.pool].push(spec.priority);
                }
            }
        }
        for (pool, name) in names.into_iter().enumerate() {
            let is_full = used.get(name).is_some_and(|used| *used == sizes[name]);
            assert!(is_full || waiting[pool].is_empty(), "pool {name} has a permit, and {:?} waits", waiting[pool]);
            for (priority, id) in &waiting[pool] {
                assert!(first[pool].iter().all(|granted| granted >= priority), "{id} has priority and waits");
            }
        }
    }
}
