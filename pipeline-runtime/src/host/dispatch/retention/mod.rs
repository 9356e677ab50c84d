//! Old runs are deleted while others go on: those that a pipeline no longer keeps, and those that somebody wants deleted.
//!
//! The journal's writer does a step at a time, and this loop orders the next one when it has the pass back. A command reads its
//! run after all that was ordered, and is carried out before the next step is: so none goes on with a run that is deleted meanwhile.
//! Runs that this process has are left to it, also those that are over and have a thread or a callback left.
//!
//! Ages are told by the runs' clock, which wrote down when they ended: a wall clock that is set ahead deletes nothing.

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

/// How often runs are deleted that are kept no longer, by the runs' clock.
const EVERY: Duration = Duration::from_hours(1);

/// What is to be deleted.
#[derive(Debug)]
pub(super) struct Retention {
    /// When the next pass over runs that are kept no longer begins.
    next: Timestamp,
    /// Whether a pass of this process has swept up what one that died has left.
    is_swept: bool,
    under_way: Option<UnderWay>,
    asked: VecDeque<(Duration, Option<Ticket>)>,
}

#[derive(Debug)]
struct UnderWay {
    step: oneshot::Receiver<Box<Pass>>,
    for_whom: ForWhom,
}

#[derive(Debug, Clone, Copy)]
enum ForWhom {
    /// The pipelines say how long their runs are kept.
    Pipelines,
    /// Somebody asked for it.
    Command(Option<Ticket>),
}

impl Default for Retention {
    fn default() -> Self {
        Self { next: Timestamp::from_nanos(i64::MIN), is_swept: false, under_way: None, asked: VecDeque::new() }
    }
}

impl Retention {
    /// Returns once the writer has done a step: with the pass, or without one where that failed.
    pub(super) async fn step(&mut self) -> Option<Box<Pass>> {
        match &mut self.under_way {
            Some(under_way) => (&mut under_way.step).await.ok(),
            None => std::future::pending().await,
        }
    }
}

impl Dispatch<'_> {
    /// How long the runs of a pipeline are kept in this process; none where they stay.
    pub(super) fn keep(&self, pipeline: &Pipeline) -> Option<Duration> {
        pipeline.options().keep.or(self.service.keep).filter(|_| self.stays())
    }

    /// Deletes runs that ended so long ago, and then answers that command.
    pub(super) fn prune(&mut self, older_than: Duration, ticket: Option<Ticket>) {
        self.retention.asked.push_back((older_than, ticket));
        self.delete_old();
    }

    /// Begins to delete what is to be deleted by now, unless that is under way.
    pub(super) fn delete_old(&mut self) {
        if self.retention.under_way.is_some() {
            return;
        }
        let now = self.now();
        if let Some((older_than, ticket)) = self.retention.asked.pop_front() {
            let pass = Pass::of_all(now.clock - older_than, now.date);
            return self.order(Box::new(pass), ForWhom::Command(ticket));
        }
        if now.clock < self.retention.next {
            return;
        }
        self.retention.next = now.clock + EVERY;
        let old = |pipeline: &Pipeline| Some((pipeline.id().to_owned(), now.clock - self.keep(pipeline)?));
        let pipelines: Vec<_> = self.pipelines.iter().filter_map(old).collect();
        if !pipelines.is_empty() {
            let sweeps = !self.retention.is_swept;
            self.order(Box::new(Pass::of(pipelines, now.date, sweeps)), ForWhom::Pipelines);
        }
    }

    /// Goes on with the pass that is under way, which has done a step.
    pub(super) fn delete_on(&mut self, pass: Option<Box<Pass>>) {
        let Some(UnderWay { for_whom, .. }) = self.retention.under_way.take() else { return };
        match (pass, for_whom) {
            (Some(pass), _) if !pass.is_over() => self.order(pass, for_whom),
            (pass, ForWhom::Command(ticket)) => {
                let said = pass.map(|pass| pass.pruned().to_string());
                let said =
                    said.ok_or_else(|| "it could not be done; the log of the process that holds the journal says why".to_owned());
                if let (Some(ticket), Ok(journal)) = (ticket, self.journal()) {
                    answer(journal, ticket, said);
                }
                self.delete_old();
            }
            (pass, ForWhom::Pipelines) => {
                // One that failed has not swept, so that the next does.
                self.retention.is_swept |= pass.is_some();
                let runs = pass.map_or(0, |pass| pass.pruned().runs);
                if runs > 0 {
                    let plural = if runs == 1 { "" } else { "s" };
                    tracing::info!("{runs} run{plural} deleted that {} kept no longer", if runs == 1 { "is" } else { "are" });
                }
                self.delete_old();
            }
        }
    }

    fn order(&mut self, mut pass: Box<Pass>, for_whom: ForWhom) {
        let Ok(journal) = self.journal() else { return };
        pass.spare(self.runs.keys().collect());
        self.retention.under_way = Some(UnderWay { step: journal.prune_on(pass), for_whom });
    }
}
