//! The runtime: carries out on tokio what the core decides.
//!
//! # Threads and channels
//!
//! ```text
//!   host's threads ──start, edit, forget──► Engine ─┐           ┌─► journal (memory: at once; SQLite: its writer's thread)
//!   timer thread ───advance──────────────► (locks)  ├─► core ───┤      └─ committed ─► ready queue, actions
//!   workers ────────answer───────────────►          ┘           └─► ready queue ──► workers ──► bodies
//! ```
//!
//! - The *workers* are a few tasks on the workers' runtime ([`worker`]). Each takes a share of what is ready into its
//!   [local queue](local_queue), polls each body in place, and answers for several together. A body that is pending after its
//!   second poll in place becomes a task of its own; one that blocks goes to the blocking pool.
//! - The *timer thread* ([`Engine::drive`]) fires what is due, and wakes idle workers where one does not come back
//!   ([`wake_policy`]). Bodies run elsewhere, so none of them can hold a timer up.
//! - *Deliveries* ([`deliver`]) are tasks of their own, which no run waits for. So is a [`look`] at a list, for which its mapping waits.
//! - A simulation ([`simulated`]) has no workers: it steps from one instant to the next.
//!
//! # An attempt's life
//!
//! The core grants a permit and records `Started`; the journal keeps it; the job enters the ready queue; a worker takes it, gathers its
//! inputs under the lock ([`attempt`]) and calls the body outside of it ([`body`]); the answer goes to the core, also where the
//! attempt was cut off, since only then its thread is free.
//!
//! # The lock
//!
//! One std mutex guards the core, the ready queue and the journal's queue. It is held for one turn: some answers, what follows from them,
//! and the next share of jobs. No user code runs under it, not even a drop: what a turn leaves to be dropped goes out of it as
//! [`Garbage`](super::effects::Garbage). Nothing under it blocks: a durable journal only queues what it is handed
//! ([`Journal`](super::journal::Journal)). Whoever has the lock may take a local queue's lock, never the other way round.
//!
//! An [`Observe`] is told of each record under it. It writes what it keeps and never waits for whoever reads that.
//!
//! # Invariants
//!
//! - Each [`Job`](super::ids::Job) is answered exactly once, also after its attempt was cut off.
//! - User code that panics fails its own attempt and ends no worker, also if it is an error's `Display`, an output's `Serialize` or a
//!   value's `Drop`. (`runtime/tests/user_code.rs`)
//! - A body that blocks delays only itself. ([`worker`], `runtime/tests/turns.rs`)
//! - A log line finds its node through the [`scope`] that is set around each poll; no attempt has a span.

mod attempt;
mod body;
mod deliver;
mod engine;
mod last_seen;
mod local_queue;
mod look;
mod others;
mod scope;
mod sensor_state;
mod simulated;
#[cfg(test)]
mod tests;
mod wake_policy;
mod watch;
mod worker;

pub(crate) use attempt::Attempt;
pub(crate) use body::MAX_OUTPUT;
pub(crate) use engine::{Engine, EngineOptions, Observe, WeakEngine};
pub(crate) use last_seen::LastSeen;
pub(crate) use others::{FoundOutput, FoundRun, OtherRuns, StartRun};
pub(crate) use scope::current;
pub(crate) use simulated::{Instead, Interceptor, Waiter};
pub(crate) use watch::{Wake, Watching};
