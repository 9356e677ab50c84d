use super::body::Body;
use super::equality::Compare;
use super::options::TaskOptions;
use super::value::{Codec, Value};
use std::panic::Location;

/// What an attribute made of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `#[task]`
    Task,
    /// `#[sensor]`
    Sensor,
    /// `#[branch]`
    Branch,
}

/// A task as its attribute describes it: one constant a task, which says that two nodes are of one task.
#[derive(Debug)]
pub struct Definition {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) at: &'static Location<'static>,
}

impl Definition {
    /// Where it is called is where the task is defined.
    #[track_caller]
    pub const fn new(kind: Kind, name: &'static str, description: &'static str) -> Self {
        Self { kind, name, description, at: Location::caller() }
    }
}

/// A task as its first wiring in a pipeline made it known, shared by all its nodes.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) definition: &'static Definition,
    /// The names of the wired parameters in their order, the context left out.
    pub(crate) inputs: Box<[&'static str]>,
    pub(crate) options: TaskOptions,
    pub(crate) body: Box<dyn Body>,
    pub(crate) codec: &'static Codec,
    /// The output's own `==`, where it has one.
    pub(crate) compare: Option<Compare>,
    /// What a branch's arms are.
    pub(crate) branch: Option<Branch>,
}

#[derive(Debug)]
pub(crate) struct Branch {
    /// Which arm an output takes.
    pub(crate) arm: fn(&Value) -> Option<usize>,
    /// What that arm carries.
    pub(crate) carried: fn(&Value) -> Value,
    pub(crate) arms: &'static [&'static str],
}
