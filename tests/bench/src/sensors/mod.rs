//! Sensors: what a waiting one costs.

mod waiting;

use crate::table::Table;

pub(crate) fn run() -> Vec<Table> {
    vec![waiting::table()]
}

/// Whether this process is one that a group has started, to be measured from outside; then it has done its work.
pub(crate) fn is_child() -> bool {
    waiting::is_child()
}
