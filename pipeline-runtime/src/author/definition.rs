use super::body::Body;
use super::equality::Compare;
use super::options::TaskOptions;
use super::value::{Codec, Value};
use std::any::TypeId;
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

/// A task as its attribute describes it.
#[derive(Debug)]
pub struct Definition {
    /// The type that the attribute makes beside the function. No other task has it, so it says whether two nodes are of one task. An
    /// address would not: the compiler may merge constants that are equal, as those of tasks are that one `macro_rules!` makes.
    pub(crate) task: TypeId,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The output's type by the name that its author wrote, without paths.
    pub(crate) output: &'static str,
    pub(crate) at: &'static Location<'static>,
}

impl Definition {
    /// `Task` is the type beside the function. Where it is called is where the task is defined.
    #[track_caller]
    pub const fn of<Task: 'static>(kind: Kind, name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self { task: TypeId::of::<Task>(), kind, name, description, output, at: Location::caller() }
    }

    /// That of a `#[task]`, for its expansion, as the next two.
    #[track_caller]
    pub const fn task<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Task, name, description, output)
    }

    /// That of a `#[sensor]`.
    #[track_caller]
    pub const fn sensor<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Sensor, name, description, output)
    }

    /// That of a `#[branch]`.
    #[track_caller]
    pub const fn branch<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Branch, name, description, output)
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
    pub(crate) branch: Option<BranchArms>,
}

#[derive(Debug)]
pub(crate) struct BranchArms {
    /// Which arm an output takes.
    pub(crate) arm: fn(&Value) -> Option<usize>,
    /// What that arm carries.
    pub(crate) carried: fn(&Value) -> Value,
    pub(crate) arms: &'static [&'static str],
}
