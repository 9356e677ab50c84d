//! The runtime: carries out on tokio what the core decides.
//!
//! The [core](super::core) is a state machine without threads. The runtime gives it events one at a time, under one lock. It has
//! the journal store the resulting records, and then starts bodies, delivers notifications and fires timers.
//!
//! # Threads and channels
//!
//! ```text
//! events
//!   start, resume, edit     dispatch thread  ──┐
//!   due timers              timer thread     ──┤
//!   answers                 workers, tasks,    │
//!                           blocking threads ──┤
//!                                              ▼
//!       ┌─ engine's lock ──────────────────────────────────────────────────────────┐
//!       │  core ──► outbox ──► Journal::submit ─── Submitted::Stored ──► ready queue  │
//!       └────────────────────────────┬──────────────────────────────────▲─────┬────┘
//!                                    │ Submitted::Queued                │     │ 1 to 32 jobs
//!                                    ▼                                  │     ▼
//!                             journal's queue                           │   local queue of each worker
//!                                    │                                  │     │ ▲ stolen by idle workers
//!                                    ▼                                  │     ▼ │
//!                             journal writer ──── Engine::committed ────┘   body, polled in place
//!                             (commit, sync)                                  │  still pending: a task of its own
//!                                                                             │  blocking: a thread of tokio's pool
//!                                                                             ▼
//!                                                                           answer, an event again
//! ```
//!
//! - The *dispatch thread* (`host/dispatch`) starts, resumes and edits runs. It reads the journal and may wait for the disk.
//! - The *timer thread* polls [`Engine::drive`] on a runtime of its own, so no body can delay a timer. It fires due timers. It
//!   also wakes idle workers when a busy one does not return ([`wake_policy`]), and replaces a worker that ended by a panic.
//! - The *workers* are tasks on the workers' runtime, one for each of its threads ([`worker`]). They share the ready queue; each
//!   has a [local queue](local_queue) for the attempts that it has taken and for their answers.
//! - The *journal writer* is a thread of the durable journal (`journal/sqlite/queue.rs`). The in-memory journal stores records
//!   within the turn, and needs no thread.
//! - *Deliveries* ([`deliver`]), inspections of lists ([`look`]) and the watches of resumed sensors ([`sensor_state`],
//!   [`others`]) are tasks of their own on the workers' runtime.
//! - A [simulation](simulated) has no workers and no timer thread: it steps from one instant to the next.
//!
//! Three signals connect them: the semaphore `awake` has one permit for each wake-up of an idle worker, `timers` wakes the timer
//! thread for an earlier timer or to watch the workers, and one oneshot channel for each waiting caller reports a run's end.
//!
//! # The life of an attempt
//!
//! 1. The core grants a permit and records `Started`. It leaves the record and a [`Job`](super::ids::Job) in its
//!    [`Outbox`](super::effects::Outbox).
//! 2. The journal takes the record. In memory it is stored at once. The durable journal queues it together with the job; after
//!    the commit its writer calls [`Engine::committed`].
//! 3. The job enters the ready queue. As many idle workers are woken as the [`wake_policy`] considers worth it.
//! 4. In its turn a worker takes its share of the ready queue, at most 32 jobs, and gathers each job's inputs ([`attempt`]). A
//!    job that was cut off meanwhile is dropped, and answered for by a task.
//! 5. Outside of the lock the worker renders templates and reads secrets, calls the body, and polls it once ([`body`]). A body
//!    that is pending is polled in place once more, behind the worker's other attempts, and then becomes a task of its own. A
//!    blocking body goes to a thread of tokio's blocking pool at once. So does the reading of a secret from a file.
//! 6. The result becomes an [`Answer`](super::effects::Answer). A worker collects the answers of several bodies for its next
//!    turn; tasks and blocking threads give theirs at once. A task also begins the node that follows, if it is the only one.
//! 7. The core takes the answer, records the result and returns the permit to its pool.
//!
//! An attempt that is cut off is taken out of the queue that it is in, or its task is aborted. A body that is being polled or
//! blocks runs on. In each case the attempt is still answered, because only then its thread is free.
//!
//! # Synchronization points
//!
//! - **The engine's lock**, a std mutex, guards the core, the ready queue and the submission to the journal. It is held for one
//!   turn: a few answers, their consequences and one share of jobs. That takes some hundred nanoseconds per node. Starting,
//!   resuming or editing a run takes time proportional to its nodes.
//! - **A local queue's lock**, one std mutex per worker, is held to move attempts or answers. A thread that holds the engine's
//!   lock may take a local queue's lock, never the other way round.
//! - **The journal's queue** has a mutex and a condition variable. It may be locked under the engine's lock, and the writer
//!   releases it before it takes the engine's lock.
//!
//! Why std mutexes: no critical section awaits, and much of the code that locks could not await: the journal writer, blocking
//! threads, file watchers, and the `Drop` of an aborted task, which answers for its attempt.
//!
//! No user code runs under the engine's lock, not even a drop: a turn leaves user values as [`Garbage`](super::effects::Garbage),
//! which is dropped after it. (`runtime/tests/drops.rs`) Nothing blocks under it: the durable journal only queues records. Two
//! things besides the core and the journal run under it, and neither may wait: an [`Observe`], which updates the run's history,
//! and the drop of a sensor's watches ([`watch`]).
//!
//! # Invariants
//!
//! - No action is carried out before the records that led to it are stored. (`tests/durable/kills.rs`)
//! - Each job is answered exactly once, even if its attempt was cut off, and its permit returns with the answer.
//!   (`runtime/tests/late.rs`; `cancelling_under_load_ends_every_node_and_gives_every_slot_back` in `runtime/tests/mod.rs`)
//! - The next attempt of a node waits for the thread of its last. (`the_retry_of_a_blocking_body_waits_for_its_thread` in
//!   `runtime/tests/mod.rs`)
//! - A blocking body delays only itself: its worker's queue is stolen, and its worker's answers are given by others.
//!   (`runtime/tests/turns.rs`)
//! - A woken worker is never lost: it would count as busy for ever. (`every_driver_comes_back_to_rest` in `runtime/tests/mod.rs`)
//! - The records of a run are ordered by time. (`runtime/tests/turns.rs`)
//! - User code that panics fails its own attempt and ends no worker, even in an error's `Display`, an output's `Serialize` or a
//!   value's `Clone` or `Drop`. (`runtime/tests/user_code.rs`)
//! - A disk that stalls delays neither answers nor timers, and a writer that fails stops the engine. (`tests/durable/stalls.rs`,
//!   `host/dispatch/stalls.rs`)
//! - After [`Engine::stop`] nothing more is recorded. (`after_it_was_stopped_an_engine_records_nothing_more` in
//!   `runtime/tests/mod.rs`)
//! - A log line finds its attempt through the [`scope`] that is set around each poll, so an attempt needs no span.
//!   (`tests/cli/logs.rs`)

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
