//! A run's state: the fold of its records, and nothing else.
//!
//! [`Run::apply`] writes it, and nothing else does: of the two commonest records the core calls the methods that `apply` calls, without
//! making an entry first. All fields are private to this folder. What this process does about a run (attempts in flight,
//! permits, timers, queues) is in [`execution`](super::execution), and what is to be done next is derived from the state, by
//! [`Worklist::derive`](super::execution::Worklist::derive). So a journal that is replayed gives the state that the live run had,
//! whatever the process did meanwhile. No user code runs here: values are shared, never cloned, compared or written.
//!
//! Kept by `engine/tests`: after every record the state is that of a replay, and the work derived from it is the work that is queued.

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

pub(crate) use cancelled::{Found, ends_open_nodes};
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
