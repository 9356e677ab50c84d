//! A record in words.

use super::RunHistory;
use crate::engine::{Record, Skip};
use crate::time::Timestamp;

impl RunHistory {
    /// Returns the name of a record and its text. The record's nodes must be in the history.
    pub(crate) fn describe(&self, record: &Record) -> (&'static str, String) {
        let is_known = |slot: u32| (slot as usize) < self.len();
        match record {
            Record::Started { attempt, .. } => ("started", format!("attempt {attempt}")),
            Record::NotYet { next, .. } => ("not_yet", format!("next poke {}", at(*next))),
            Record::Retrying { next, error, .. } => ("retrying", format!("{error}; next attempt {}", at(*next))),
            Record::Interrupted { asked: true, .. } => ("interrupted", "its process was asked to end".to_owned()),
            Record::Interrupted { .. } => ("interrupted", "its process ended".to_owned()),
            Record::Unfolded { width, .. } => ("unfolded", format!("{width} elements")),
            Record::Succeeded { .. } => ("succeeded", String::new()),
            Record::Failed { error, .. } => ("failed", error.to_string()),
            Record::Skipped { why: Skip::Upstream(slot), .. } if !is_known(*slot) => ("skipped", String::new()),
            Record::Skipped { slot, why } => ("skipped", self.reason(*slot, why)),
            Record::UpstreamFailed { cause, .. } if is_known(*cause) => {
                ("upstream_failed", format!("`{}` failed", self.id(*cause)))
            }
            Record::UpstreamFailed { .. } => ("upstream_failed", String::new()),
            Record::Cleared { slots } if slots.len() == 1 => ("cleared", "1 node is retried manually".to_owned()),
            Record::Cleared { slots } => ("cleared", format!("{} nodes are retried manually", slots.len())),
            Record::Ending { state } => ("ending", format!("as {state}")),
            Record::RunEnded { state } => ("run_ended", state.to_string()),
            Record::CallbackDue { notification, .. } => ("callback_due", notification.event.name().to_owned()),
            Record::CallbackTold { .. } => ("callback_delivered", String::new()),
            Record::CallbackFailed { error, .. } => ("callback_failed", error.to_string()),
        }
    }
}

fn at(time: Timestamp) -> String {
    time.to_utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
