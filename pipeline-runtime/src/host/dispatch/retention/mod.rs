//! Deletes old runs while others are active: those past their pipeline's `keep`, and those that a command names.
//!
//! The journal's writer does one step at a time, and this loop orders the next one when it gets the pass back. A command reads
//! its run after everything ordered before, and takes effect before the next step, so it never resumes a run that is deleted
//! meanwhile. Runs that this process hosts are spared, including those that are over but have a thread or a callback left.
//!
//! Ages are measured by the runs' clock, which recorded the ends: setting the wall clock ahead deletes nothing.

#[cfg(test)]
mod tests;

use super::Dispatch;
use super::commands::answer;
use crate::Pipeline;
use crate::journal::{Pass, Ticket};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often expired runs are deleted, by the runs' clock.
const EVERY: Duration = Duration::from_hours(1);

/// What is to be deleted.
#[derive(Debug)]
pub(super) struct Retention {
    /// When the next pass over expired runs begins.
    next: Timestamp,
    /// True if a pass of this process has cleaned up after a pass that died.
    is_swept: bool,
    in_progress: Option<PassInProgress>,
    requested: VecDeque<(Duration, Option<Ticket>)>,
}

#[derive(Debug)]
struct PassInProgress {
    step: oneshot::Receiver<Box<Pass>>,
    reason: PassReason,
}

#[derive(Debug, Clone, Copy)]
enum PassReason {
    /// For the pipelines' own `keep` or the default of the process.
    Pipelines,
    /// For a command.
    Command(Option<Ticket>),
}

impl Default for Retention {
    fn default() -> Self {
        Self { next: Timestamp::from_nanos(i64::MIN), is_swept: false, in_progress: None, requested: VecDeque::new() }
    }
}

impl Retention {
    /// Returns once the writer has done a step: with the pass, or `None` if it failed.
    pub(super) async fn step(&mut self) -> Option<Box<Pass>> {
        match &mut self.in_progress {
            Some(in_progress) => (&mut in_progress.step).await.ok(),
            None => std::future::pending().await,
        }
    }
}

impl Dispatch<'_> {
    /// Returns how long the runs of a pipeline are stored in this process; `None` for no limit.
    pub(super) fn keep(&self, pipeline: &Pipeline) -> Option<Duration> {
        pipeline.options().keep.or(self.service.keep).filter(|_| self.stays())
    }

    /// Deletes runs that ended longer ago, and then answers the command.
    pub(super) fn prune(&mut self, older_than: Duration, ticket: Option<Ticket>) {
        self.retention.requested.push_back((older_than, ticket));
        self.delete_old();
    }

    /// Starts the next deletion that is due, unless one is in progress.
    pub(super) fn delete_old(&mut self) {
        if self.retention.in_progress.is_some() {
            return;
        }
        let now = self.now();
        if let Some((older_than, ticket)) = self.retention.requested.pop_front() {
            let pass = Pass::of_all(now.clock - older_than, now.date);
            return self.order(Box::new(pass), PassReason::Command(ticket));
        }
        if now.clock < self.retention.next {
            return;
        }
        self.retention.next = now.clock + EVERY;
        let old = |pipeline: &Pipeline| Some((pipeline.id().to_owned(), now.clock - self.keep(pipeline)?));
        let pipelines: Vec<_> = self.pipelines.iter().filter_map(old).collect();
        if !pipelines.is_empty() {
            let sweeps = !self.retention.is_swept;
            self.order(Box::new(Pass::of(pipelines, now.date, sweeps)), PassReason::Pipelines);
        }
    }

    /// Continues the pass in progress, which has done a step.
    pub(super) fn continue_deleting(&mut self, pass: Option<Box<Pass>>) {
        let Some(PassInProgress { reason, .. }) = self.retention.in_progress.take() else { return };
        match (pass, reason) {
            (Some(pass), _) if !pass.is_over() => self.order(pass, reason),
            (pass, PassReason::Command(ticket)) => {
                let result = pass.map(|pass| pass.pruned().to_string());
                let result =
                    result.ok_or_else(|| "it failed; the log of the process that holds the journal has the reason".to_owned());
                if let (Some(ticket), Ok(journal)) = (ticket, self.journal()) {
                    answer(journal, ticket, result);
                }
                self.delete_old();
            }
            (pass, PassReason::Pipelines) => {
                // A failed pass has not cleaned up, so the next one does.
                self.retention.is_swept |= pass.is_some();
                let runs = pass.map_or(0, |pass| pass.pruned().runs);
                if runs > 0 {
                    let plural = if runs == 1 { "" } else { "s" };
                    tracing::info!("{runs} run{plural} deleted that {} past their `keep`", if runs == 1 { "is" } else { "are" });
                }
                self.delete_old();
            }
        }
    }

    fn order(&mut self, mut pass: Box<Pass>, reason: PassReason) {
        let Ok(journal) = self.journal() else { return };
        pass.spare(self.runs.keys().collect());
        self.retention.in_progress = Some(PassInProgress { step: journal.prune_on(pass), reason });
    }
}
