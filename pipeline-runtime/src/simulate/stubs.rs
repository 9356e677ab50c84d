//! Answers that replace bodies.

use super::SimulationError;
use crate::author::keys::{names, without_key};
use crate::author::value::{Codec, Data, Value};
use crate::engine::{Answered, Attempt};
use crate::observe::RunReport;
use crate::plan::Plan;
use std::sync::Arc;

/// An answer as the caller gave it.
#[derive(Debug)]
pub(super) struct StubSpec {
    /// The node's id, with the prefix `PIPELINE/` for a pipeline that is simulated beside.
    id: String,
    /// If set, only for the attempt with that number.
    attempt: Option<u32>,
    answer: UncheckedAnswer,
}

#[derive(Debug)]
enum UncheckedAnswer {
    /// A value and the codec of its type.
    Value(Value, &'static Codec),
    /// JSON to be read as the type that the task returns.
    Json(serde_json::Value),
    Error(Arc<str>),
}

impl StubSpec {
    pub(super) fn value<T: Data>(id: &str, value: T) -> Self {
        Self { id: id.to_owned(), attempt: None, answer: UncheckedAnswer::Value(Value::new(value), Codec::of::<T>()) }
    }

    #[cfg(feature = "cli")]
    pub(super) fn json(id: &str, value: serde_json::Value) -> Self {
        Self { id: id.to_owned(), attempt: None, answer: UncheckedAnswer::Json(value) }
    }

    pub(super) fn failure(id: &str, attempt: u32, error: &str) -> Self {
        Self { id: id.to_owned(), attempt: Some(attempt), answer: UncheckedAnswer::Error(error.into()) }
    }
}

/// The answers of a simulation, each converted to its node's type.
#[derive(Debug)]
pub(super) struct Stubs(Vec<Stub>);

#[derive(Debug)]
struct Stub {
    /// The name as the caller gave it.
    named: String,
    pipeline: &'static str,
    /// The node's id without the pipeline.
    id: String,
    attempt: Option<u32>,
    answer: StubAnswer,
}

#[derive(Debug)]
enum StubAnswer {
    Value(Value),
    Error(Arc<str>),
}

impl Stubs {
    /// Converts the answers for the nodes of a pipeline, and of those beside it.
    pub(super) fn read(given: Vec<StubSpec>, plan: &Plan, beside: &[&Plan]) -> Result<Self, SimulationError> {
        given.into_iter().map(|given| Stub::read(given, plan, beside)).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn instead(&self, attempt: &Attempt) -> Option<Answered> {
        if self.0.is_empty() {
            return None;
        }
        let (pipeline, id) = (attempt.spec.plan.pipeline, attempt.id());
        let of_attempt = |stub: &&Stub| {
            stub.pipeline == pipeline && stub.is_of(&id) && stub.attempt.is_none_or(|number| number == attempt.number)
        };
        // The last one counts, but a failure of this attempt precedes a value for all attempts.
        let mut stubs = self.0.iter().rev().filter(of_attempt);
        let stub = stubs.clone().find(|stub| stub.attempt.is_some()).or_else(|| stubs.next())?;
        Some(match &stub.answer {
            StubAnswer::Value(value) => Answered::Success(value.clone(), None),
            StubAnswer::Error(error) => Answered::Error(Arc::clone(error)),
        })
    }

    /// Warnings about failures for attempts that these runs did not have.
    pub(super) fn unused(&self, runs: &[&RunReport]) -> Vec<String> {
        let mut warnings = Vec::new();
        for stub in &self.0 {
            let Some(attempt) = stub.attempt else { continue };
            let histories = runs.iter().filter(|run| run.pipeline() == stub.pipeline).map(|run| run.history());
            let attempts = histories.flat_map(|history| {
                let of_stub = history.listed().into_iter().filter(|slot| stub.is_of(&history.id(*slot)));
                of_stub.map(|slot| history.node(slot).attempts())
            });
            let attempts = attempts.max().unwrap_or(0);
            if attempts < attempt {
                let had = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
                warnings.push(format!("nothing met the failure of attempt {attempt} of `{}`, which had {had}", stub.named));
            }
        }
        warnings
    }
}

impl Stub {
    fn read(given: StubSpec, plan: &Plan, beside: &[&Plan]) -> Result<Self, SimulationError> {
        let StubSpec { id: named, attempt, answer } = given;
        let unknown = || {
            let ids = |plan: &Plan| plan.bodies().map(|(node, _)| plan.id(node)).collect::<Vec<_>>();
            let own = ids(plan).into_iter();
            let beside = beside.iter().flat_map(|plan| ids(plan).into_iter().map(|id| format!("{}/{id}", plan.pipeline)));
            let known: Vec<String> = own.chain(beside).map(|id| format!("`{id}`")).collect();
            SimulationError::UnknownNode { id: named.clone(), known: known.join(", ") }
        };
        let (plan, id) = match named.split_once('/') {
            None => (plan, named.as_str()),
            Some((pipeline, id)) => {
                let plan = std::iter::once(&plan).chain(beside).find(|plan| plan.pipeline == pipeline).ok_or_else(unknown)?;
                (*plan, id)
            }
        };
        let codec = plan.find(without_key(id)).and_then(|node| plan.codec(node)).ok_or_else(unknown)?;
        let answer = match answer {
            UncheckedAnswer::Error(error) => StubAnswer::Error(error),
            UncheckedAnswer::Value(_, given) if (given.type_id)() != (codec.type_id)() => {
                let (given, expected) = ((given.type_name)(), (codec.type_name)());
                return Err(SimulationError::StubType { id: named, given, expected });
            }
            UncheckedAnswer::Value(value, _) => StubAnswer::Value(value),
            UncheckedAnswer::Json(json) => {
                let read = codec.read(json.to_string().as_bytes());
                let refused = |reason| SimulationError::StubJson { id: named.clone(), expected: (codec.type_name)(), reason };
                StubAnswer::Value(read.map_err(refused)?)
            }
        };
        Ok(Self { pipeline: plan.pipeline, id: id.to_owned(), attempt, answer, named })
    }

    /// True if the stub names the node `id`, or the mapped node that `id` is an element of.
    fn is_of(&self, id: &str) -> bool {
        names(&self.id, id)
    }
}
