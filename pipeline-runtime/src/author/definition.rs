use super::body::Body;
use super::equality::Compare;
use super::options::TaskOptions;
use super::value::{Codec, Value};
use std::any::TypeId;
use std::panic::Location;

/// The attribute that was put on a function.
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
    /// The type that the attribute defines next to the function. No other task has it, so it identifies the task of a node. An
    /// address would not: the compiler may merge equal constants, such as those of tasks that one `macro_rules!` makes.
    pub(crate) task: TypeId,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The name of the output's type as its author wrote it, without paths.
    pub(crate) output: &'static str,
    pub(crate) at: &'static Location<'static>,
}

impl Definition {
    /// A definition. `Task` is the type next to the function. The call site is the task's location.
    #[track_caller]
    pub const fn of<Task: 'static>(kind: Kind, name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self { task: TypeId::of::<Task>(), kind, name, description, output, at: Location::caller() }
    }

    /// The definition of a `#[task]`; its expansion calls this, as those of the others call the next two.
    #[track_caller]
    pub const fn task<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Task, name, description, output)
    }

    /// The definition of a `#[sensor]`.
    #[track_caller]
    pub const fn sensor<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Sensor, name, description, output)
    }

    /// The definition of a `#[branch]`.
    #[track_caller]
    pub const fn branch<Task: 'static>(name: &'static str, description: &'static str, output: &'static str) -> Self {
        Self::of::<Task>(Kind::Branch, name, description, output)
    }
}

/// A task as created when it was first wired in a pipeline; all its nodes share it.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) definition: &'static Definition,
    /// The names of the wired parameters in their order, without the context.
    pub(crate) inputs: Box<[&'static str]>,
    pub(crate) options: TaskOptions,
    pub(crate) body: Box<dyn Body>,
    pub(crate) codec: &'static Codec,
    /// The output's own `==`, if it has one.
    pub(crate) compare: Option<Compare>,
    /// The arms, if it is a branch.
    pub(crate) branch: Option<BranchArms>,
}

#[derive(Debug)]
pub(crate) struct BranchArms {
    /// The index of the arm that an output takes.
    pub(crate) arm: fn(&Value) -> Option<usize>,
    /// The value that this arm carries.
    pub(crate) carried: fn(&Value) -> Value,
    pub(crate) arms: &'static [&'static str],
}
