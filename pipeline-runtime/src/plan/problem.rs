use crate::author::draft::SourceLocation;
use crate::author::pipeline::WireError;
#[cfg(feature = "cli")]
use serde_json::{Value, json};
use std::fmt;

/// Why a pipeline cannot be planned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Its function failed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The mistakes in its graph, all of them.
    #[error("{}", Listing(pipeline, problems))]
    Invalid {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The mistakes, rule by rule.
        problems: Vec<Problem>,
    },
}

impl PlanError {
    /// The mistakes in the graph; empty if the pipeline function itself failed.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Wire(_) => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }

    /// All mistakes as JSON, including a failure of the function itself.
    #[cfg(feature = "cli")]
    pub(crate) fn to_json(&self) -> Vec<Value> {
        match self {
            Self::Invalid { problems, .. } => problems.iter().map(Problem::to_json).collect(),
            Self::Wire(error) => {
                let place = |at| json!({ "at": at, "what": "this pipeline" });
                let places: Vec<Value> = error.at().map(ToString::to_string).map(place).into_iter().collect();
                vec![json!({ "message": error.message(), "places": places, "help": null })]
            }
        }
    }
}

/// One mistake in a pipeline's graph, with the places where it was wired.
///
/// Its text has the layout of rustc's messages: what is wrong, where, and what to write instead.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    places: Vec<(SourceLocation, String)>,
    help: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), places: Vec::new(), help: help.into() }
    }

    pub(crate) fn at(mut self, place: SourceLocation, what: impl Into<String>) -> Self {
        self.places.push((place, what.into()));
        self
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The places, as `file:line:column`, each with a description.
    pub fn places(&self) -> impl Iterator<Item = (String, &str)> {
        self.places.iter().map(|(place, what)| (place.to_string(), what.as_str()))
    }

    /// What to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The mistake as JSON.
    #[cfg(feature = "cli")]
    pub(crate) fn to_json(&self) -> Value {
        let places: Vec<Value> = self.places().map(|(at, what)| json!({ "at": at, "what": what })).collect();
        json!({ "message": self.message, "places": places, "help": self.help })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for (place, what) in &self.places {
            write!(f, "\n  --> {place}: {what}")?;
        }
        write!(f, "\n  = help: {}", self.help)
    }
}

struct Listing<'a>(&'a str, &'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pipeline, problems) = self;
        for problem in *problems {
            write!(f, "{problem}\n\n")?;
        }
        let mistakes = if problems.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", problems.len()) };
        write!(f, "pipeline `{pipeline}` has {mistakes}; nothing was run")
    }
}
