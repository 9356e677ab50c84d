mod default_params;
mod methods;

pub(crate) use default_params::DefaultParams;

use super::draft::{self, Draft, SourceLocation};
use super::error::{TaskError, chain};
use super::options::PipelineOptions;
use super::output::PipelineOutput;
use super::params::{self, Complete, Fields, Params, ParamsError, Source};
use super::seal::Seal;
use super::start_folder;
use crate::time::Zone;
use serde_json::Value;
use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

/// A pipeline with its options, as a `#[pipeline]` function returns it. Cheap to clone.
///
/// Hand it to [`cli::main`](crate::cli::main) or to a [`Simulation`](crate::Simulation).
#[must_use = "calling a pipeline does not run it: hand it to `cli::main`; to share nodes between pipelines, wire them in a plain function"]
#[derive(Clone)]
pub struct Pipeline {
    definition: Arc<PipelineDefinition>,
    wire: Arc<Wire>,
    given: fn(&PipelineDefinition, Source<'_>) -> Result<Value, ParamsError>,
    /// The type of the function's parameter, `()` if it has none, and the type's name for messages.
    params: fn() -> (TypeId, &'static str),
    /// The fields of a form for the params.
    form: fn(&PipelineDefinition) -> Vec<params::form::Field>,
}

type Wire = dyn Fn(&PipelineDefinition, Source<'_>) -> Result<PipelineDraft, WireError> + Send + Sync;

/// What a pipeline function recorded.
#[derive(Debug)]
pub(crate) struct PipelineDraft {
    pub(crate) draft: Draft,
    /// The complete params; null if the function takes none.
    pub(crate) params: Value,
    /// The names of the params' fields.
    pub(crate) fields: Fields,
}

/// A pipeline's name and options.
#[derive(Debug, Clone)]
pub struct PipelineDefinition {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) options: PipelineOptions,
    pub(crate) at: SourceLocation,
    /// The params of a run for which none are given, instead of their type's `Default`.
    pub(crate) default_params: Option<Arc<DefaultParams>>,
    /// The options that methods have set, and where.
    pub(crate) set_options: Vec<(&'static str, SourceLocation)>,
}

impl PipelineDefinition {
    /// What `#[pipeline]` expands to.
    #[track_caller]
    pub fn new(name: &'static str, description: &'static str, options: fn(PipelineOptions) -> PipelineOptions) -> Self {
        start_folder::remember();
        let options = options(PipelineOptions::default());
        Self { name, description, options, at: Location::caller(), default_params: None, set_options: Vec::new() }
    }

    /// Where a method last set that option.
    pub(crate) fn option_location(&self, option: &str) -> Option<SourceLocation> {
        self.set_options.iter().rfind(|(set, _)| *set == option).map(|(_, at)| *at)
    }
}

/// Why a pipeline function yielded no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The params do not fit.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// It returned an error.
    #[error("pipeline `{pipeline}` could not be described: {error}\n  at {at}")]
    Failed {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The error, with the errors that led to it.
        error: String,
        /// Where the function is defined.
        at: &'static Location<'static>,
    },
    /// It panicked.
    #[error("the function of pipeline `{pipeline}` panicked: {message}\n  at {at}")]
    Panicked {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The panic's message.
        message: String,
        /// Where the function is defined.
        at: &'static Location<'static>,
    },
}

#[cfg(feature = "cli")]
impl WireError {
    /// Where the function is defined.
    pub(crate) fn at(&self) -> Option<&'static Location<'static>> {
        match self {
            Self::Params(_) => None,
            Self::Failed { at, .. } | Self::Panicked { at, .. } => Some(at),
        }
    }

    /// The message without the place.
    pub(crate) fn message(&self) -> String {
        let mut message = self.to_string();
        if let Some(at) = self.at().map(|at| format!("\n  at {at}"))
            && message.ends_with(&at)
        {
            message.truncate(message.len() - at.len());
        }
        message
    }
}

impl Pipeline {
    /// The pipeline's id: its function's name, or the `id` option.
    pub fn id(&self) -> &'static str {
        self.definition.name
    }

    /// The pipeline's doc comment.
    pub fn description(&self) -> &'static str {
        self.definition.description
    }

