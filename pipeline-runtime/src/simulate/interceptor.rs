use super::SimulationError;
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::author::value::{Codec, Data, Value};
use crate::engine::{Answered, Attempt, Interceptor};
use crate::observe::RunHistory;
use crate::plan::{Plan, What};
use crate::storage::World;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// An answer in a body's stead.
#[derive(Debug)]
pub(super) struct Stub {
    id: String,
    /// Of that attempt alone.
    attempt: Option<u32>,
    answer: Result<Value, Arc<str>>,
    /// Of a value, how its type is read and called.
    codec: Option<&'static Codec>,
}

impl Stub {
    pub(super) fn value<T: Data>(id: &str, value: T) -> Self {
        Self { id: id.to_owned(), attempt: None, answer: Ok(Value::new(value)), codec: Some(Codec::of::<T>()) }
    }

    pub(super) fn failure(id: &str, attempt: u32, error: &str) -> Self {
        Self { id: id.to_owned(), attempt: Some(attempt), answer: Err(error.into()), codec: None }
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
    blocking: AtomicUsize,
    unblocked: Arc<Notify>,
}

impl Stubs {
    pub(super) fn new(plan: &Plan, stubs: Vec<Stub>, secrets: Vec<Secret>, world: World) -> Result<Self, SimulationError> {
        for Stub { id, codec: given, .. } in &stubs {
            let name = id.split_once('[').map_or(id.as_str(), |(name, _)| name);
            let codec = plan.find(name).and_then(|node| match &plan.node(node).what {
                What::Body(task) => Some(task.codec),
                _ => None,
            });
            if let (Some(codec), Some(given)) = (codec, *given)
                && (given.type_id)() != (codec.type_id)()
            {
                let (given, expected) = ((given.type_name)(), (codec.type_name)());
                return Err(SimulationError::StubType { id: id.clone(), given, expected });
            }
            if codec.is_none() {
                let known: Vec<String> = plan.bodies().map(|(node, _)| format!("`{}`", plan.id(node))).collect();
                return Err(SimulationError::UnknownNode { id: id.clone(), known: known.join(", ") });
            }
        }
        Ok(Self { all: stubs, secrets, world, pipeline: plan.pipeline, blocking: AtomicUsize::new(0), unblocked: Arc::default() })
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
        Some(match &stub.answer {
            Ok(value) => Answered::Success(value.clone(), None),
            Err(error) => Answered::Error(Arc::clone(error)),
        })
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
        self.world.in_flight() + self.blocking.load(Ordering::SeqCst)
    }

    fn idle(&self) -> BoxFuture<()> {
        let (world, unblocked) = (self.world.clone(), Arc::clone(&self.unblocked));
        let blocked = self.blocking.load(Ordering::SeqCst) > 0;
        Box::pin(async move {
            if blocked {
                // One body less, or one that ended in between: whoever waits asks again.
                unblocked.notified().await;
            } else {
                world.idle().await;
            }
        })
    }
}
