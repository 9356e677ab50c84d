use super::options::TaskOptions;
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

/// A task as its attribute describes it: one constant a task, shared by all its nodes.
#[derive(Debug)]
pub struct Definition {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) inputs: &'static [&'static str],
    pub(crate) description: &'static str,
    pub(crate) at: &'static Location<'static>,
    describe: fn(TaskOptions) -> TaskOptions,
}

impl Definition {
    /// `inputs` names the wired parameters in order, the context left out.
    #[track_caller]
    pub const fn new(
        kind: Kind,
        name: &'static str,
        inputs: &'static [&'static str],
        description: &'static str,
        options: fn(TaskOptions) -> TaskOptions,
    ) -> Self {
        let at = Location::caller();
        Self { kind, name, inputs, description, at, describe: options }
    }

    pub(crate) fn options(&self) -> TaskOptions {
        (self.describe)(TaskOptions::default())
    }
}
