mod grace;

use super::SimulationError;
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::author::value::{Codec, Data, Value};
use crate::engine::{Answered, Attempt, Interceptor, Waiter};
use crate::observe::RunHistory;
use crate::plan::{Plan, What};
use crate::storage::World;
use crate::time::Outside;
use grace::Grace;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// An answer in a body's stead.
#[derive(Debug)]
pub(super) struct Stub {
    id: String,
    /// Of that attempt alone.
    attempt: Option<u32>,
    answer: Instead,
}

#[derive(Debug)]
enum Instead {
    /// With how its type is read and called.
    Value(Value, &'static Codec),
    /// To be read as the type that the task returns.
    Json(serde_json::Value),
    Error(Arc<str>),
}

impl Stub {
    pub(super) fn value<T: Data>(id: &str, value: T) -> Self {
        Self { id: id.to_owned(), attempt: None, answer: Instead::Value(Value::new(value), Codec::of::<T>()) }
    }

    #[cfg(feature = "cli")]
    pub(super) fn json(id: &str, value: serde_json::Value) -> Self {
        Self { id: id.to_owned(), attempt: None, answer: Instead::Json(value) }
    }

    pub(super) fn failure(id: &str, attempt: u32, error: &str) -> Self {
        Self { id: id.to_owned(), attempt: Some(attempt), answer: Instead::Error(error.into()) }
    }

    /// Whether it is about the node `id`, or about all elements of it.
    fn is_of(&self, id: &str) -> bool {
        let all_elements = || id.split_once('[').is_some_and(|(name, _)| name == self.id);
        self.id == id || all_elements()
    }
}

/// What a simulation does to bodies.
#[derive(Debug)]
pub(super) struct Stubs {
    all: Vec<Stub>,
    secrets: Vec<Secret>,
    world: World,
    /// The pipeline whose nodes they are of.
    pipeline: &'static str,
    outside: Outside,
    grace: Grace,
    blocking: AtomicUsize,
    unblocked: Arc<Notify>,
}

impl Stubs {
    pub(super) fn new(
        plan: &Plan,
        mut stubs: Vec<Stub>,
        secrets: Vec<Secret>,
        world: World,
        outside: Outside,
    ) -> Result<Self, SimulationError> {
        for Stub { id, answer, .. } in &mut stubs {
            let name = id.split_once('[').map_or(id.as_str(), |(name, _)| name);
            let codec = plan.find(name).and_then(|node| match &plan.node(node).what {
                What::Body(task) => Some(task.codec),
                _ => None,
            });
            let Some(codec) = codec else {
                let known: Vec<String> = plan.bodies().map(|(node, _)| format!("`{}`", plan.id(node))).collect();
                return Err(SimulationError::UnknownNode { id: id.clone(), known: known.join(", ") });
            };
            match answer {
                Instead::Value(_, given) if (given.type_id)() != (codec.type_id)() => {
                    let (given, expected) = ((given.type_name)(), (codec.type_name)());
                    return Err(SimulationError::StubType { id: id.clone(), given, expected });
                }
                Instead::Json(json) => {
                    let value = (codec.decode)(json.to_string().as_bytes()).map_err(|error| SimulationError::StubJson {
                        id: id.clone(),
                        expected: (codec.type_name)(),
                        reason: error.to_string(),
                    })?;
                    *answer = Instead::Value(value, codec);
                }
                Instead::Value(..) | Instead::Error(_) => {}
            }
        }
        let (grace, blocking, unblocked) = (Grace::default(), AtomicUsize::new(0), Arc::default());
        let pipeline = plan.pipeline;
        Ok(Self { all: stubs, secrets, world, pipeline, outside, grace, blocking, unblocked })
    }
}

impl Stubs {
    /// The failures that no attempt met, a warning for each.
    pub(super) fn unmet(&self, history: &RunHistory) -> Vec<String> {
        let mut warnings = Vec::new();
        for stub in &self.all {
            let Some(attempt) = stub.attempt else { continue };
            let of_stub = history.listed().into_iter().filter(|slot| stub.is_of(&history.id(*slot)));
            let attempts = of_stub.map(|slot| history.node(slot).attempts()).max().unwrap_or(0);
            if attempts < attempt {
                let had = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
                warnings.push(format!("nothing met the failure of attempt {attempt} of `{}`, which had {had}", stub.id));
            }
        }
        warnings
    }
}

impl Interceptor for Stubs {
    fn secret(&self, secret: &Secret) -> Option<Secret> {
        self.secrets.iter().rev().find(|known| *known == secret).cloned()
    }

    fn instead(&self, attempt: &Attempt) -> Option<Answered> {
        if self.all.is_empty() || attempt.spec.plan.pipeline != self.pipeline {
            return None;
        }
        let id = attempt.id();
        let of_attempt = |stub: &&Stub| stub.is_of(&id) && stub.attempt.is_none_or(|number| number == attempt.number);
        // The last one counts, but a failure of this very attempt before a value for all of them.
        let mut stubs = self.all.iter().rev().filter(of_attempt);
        let stub = stubs.clone().find(|stub| stub.attempt.is_some()).or_else(|| stubs.next())?;
        match &stub.answer {
            Instead::Value(value, _) => Some(Answered::Success(value.clone(), None)),
            Instead::Error(error) => Some(Answered::Error(Arc::clone(error))),
            // Read as a value before the run.
            Instead::Json(_) => None,
        }
    }

    fn enter(&self) -> Box<dyn Any> {
        Box::new(self.world.entered())
    }

    fn blocking(&self, begun: bool) {
        if begun {
            self.blocking.fetch_add(1, Ordering::SeqCst);
        } else {
            self.blocking.fetch_sub(1, Ordering::SeqCst);
            self.unblocked.notify_one();
        }
    }

    fn in_flight(&self) -> usize {
        self.world.in_flight() + self.outside.in_flight() + self.blocking.load(Ordering::SeqCst)
    }

    fn idle(&self) -> BoxFuture<()> {
        let (world, outside, unblocked) = (self.world.clone(), self.outside.clone(), Arc::clone(&self.unblocked));
        let blocked = self.blocking.load(Ordering::SeqCst) > 0;
        Box::pin(async move {
            if blocked {
                // One body less, or one that ended in between: whoever waits asks again.
                unblocked.notified().await;
            } else {
                outside.idle().await;
                world.idle().await;
            }
        })
    }

    fn waits(&self, waiter: Waiter) {
        self.grace.waits(waiter);
    }

    fn forget(&self, waiter: Waiter) {
        self.grace.forget(waiter);
    }

    fn grace(&self) -> Option<Duration> {
        self.grace.left()
    }
}
