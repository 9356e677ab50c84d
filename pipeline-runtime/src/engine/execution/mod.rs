//! What this process does about its runs: attempts in flight, permits, queues, timers, deliveries. All of it is volatile: a
//! process starts with nothing, and derives the work from the runs' states.

mod delivery;
mod in_flight;
mod locks;
mod node_work;
mod pools;
mod timers;
mod worklist;

pub(super) use delivery::Delivery;
pub(super) use in_flight::{Ended, InFlight};
pub(super) use locks::Locks;
pub(super) use node_work::NodeWork;
pub(super) use pools::{CorePool, Permit, Pools};
pub(super) use timers::{Timer, Timers};
pub(super) use worklist::{Work, Worklist};
