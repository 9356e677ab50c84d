//! The ends of processes, and deployments: another process resumes the runs, perhaps with another plan.

use super::super::super::effects::{Action, Answered, Outbox, Todo};
use super::super::super::ids::{Job, RunIx, Slot};
use super::super::super::log::{Record, translate};
use super::super::super::rules::Edit;
use super::super::super::state::{Run, reconsider};
use super::super::model::Key;
use super::super::random_plan::{self, Entropy};
use super::{Harness, IgnoreChanges, START, TrackedRun, core, fold, index, names, spec};
use crate::engine::NodeState;
use crate::plan::Accepts;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl Harness {
    /// The process ends, and another resumes the runs with the plan as it was before its last growth, as if a user had accepted
    /// that. Returns how many nodes were dropped; `None` if the plan has not grown.
    pub(in super::super) fn shrink(mut self) -> Option<usize> {
        self.growths.pop()?;
        let (plan, description) =
            random_plan::grown(self.source.choices.clone(), self.source.allowed, self.growths.clone()).ok()?;
        let remap = plan.match_skeleton(&self.plan.skeleton(), Accepts::Removals).expect("nodes are only gone")?;
        let mut remaps = Vec::new();
        for tracked in &self.runs {
            let mut remap = remap.clone();
            let records: Vec<&Record> = tracked.entries.iter().map(|entry| &entry.record).collect();
            remap.reopen(reconsider(&plan, &remap, &records).expect("what is gone is what nothing else takes"));
            remaps.push(remap);
        }
        (self.plan, self.description) = (plan, description);
        self.by_name = names(&self.description);
        self.core = core(self.parallelism);
        self.core.hold();
        let mut done: Vec<BTreeSet<Slot>> = Vec::new();
        for (ix, tracked) in self.runs.iter_mut().enumerate() {
            translate(&mut tracked.entries, &remaps[ix], |entry| &mut entry.record);
            let replay =
                || Run::replay(spec(&self.plan, index(ix)), START, &tracked.entries).expect("what is left follows on itself");
            tracked.shadow = replay();
            let run = &tracked.shadow;
            done.push(run.slots().filter(|slot| run.node(*slot).state() == NodeState::Success).collect());
            self.core.resume(replay(), self.now);
        }
        self.core.open(self.now);
        self.finish_quietly(&done);
        Some(remap.removed.len())
    }

    /// Lets all bodies succeed until the runs have ended. No node that had succeeded starts again.
    pub(super) fn finish_quietly(&mut self, done: &[BTreeSet<Slot>]) {
        let mut jobs: Vec<Job> = Vec::new();
        let mut steps = 0;
        loop {
            let Outbox { records, todo: Todo { starts, actions }, garbage: _ } = std::mem::take(self.core.outbox());
            for (run, entry) in records.iter() {
                self.runs[run as usize].shadow.apply(&entry, &mut IgnoreChanges);
            }
            for job in starts {
                assert!(!done[job.run as usize].contains(&job.slot), "what had succeeded ran again");
                jobs.push(job);
            }
            let mut has_asked = false;
            for action in actions {
                if let Action::Look { run, slot, number } = action {
                    let look = self.runs[run as usize].shadow.look(slot).expect("its list is there");
                    self.core.looked(number, look.inspect(), self.now);
                    has_asked = true;
                }
            }
            if has_asked {
                continue;
            }
            if jobs.is_empty() && self.runs.iter().all(|run| run.shadow.state().is_end()) {
                return;
            }
            if let Some(job) = jobs.pop() {
                let key = self.key(job.run, job.slot);
                let answer = Answered::Success(self.value(job.run, &key), None);
                self.core.answer(job, answer.into(), self.now);
            } else {
                let next = self.core.next_due();
                assert_ne!(next, Timestamp::NEVER, "nothing is due:\n{}", fold(&self.runs[0].shadow));
                self.now = self.now.max(next);
                self.core.advance(self.now);
            }
            steps += 1;
            assert!(steps < 20_000, "the run does not come to its end:\n{}", fold(&self.runs[0].shadow));
        }
    }

    /// The process ends, and another resumes the runs from their records: perhaps with a plan that has gained nodes, and perhaps
    /// with a retry first.
    pub(super) fn crash(&mut self) {
        self.crashes += 1;
        let cut: Vec<(RunIx, Key)> = self
            .in_flight
            .drain(..)
            .filter(|started| !started.aborted)
            .map(|started| (started.job.run, started.job.slot))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(run, slot)| (run, self.key(run, slot)))
            .collect();
        self.answered_jobs.clear();
        self.list_queries.clear();
        self.runs.iter_mut().for_each(|tracked| tracked.without_permit.clear());
        self.core = core(self.parallelism);
        self.now = self.now + Duration::from_secs(self.entropy.below(40) as u64);
        for tracked in &self.runs {
            let again = Run::replay(tracked.shadow.spec().as_ref().clone(), START, &tracked.entries).unwrap();
            assert_eq!(fold(&again), fold(&tracked.shadow), "records replayed do not give the state that they gave");
        }
        if self.growths.len() < self.disturbances.growths && self.entropy.once_in(2) {
            self.grow();
        }
        // As in a process, nothing starts before all runs are resumed, so that the pools choose among all of them.
        self.core.hold();
        for ix in 0..self.runs.len() {
            self.resume(index(ix), &cut);
        }
        self.core.open(self.now);
        self.check();
    }

    pub(super) fn resume(&mut self, run: RunIx, cut: &[(RunIx, Key)]) {
        let now = self.now;
        self.runs[run as usize].resuming = true;
        let replay = |tracked: &TrackedRun| Run::replay(tracked.shadow.spec().as_ref().clone(), START, &tracked.entries).unwrap();
        let again = replay(&self.runs[run as usize]);
        for slot in again.slots() {
            let node = again.node(slot);
            let deadline = again.plan().policy(node.ix()).sensor.as_ref().and_then(|sensor| node.deadline(sensor));
            if node.awaits_next() && deadline.is_some_and(|deadline| deadline <= now) {
                let key = self.key(run, slot);
                self.runs[run as usize].grace.insert(key);
            }
        }
        let was_running: Vec<(Slot, Key)> = again
            .slots()
            .filter(|slot| again.node(*slot).state() == NodeState::Running)
            .map(|slot| (slot, self.key(run, slot)))
            .collect();
        let retry = self.retried < self.disturbances.retries && self.runs[run as usize].is_over && self.entropy.once_in(2);
        if retry {
            self.retried += 1;
            let edit = Edit::Retry { nodes: Vec::new(), downstream: self.entropy.once_in(2) };
            let checked = again.check_edit(&edit);
            match self.core.resume_edited(again, &edit, now) {
                Ok(resumed) => assert_eq!((resumed, checked), (run, Ok(()))),
                Err(error) => {
                    assert_eq!(checked, Err(error));
                    assert_eq!(self.core.resume(replay(&self.runs[run as usize]), now), run);
                }
            }
            return;
        }
        assert_eq!(self.core.resume(again, now), run);
        for (slot, key) in was_running.into_iter().filter(|(_, key)| cut.contains(&(run, key.clone()))) {
            let times = self.runs[run as usize].interrupted.entry(key).or_default();
            *times += 1;
            let expected = *times;
            let outbox = self.core.outbox();
            let was = outbox
                .records
                .iter()
                .any(|(of, entry)| of == run && matches!(entry.record, Record::Interrupted { slot: of, .. } if of == slot));
            assert_eq!(was, expected < 3, "an attempt cut off for time {expected} in a row");
        }
    }

    /// A deployment: the plan gains nodes, and the runs' records belong to the older plan.
    pub(in super::super) fn grow(&mut self) {
        let choices: Vec<u16> = (0..40).map(|_| u16::try_from(self.entropy.below(1 << 16)).unwrap()).collect();
        let mut growths = self.growths.clone();
        growths.push(Entropy::new(choices));
        // A node may require two exclusive arms.
        let Ok((plan, description)) = random_plan::grown(self.source.choices.clone(), self.source.allowed, growths.clone())
        else {
            return;
        };
        // Perhaps nothing could be added.
        let Some(remap) = plan.match_skeleton(&self.plan.skeleton(), Accepts::Additions).expect("nodes were only added") else {
            return;
        };
        (self.growths, self.plan, self.description) = (growths, plan, description);
        self.by_name = names(&self.description);
        for (ix, tracked) in self.runs.iter_mut().enumerate() {
            translate(&mut tracked.entries, &remap, |entry| &mut entry.record);
            tracked.shadow = Run::replay(spec(&self.plan, index(ix)), START, &tracked.entries).unwrap();
            tracked.model.grow(Arc::clone(&self.description));
        }
    }
}