    /// The pipeline's tags.
    pub fn tags(&self) -> &'static [&'static str] {
        self.definition.options.tags
    }

    pub(crate) fn definition(&self) -> &PipelineDefinition {
        &self.definition
    }

    pub(crate) fn options(&self) -> &PipelineOptions {
        &self.definition.options
    }

    /// The zone of the pipeline's dates; UTC if it names none. The plan's check refuses a name that no database knows.
    pub(crate) fn zone(&self) -> Zone {
        self.options().timezone.and_then(Zone::named).unwrap_or_default()
    }

    /// The zone in which users write dates: the one that all pipelines (or those with the id `named`) share, otherwise UTC.
    #[cfg(any(feature = "cli", feature = "dashboard"))]
    pub(crate) fn zone_of_all(pipelines: &[Self], named: Option<&str>) -> Zone {
        let mut zones = pipelines.iter().filter(|pipeline| named.is_none_or(|id| pipeline.id() == id)).map(Self::zone);
        let first = zones.next().unwrap_or_default();
        if zones.all(|zone| zone == first) { first } else { Zone::UTC }
    }

    /// The given params as JSON, as the pipeline's params type reads them; null if none are given.
    pub(crate) fn given(&self, source: Source<'_>) -> Result<Value, ParamsError> {
        (self.given)(&self.definition, source)
    }

    /// The type of the function's parameter, `()` if it has none, and the type's name for messages.
    pub(crate) fn params_type(&self) -> (TypeId, &'static str) {
        (self.params)()
    }

    /// The fields of a form for the params; empty if the function takes none.
    pub(crate) fn form(&self) -> Vec<params::form::Field> {
        (self.form)(&self.definition)
    }

    /// Runs the pipeline function and returns what it described.
    pub(crate) fn describe(&self, params: Source<'_>) -> Result<PipelineDraft, WireError> {
        (self.wire)(&self.definition, params)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("definition", &self.definition).finish_non_exhaustive()
    }
}

/// A type, to compare, and its name for messages.
pub(crate) fn of_type<P: 'static>() -> (TypeId, &'static str) {
    (TypeId::of::<P>(), type_name::<P>())
}

/// A pipeline without an argument.
pub fn without_params<R: PipelineOutput + 'static>(definition: PipelineDefinition, wire: fn() -> R) -> Pipeline {
    let none = |of: &PipelineDefinition, source: Source<'_>| {
        if source.is_empty() { Ok(Value::Null) } else { Err(ParamsError::None { pipeline: of.name }) }
    };
    let wire = move |of: &PipelineDefinition, source: Source<'_>| {
        none(of, source)?;
        Ok(PipelineDraft { draft: describe(of, wire)?, params: Value::Null, fields: Fields::none() })
    };
    Pipeline { definition: Arc::new(definition), wire: Arc::new(wire), given: none, params: of_type::<()>, form: |_| Vec::new() }
}

/// A pipeline with params.
pub fn with_params<P: Params, R: PipelineOutput + 'static>(definition: PipelineDefinition, wire: fn(P) -> R) -> Pipeline {
    let wire = move |of: &PipelineDefinition, source: Source<'_>| {
        let Complete { params, whole, fields, .. } = complete::<P>(of, source)?;
        Ok(PipelineDraft { draft: describe(of, || wire(params))?, params: whole, fields })
    };
    let given = |of: &PipelineDefinition, source: Source<'_>| complete::<P>(of, source).map(|read| read.given);
    Pipeline { definition: Arc::new(definition), wire: Arc::new(wire), given, params: of_type::<P>, form: form::<P> }
}

fn form<P: Params>(of: &PipelineDefinition) -> Vec<params::form::Field> {
    let own = of.default_params.as_deref().and_then(DefaultParams::of::<P>).cloned();
    // `check` reports a default that panics or that JSON cannot hold.
    let defaults = own.or_else(|| catch_unwind(|| serde_json::to_value(P::default()).ok()).ok().flatten());
    defaults.map(|defaults| params::form::fields::<P>(&defaults)).unwrap_or_default()
}

fn complete<P: Params>(of: &PipelineDefinition, source: Source<'_>) -> Result<Complete<P>, ParamsError> {
    params::complete::<P>(of.name, of.default_params.as_deref().and_then(DefaultParams::of::<P>), source)
}

fn describe<R: PipelineOutput>(of: &PipelineDefinition, wire: impl FnOnce() -> R) -> Result<Draft, WireError> {
    // The closure cannot leave anything broken behind after a panic: the draft is dropped.
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

/// A panic's message.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "(no message)".into())
}
