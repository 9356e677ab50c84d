//! Sensors: what a waiting one costs, and how soon it sees what it waits for.

mod arrivals;
mod waiting;

use crate::table::Table;

pub(crate) fn run() -> Vec<Table> {
    vec![arrivals::table(), waiting::table()]
}

/// Whether this process is one that a group has started, to be measured from outside; then it has done its work.
pub(crate) fn is_child() -> bool {
    waiting::is_child()
}
