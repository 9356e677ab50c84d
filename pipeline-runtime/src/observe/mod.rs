//! What can be seen of runs: their history, told from their records, and how it is drawn.

mod history;
mod timeline;

pub(crate) use history::{CallbackHistory, NodeHistory, RunHistory, Span, Work};
