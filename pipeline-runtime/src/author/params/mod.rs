//! Params: a pipeline's argument, set for one run and stored with it.
//!
//! - `tree.rs`: what was given, on top of the defaults.
//! - `reader.rs`: how the type reads that, including texts from a command line.
//! - `failure.rs`: why it cannot be read.
//! - `fields.rs`: the names that the type has, for templates.
//!
//! # Invariants
//!
//! - The params stored with a run are read back as the value that the run started with. Given values that are missing from the
//!   value's own JSON, such as a field that `skip_serializing_if` leaves out, are therefore stored in addition.
//! - Stored params are filled with the defaults of the outermost struct only. Params that a user gives are filled with those of
//!   nested structs, too. If stored params were treated the same way, a map would get back the keys of its default.

mod failure;
mod fields;
pub(crate) mod form;
mod reader;
mod tree;

pub(crate) use fields::{Fields, WrongName};

use super::secret;
use failure::Failure;
use reader::{ReadContext, Reader};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tree::{Node, join};

/// The type of a pipeline's argument.
///
/// Params that are given for a run are read on top of `Default`'s value as serde reads JSON, so serde's attributes have their
/// usual meaning: `rename`, `alias`, `default`, `flatten`, `skip_serializing_if`. Objects are merged key by key, at any depth;
/// all other values are replaced. A key that the type does not have is refused.
///
/// `--param key=text` gives a text, and the type determines how it is read:
///
/// | type | text |
/// |---|---|
/// | `String`, a date, and anything else that is a text in JSON | as it is: `007`, `true` and `null` are texts |
/// | numbers, `bool` | `7`, `0.5`, `true` |
/// | `Option<T>` | `null` is `None`; otherwise a `T` |
/// | an enum | the name of a variant without a value; otherwise JSON, as in `{"Every":7}` |
/// | `Vec`, a map, a struct | JSON, as in `["a","b"]` |
/// | [`Secret`](crate::Secret) | `env:NAME` or `file:PATH`, where the value is; never the value |
/// | one that accepts anything, such as `serde_json::Value`, or a flattened field | the text if the type accepts it, otherwise JSON; for lists and objects, JSON first |
///
/// `--param of.region=eu` sets one field of a nested struct. A key that itself contains a dot can be given by
/// `--params FILE.json`.
///
/// The params are stored with the run as JSON, at most 1 MiB, and a resumed run reads them from there.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Simulation;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Options {
///     #[serde(alias = "zone")]
///     region: String,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     until: Option<String>,
/// }
///
/// #[task]
/// async fn load(key: String) -> Result<String> { Ok(key) }
///
/// #[pipeline]
/// fn nightly(options: Options) { load(options.region); }
///
/// let report = Simulation::new(nightly()).params(serde_json::json!({ "zone": "eu" })).run();
/// assert_eq!(report.output::<String>("load").unwrap(), "eu");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a pipeline's parameters",
    label = "not `Serialize + DeserializeOwned + Default`",
    note = "add `#[derive(Default, serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait Params: Serialize + DeserializeOwned + Default + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Default + 'static> Params for T {}

/// Why a pipeline does not accept params.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// An unknown key.
    #[error("no param `{key}` in pipeline `{pipeline}`; {hint}")]
    Unknown {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The key, prefixed with those of the enclosing objects: `of.region`.
        key: String,
        /// The keys that exist.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("{}: {reason}", invalid(pipeline, type_name, param.as_deref()))]
    Invalid {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The argument's type.
        type_name: &'static str,
        /// The param's key, prefixed with those of the enclosing objects: `of.region`. `None` if serde does not report it.
        param: Option<String>,
        /// The error from serde.
        reason: String,
    },
    /// A secret's value instead of a reference to it.
    #[error(
        "{} of pipeline `{pipeline}` is a secret, and params are stored and shown: say where its value is, as in \
         `env:NAME` for an environment variable or `file:PATH` for a file", bare(param.as_deref())
    )]
    BareSecret {
        /// The pipeline's id.
        pipeline: &'static str,
        /// The param's key, prefixed with those of the enclosing objects. `None` if serde does not report it.
        param: Option<String>,
    },
    /// More than a run may store.
    #[error(
        "the params of pipeline `{pipeline}` have {bytes} bytes as JSON; the limit is 1 MiB: put what is large in a bucket, and give its key"
    )]
    TooLarge {
        /// The pipeline's id.
        pipeline: &'static str,
        /// Their size in bytes.
        bytes: usize,
    },
    /// Params for a pipeline without an argument.
    #[error("pipeline `{pipeline}` takes no params")]
    None {
        /// The pipeline's id.
        pipeline: &'static str,
    },
}

