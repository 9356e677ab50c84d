//! A run's state: the fold of its records, and nothing else.
//!
//! Only [`Run::apply`] writes it. For the two most frequent records the core calls the methods behind `apply` directly, without
//! building an entry. The one exception is a task of Airflow's, whose state from earlier processes is restored before its first
//! record here (`earlier.rs`). All fields are private to this folder. What this process does about a run (attempts in flight,
//! permits, timers, queues) is in [`execution`](super::execution), and the next decisions are derived from the state, by
//! [`Worklist::derive`](super::execution::Worklist::derive). So a replay of the journal gives the state that the live run had,
//! whatever the process did meanwhile. No user code runs here: values are shared, never cloned, compared or written.
//!
//! Checked by `engine/tests`: after every record the state equals that of a replay, and the derived work equals the queued work.

mod callbacks;
mod cancelled;
mod changes;
mod cleared;
#[cfg(feature = "airflow")]
mod earlier;
mod edges;
mod holding;
mod layout;
mod legal;
mod mapping;
mod node;
mod reconsider;
mod run;
mod teardown;
mod trigger_rule;

pub(crate) use cancelled::{NodeAtCancel, ends_open_nodes};
pub(crate) use changes::{Changes, Conclusion};
#[cfg(feature = "airflow")]
pub(crate) use earlier::Earlier;
pub(crate) use layout::{ExpansionIx, Label, Layout, Lookup, Position, node_name};
pub(crate) use legal::Illegal;
pub(crate) use mapping::Turn;
#[cfg(test)]
pub(crate) use node::Node;
pub(crate) use reconsider::reconsider;
pub(crate) use run::{Run, RunSpec, index};
pub(crate) use trigger_rule::Verdict;
