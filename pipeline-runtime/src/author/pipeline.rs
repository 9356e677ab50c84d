use super::draft::{self, Draft, Place};
use super::error::{TaskError, chain};
use super::options::PipelineOptions;
use super::output::PipelineOutput;
use super::params::{self, Params, ParamsError};
use super::seal::Seal;
use serde_json::Value;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

/// A described pipeline, as a `#[pipeline]` function returns it. Cheap to clone.
///
/// Hand it to [`cli::main`](crate::cli::main) or to a [`Simulation`](crate::Simulation).
#[must_use = "a pipeline runs where it is handed to `cli::main`, and not where it is called: what pipelines share is a plain function \
              that wires it"]
#[derive(Clone)]
pub struct Pipeline {
    definition: Arc<PipelineDefinition>,
    wire: Arc<Wire>,
    defaults: fn(&'static str) -> Result<Value, ParamsError>,
}

type Wire = dyn Fn(&Value) -> Result<(Draft, Value), WireError> + Send + Sync;

/// A pipeline's name and options.
#[derive(Debug)]
pub struct PipelineDefinition {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) options: PipelineOptions,
    pub(crate) at: Place,
}

impl PipelineDefinition {
    /// What `#[pipeline]` expands to.
    #[track_caller]
    pub fn new(name: &'static str, description: &'static str, options: fn(PipelineOptions) -> PipelineOptions) -> Self {
        Self { name, description, options: options(PipelineOptions::default()), at: Location::caller() }
    }
}

/// A pipeline function that came to no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Its params do not fit.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// It returned an error.
    #[error("pipeline `{pipeline}` could not be described: {error}\n  at {at}")]
    Failed {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The error, with the errors that led to it.
        error: String,
        /// Where the function stands.
        at: &'static Location<'static>,
    },
    /// It panicked.
    #[error("the function of pipeline `{pipeline}` panicked: {message}\n  at {at}")]
    Panicked {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The panic's message.
        message: String,
        /// Where the function stands.
        at: &'static Location<'static>,
    },
}

impl Pipeline {
    /// The pipeline's id: its function's name, or the `id` option.
    pub fn id(&self) -> &'static str {
        self.definition.name
    }

    /// What its doc comment says.
    pub fn description(&self) -> &'static str {
        self.definition.description
    }

    /// Its tags.
    pub fn tags(&self) -> &'static [&'static str] {
        self.definition.options.tags
    }

    pub(crate) fn definition(&self) -> &PipelineDefinition {
        &self.definition
    }

    pub(crate) fn options(&self) -> &PipelineOptions {
        &self.definition.options
    }

    /// Its params where none are given, whole; null if it takes none.
    pub(crate) fn default_params(&self) -> Result<Value, ParamsError> {
        (self.defaults)(self.id())
    }

    /// Runs the pipeline function and returns what it described, with its params whole.
    pub(crate) fn draft(&self, params: &Value) -> Result<(Draft, Value), WireError> {
        (self.wire)(params)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("definition", &self.definition).finish_non_exhaustive()
    }
}

/// A pipeline without an argument.
pub fn without_params<R: PipelineOutput + 'static>(definition: PipelineDefinition, wire: fn() -> R) -> Pipeline {
    let definition = Arc::new(definition);
    let of = Arc::clone(&definition);
    let wire = move |given: &Value| {
        let empty = given.is_null() || given.as_object().is_some_and(serde_json::Map::is_empty);
        if !empty {
            return Err(ParamsError::None { pipeline: of.name }.into());
        }
        Ok((describe(&of, wire)?, Value::Null))
    };
    Pipeline { definition, wire: Arc::new(wire), defaults: |_| Ok(Value::Null) }
}

/// A pipeline with params.
pub fn with_params<P: Params, R: PipelineOutput + 'static>(definition: PipelineDefinition, wire: fn(P) -> R) -> Pipeline {
    let definition = Arc::new(definition);
    let of = Arc::clone(&definition);
    let wire = move |given: &Value| {
        let (argument, whole) = params::complete::<P>(of.name, given)?;
        Ok((describe(&of, || wire(argument))?, whole))
    };
    let defaults = |name| params::complete::<P>(name, &Value::Null).map(|(_, whole)| whole);
    Pipeline { definition, wire: Arc::new(wire), defaults }
}

fn describe<R: PipelineOutput>(of: &PipelineDefinition, wire: impl FnOnce() -> R) -> Result<Draft, WireError> {
    // Nothing that the closure could leave broken outlives a panic: the draft is dropped.
    let recorded = catch_unwind(AssertUnwindSafe(|| draft::record(|| wire().into_result(Seal))));
    match recorded {
        Ok((Ok(()), draft)) => Ok(draft),
        Ok((Err(error), _)) => Err(WireError::Failed { pipeline: of.name, error: text(error), at: of.at }),
        Err(panic) => Err(WireError::Panicked { pipeline: of.name, message: panic_message(&*panic), at: of.at }),
    }
}

fn text(error: TaskError) -> String {
    chain(&*error.into_error())
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "(no message)".into())
}