fn invalid(pipeline: &str, type_name: &str, param: Option<&str>) -> String {
    match param {
        Some(param) => format!("param `{param}` of pipeline `{pipeline}` does not fit"),
        None => format!("the params of pipeline `{pipeline}` do not fit `{type_name}`"),
    }
}

fn bare(param: Option<&str>) -> String {
    param.map_or_else(|| "a param".into(), |param| format!("param `{param}`"))
}

/// The maximum size of params, in bytes of JSON: each run stores its own.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// The maximum nesting of a param: deeper values could be written as JSON, but not read again.
const MAX_DEPTH: usize = 127;

/// The params that are read on top of the defaults.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A user gives them: JSON, and texts from a command line with their keys.
    Given(&'a Value, &'a [(String, String)]),
    /// They are stored with a run.
    Stored(&'a Value),
}

impl Source<'_> {
    /// True if nothing is given, so that only the defaults remain.
    pub(crate) fn is_empty(&self) -> bool {
        let (Self::Given(json, _) | Self::Stored(json)) = self;
        let has_texts = matches!(self, Self::Given(_, [_, ..]));
        !has_texts && (json.is_null() || json.as_object().is_some_and(serde_json::Map::is_empty))
    }
}

/// Params that have been read.
#[derive(Debug)]
pub(crate) struct Complete<P> {
    pub(crate) params: P,
    /// The complete params, as they are stored with the run.
    pub(crate) whole: Value,
    /// What was given, as JSON; null if nothing was.
    pub(crate) given: Value,
    pub(crate) fields: Fields,
}

/// Reads params on top of `base`, or of the type's default.
pub(crate) fn complete<P: Params>(
    pipeline: &'static str,
    base: Option<&Value>,
    source: Source<'_>,
) -> Result<Complete<P>, ParamsError> {
    let reading = match base {
        Some(base) => Reading { pipeline, defaults: base.clone(), of: std::marker::PhantomData },
        None => Reading::<P>::new(pipeline)?,
    };
    reading.complete(source)
}

/// Reads the params of one pipeline.
struct Reading<P> {
    pipeline: &'static str,
    defaults: Value,
    of: std::marker::PhantomData<P>,
}

/// Why params could not be read, and where.
type Error = serde_path_to_error::Error<Failure>;

impl<P: Params> Reading<P> {
    fn new(pipeline: &'static str) -> Result<Self, ParamsError> {
        let defaults = serde_json::to_value(P::default());
        let defaults = defaults.map_err(|error| invalid_whole::<P>(pipeline, error.to_string()))?;
        Ok(Self { pipeline, defaults, of: std::marker::PhantomData })
    }

    fn invalid(&self, reason: String) -> ParamsError {
        invalid_whole::<P>(self.pipeline, reason)
    }

    fn complete(&self, source: Source<'_>) -> Result<Complete<P>, ParamsError> {
        if let Source::Given(_, texts) = source
            && texts.iter().any(|(key, _)| key.matches('.').count() >= MAX_DEPTH)
        {
            return Err(self.invalid(format!("a param is nested more than {MAX_DEPTH} deep, by the dots in its name")));
        }
        let tree = match source {
            Source::Given(json, texts) => tree(json, (0..).zip(texts)),
            Source::Stored(json) => tree(json, std::iter::empty()),
        };
        let (params, context) = match source {
            Source::Given(json, texts) => self.read_either_way(&tree, json, texts)?,
            Source::Stored(_) => self.read(&tree, ReadContext::default()).map_err(|error| self.error(&error))?,
        };
        let value = serde_json::to_value(&params).map_err(|error| self.invalid(error.to_string()))?;
        let given = match &tree {
            Node::Scalar(Value::Null) => Value::Null,
            tree => tree.given(&context.texts.borrow()),
        };
        self.refuse_unknown(&given, &value, &context)?;
        let whole = self.with_unwritten(&given, &value);
        let json = whole.to_string();
        if json.len() > MAX_BYTES {
            return Err(ParamsError::TooLarge { pipeline: self.pipeline, bytes: json.len() });
        }
        // A value that is nested too deeply can be written but not read again.
        serde_json::from_str::<Value>(&json).map_err(|error| self.invalid(error.to_string()))?;
        let fields = Fields::new(&context, &whole);
        Ok(Complete { params, whole, given, fields })
    }

