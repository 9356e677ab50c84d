//! Sensors: what a waiting one costs, and how soon it notices the event.

mod arrivals;
mod waiting;

use crate::table::Table;

pub(crate) fn run() -> Vec<Table> {
    vec![arrivals::table(), waiting::table()]
}

/// Returns true if a group started this process to be measured from outside; the work is then done.
pub(crate) fn is_child() -> bool {
    waiting::is_child()
}
