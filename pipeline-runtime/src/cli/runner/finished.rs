//! The runs of a runner after its end, and the exit code that follows from them.

use crate::host::{ProcessEnd, Tally};
use crate::{RunReport, RunState};
use std::process::ExitCode;

/// Runs that ended or were interrupted.
#[derive(Debug)]
pub struct Finished {
    pub(super) reports: Vec<RunReport>,
    /// How many runs should have a report if none is forgotten.
    pub(super) runs: usize,
    pub(super) ended: ProcessEnd,
    pub(super) tally: Tally,
    pub(super) forgets: bool,
    /// How many runs could not be resumed.
    pub(super) blocked: usize,
}

impl Finished {
    /// Returns the reports of the runs, in the order in which the runs were given.
    pub fn reports(&self) -> &[RunReport] {
        &self.reports
    }

    /// Returns the reports by value.
    pub fn into_reports(self) -> Vec<RunReport> {
        self.reports
    }

    /// True if Ctrl-C or SIGTERM came before all runs had ended.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.ended, ProcessEnd::Interrupted(_) | ProcessEnd::Drained(_))
    }

    /// Returns the number of runs per final state.
    pub(in crate::cli) fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns the exit code for the process: 0 if all runs succeeded, 1 if one did not, 130 if Ctrl-C interrupted them, 143 if
    /// SIGTERM did.
    pub fn exit_code(&self) -> ExitCode {
        let all = |state| self.reports.iter().all(|report| report.state() == state);
        match self.ended {
            ProcessEnd::Drained(_) => ExitCode::SUCCESS,
            ProcessEnd::Interrupted(signal) if self.forgets || self.reports.iter().any(|report| !report.state().is_end()) => {
                ExitCode::from(signal.exit_code())
            }
            // A run without a report is not known to have succeeded.
            _ if !self.forgets && self.reports.len() < self.runs => ExitCode::FAILURE,
            _ if self.blocked + self.tally.blocked > 0 => ExitCode::FAILURE,
            _ if self.forgets && self.tally.failed + self.tally.cancelled + self.tally.queued > 0 => ExitCode::FAILURE,
            _ if self.forgets || all(RunState::Success) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}