    /// Reads params that a user gives. If the type does not determine how a text is read, or that an object is an enum, all
    /// possibilities are tried.
    fn read_either_way(&self, tree: &Node, json: &Value, texts: &[(String, String)]) -> Result<(P, ReadContext), ParamsError> {
        let with = |flipped, only_given| ReadContext { is_strict: true, flipped, only_given, ..ReadContext::default() };
        let (error, context) = match self.read_with(tree, with(BTreeSet::new(), false)) {
            (Ok(params), context) => return Ok((params, context)),
            // Formatted now, because the next read forgets whether a secret was refused.
            (Err(error), context) => (self.error(&error), context),
        };
        let ambiguous = context.ambiguous.into_inner();
        // Each text separately: together there would be one combination for every subset of them.
        let fits_flipped = |id: &usize| {
            let Some(text) = texts.get(*id) else { return false };
            let alone = tree_of(&Value::Null, *id, text);
            let fits = |flipped| self.read(&alone, with(flipped, false)).is_ok();
            !fits(BTreeSet::new()) && fits(BTreeSet::from([*id]))
        };
        let flipped: BTreeSet<usize> = ambiguous.into_iter().filter(fits_flipped).collect();
        if !flipped.is_empty()
            && let Ok(read) = self.read(tree, with(flipped.clone(), false))
        {
            return Ok(read);
        }
        if context.has_open_object.get()
            && let Ok(read) = self.read(tree, with(flipped, true))
        {
            return Ok(read);
        }
        let error = match error {
            // Serde does not report which field of a flattened struct is wrong: it is the one that is refused even alone.
            ParamsError::Invalid { param: None, pipeline, type_name, reason } => {
                let does_not_fit = |tree: &Node| self.read(tree, with(BTreeSet::new(), false)).is_err();
                let of_json = json.as_object().into_iter().flatten();
                let keys = of_json.map(|(key, value)| (key, Node::of_json(&serde_json::json!({ key: value }), true)));
                let of_texts = (0..).zip(texts).map(|(id, text)| (&text.0, tree_of(&Value::Null, id, text)));
                let param = keys.chain(of_texts).find(|(_, alone)| does_not_fit(alone)).map(|(key, _)| key.clone());
                ParamsError::Invalid { param, pipeline, type_name, reason }
            }
            error => error,
        };
        Err(match error {
            ParamsError::Invalid { param: Some(param), pipeline, .. }
                if self.is_of_secrets(tree, &param, &context.structs.borrow()) =>
            {
                ParamsError::BareSecret { pipeline, param: Some(param) }
            }
            error => error,
        })
    }

    /// True if a param that does not fit is where secrets belong, such as a list of them, and so may be a secret's value. With
    /// the wrong shape, serde never gets to the secret, and so nothing reports the refusal. The read is therefore repeated with
    /// the param in shapes that could hold secrets.
    fn is_of_secrets(&self, tree: &Node, param: &str, structs: &BTreeMap<String, &'static [&'static str]>) -> bool {
        let Some(node) = tree.at(param).map(|entry| &entry.node) else { return false };
        let fields = structs.get(param).copied().unwrap_or_default();
        node.within(fields).into_iter().any(|tried| {
            let mut tree = tree.clone();
            tree.replace(param, tried);
            let context = ReadContext { is_strict: true, ..ReadContext::default() };
            self.read(&tree, context).is_err() && secret::was_refused()
        })
    }

    fn read(&self, tree: &Node, context: ReadContext) -> Result<(P, ReadContext), Error> {
        let (read, context) = self.read_with(tree, context);
        Ok((read?, context))
    }

    fn read_with(&self, tree: &Node, context: ReadContext) -> (Result<P, Error>, ReadContext) {
        let is_given = context.is_strict;
        // Defaults to leave out: the field was given by another name, and serde would report its default as a duplicate.
        let mut without = BTreeSet::new();
        loop {
            let mut tree = tree.clone();
            match &mut tree {
                Node::Scalar(Value::Null) => tree = Node::of_json(&self.defaults, false),
                tree => tree.fill(&self.defaults, is_given, &without),
            }
            secret::forget_refusal();
            let error = match serde_path_to_error::deserialize(Reader::new(&tree, &context)) {
                Ok(params) => return (Ok(params), context),
                Err(error) => error,
            };
            let Failure::Duplicate(field) = error.inner() else { return (Err(error), context) };
            let path = join(&path(&error).unwrap_or_default(), field);
            let is_default = tree.at(&path).is_some_and(|entry| !entry.is_given);
            if !is_default || !without.insert(path) {
                return (Err(error), context);
            }
        }
    }

    fn error(&self, error: &Error) -> ParamsError {
        let (pipeline, type_name, param) = (self.pipeline, std::any::type_name::<P>(), path(error));
        match error.inner() {
            _ if secret::was_refused() => ParamsError::BareSecret { pipeline, param },
            Failure::Unknown { key, known } => {
                let hint = hint(param.as_deref(), known.iter().map(String::as_str));
                ParamsError::Unknown { pipeline, key: join(&param.unwrap_or_default(), key), hint }
            }
            failure => ParamsError::Invalid { pipeline, type_name, param, reason: failure.to_string() },
        }
    }

    /// For a type that is not a plain struct, such as one with a flattened field, serde ignores unknown keys.
    fn refuse_unknown(&self, given: &Value, value: &Value, context: &ReadContext) -> Result<(), ParamsError> {
        let (Value::Object(given), Value::Object(value), Value::Object(defaults)) = (given, value, &self.defaults) else {
            return Ok(());
        };
        if context.structs.borrow().contains_key("") {
            return Ok(());
        }
        let is_written = |key: &String| value.contains_key(key) || defaults.contains_key(key);
        match given.keys().find(|key| !is_written(key) && !self.is_read(given, key)) {
            Some(key) => {
                let hint = hint(None, value.keys().map(String::as_str));
                Err(ParamsError::Unknown { pipeline: self.pipeline, key: key.clone(), hint })
            }
            None => Ok(()),
        }
    }

    /// True if the type reads that key although it does not write it: then some value for it is refused or changes the result.
    fn is_read(&self, given: &serde_json::Map<String, Value>, key: &str) -> bool {
        let with = |probe: Option<Value>| {
            let mut given = given.clone();
            match probe {
                Some(probe) => given.insert(key.to_owned(), probe),
                None => given.remove(key),
            };
            let context = ReadContext { is_strict: true, ..ReadContext::default() };
            let (params, _) = self.read(&Node::of_json(&Value::Object(given), true), context).ok()?;
            serde_json::to_value(&params).ok()
        };
        let without = with(None);
        let probes = [
            Value::Null,
            Value::Bool(true),
            7.into(),
            "\u{1}".into(),
            serde_json::json!([[]]),
            serde_json::json!({ "\u{1}": {} }),
        ];
        probes.into_iter().any(|probe| with(Some(probe)) != without)
    }

    /// Adds to the value's own JSON the given fields that it does not write.
    fn with_unwritten(&self, given: &Value, value: &Value) -> Value {
        let mut whole = value.clone();
        for (path, unwritten) in unwritten(given, value) {
            let Some((key, around)) = path.split_last() else { continue };
            let mut with = whole.clone();
            let parent = around.iter().try_fold(&mut with, |value, key| value.get_mut(key));
            let Some(Value::Object(parent)) = parent else { continue };
            parent.insert(key.clone(), unwritten);
            // A second name of a field that is written would be a duplicate.
            if self.reads_as(&with, value) {
                whole = with;
            }
        }
        whole
    }

    /// True if the stored params are read as a value with that JSON.
    fn reads_as(&self, kept: &Value, value: &Value) -> bool {
        let mut tree = Node::of_json(kept, true);
        tree.fill(&self.defaults, false, &BTreeSet::new());
        let context = ReadContext::default();
        let params: Result<P, Error> = serde_path_to_error::deserialize(Reader::new(&tree, &context));
        params.is_ok_and(|params| serde_json::to_value(&params).is_ok_and(|written| written == *value))
    }
}

fn invalid_whole<P>(pipeline: &'static str, reason: String) -> ParamsError {
    ParamsError::Invalid { pipeline, type_name: std::any::type_name::<P>(), param: None, reason }
}

/// JSON with texts on top, which are numbered.
fn tree<'a>(json: &Value, texts: impl Iterator<Item = (usize, &'a (String, String))>) -> Node {
    let mut tree = Node::of_json(json, true);
    for (id, (key, text)) in texts {
        tree.set(key, id, text);
    }
    tree
}

fn tree_of(json: &Value, id: usize, text: &(String, String)) -> Node {
    tree(json, std::iter::once((id, text)))
}

/// The path in the params; `None` for the params as a whole.
fn path(error: &Error) -> Option<String> {
    let path = error.path().to_string();
    (path != ".").then_some(path)
}

/// What is in `given` but not in `value`, with its path. If an object lacks a key, the key's whole value is returned.
fn unwritten(given: &Value, value: &Value) -> Vec<(Vec<String>, Value)> {
    let (Value::Object(given), Value::Object(value)) = (given, value) else { return Vec::new() };
    let mut found = Vec::new();
    for (key, given) in given {
        match value.get(key) {
            Some(value) => found.extend(unwritten(given, value).into_iter().map(|(mut path, value)| {
                path.insert(0, key.clone());
                (path, value)
            })),
            None => found.push((vec![key.clone()], given.clone())),
        }
    }
    found
}

/// A hint that lists the keys that exist.
fn hint<'a>(of: Option<&str>, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.sort();
    let who = of.map_or_else(|| "it".to_owned(), |of| format!("`{of}`"));
    if names.is_empty() { format!("{who} takes none") } else { format!("{who} takes {}", names.join(", ")) }
}

#[cfg(test)]
mod tests;
