//! Settings: values that the code has a default of, and that are changed without a deployment.
//!
//! # Why a setting is known by its name
//!
//! As an asset is: what is set is kept in the journal, which outlives the code. That two settings of one name are of one type and have one
//! default is checked over all pipelines of a binary (`plan/settings`).

use super::bounded::Unwritten;
use super::draft::{self, Place};
use super::input::{Input, IntoInput, Source, cloned};
use super::pipeline::panic_message;
use super::value::{Codec, Data, Value};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

/// A value that somebody may change without a deployment, such as a limit: a name, a type, and a default.
///
/// A task takes it as an input. `settings set limit=200` changes it, for the runs that begin from then on: a run keeps the values that it
/// began with, through all its retries and restarts. `settings unset limit` goes back to the default, and `settings` lists what there is.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Simulation;
///
/// /// So many rows are read at most.
/// static LIMIT: Setting<u64> = Setting::new("limit", 500);
///
/// #[task]
/// async fn read(limit: u64) -> Result<u64> {
///     Ok(limit)
/// }
///
/// #[pipeline]
/// fn nightly() { read(&LIMIT); }
///
/// assert_eq!(Simulation::new(nightly()).run().output::<u64>("read"), Some(500));
/// assert_eq!(Simulation::new(nightly()).setting(&LIMIT, 200).run().output::<u64>("read"), Some(200));
/// ```
///
/// In Airflow it is a `Variable`, but one that has a type and a default, and that is read as the run begins and not whenever a task, or the
/// parsing of a file, happens to look. A value has at most 64 KiB as JSON. What is secret is a [`Secret`](crate::Secret): a setting's value is kept and shown.
pub struct Setting<T> {
    name: &'static str,
    default: DefaultOf<T>,
    at: Place,
}

enum DefaultOf<T> {
    Value(T),
    Made(fn() -> T),
}

impl<T: Data> Setting<T> {
    /// A setting of that name, which is its identity: it has what an id may have, letters, digits, `_`, `.` and `-`.
    #[track_caller]
    pub const fn new(name: &'static str, default: T) -> Self {
        Self { name, default: DefaultOf::Value(default), at: Location::caller() }
    }

    /// The same with a default that no constant can be, such as a `String`.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// static FOLDER: Setting<String> = Setting::from_fn("folder", || "raw/new".to_owned());
    ///
    /// #[task] async fn list(folder: String) -> Result<u64> { Ok(folder.len() as u64) }
    /// #[pipeline] fn nightly() { list(&FOLDER); }
    /// # nightly().check().unwrap();
    /// ```
    #[track_caller]
    pub const fn from_fn(name: &'static str, default: fn() -> T) -> Self {
        Self { name, default: DefaultOf::Made(default), at: Location::caller() }
    }

    /// The default: what a run has unless it was set otherwise as the run began.
    pub fn default_value(&self) -> T {
        match &self.default {
            DefaultOf::Value(value) => value.clone(),
            DefaultOf::Made(make) => make(),
        }
    }
}

impl<T> Setting<T> {
    /// The setting's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> fmt::Debug for Setting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.name).finish()
    }
}

/// A setting, its type erased.
pub(crate) trait AnySetting: fmt::Debug + Sync {
    fn name(&self) -> &'static str;
    /// Where it is declared.
    fn at(&self) -> Place;
    fn codec(&self) -> &'static Codec;
    /// The default, which the user's code makes.
    fn default_value(&self) -> Value;
}

impl<T: Data> AnySetting for Setting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn at(&self) -> Place {
        self.at
    }

    fn codec(&self) -> &'static Codec {
        Codec::of::<T>()
    }

    fn default_value(&self) -> Value {
        Value::new(Self::default_value(self))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Data> IntoInput<T> for &'static Setting<T> {
    fn into_input(self) -> Input {
        draft::reads_setting(self);
        Input(Source::Setting(self), cloned)
    }
}

/// What a setting is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetTo {
    /// What a text says, as the command line gives it.
    Text(String),
    Json(serde_json::Value),
    Default,
}

impl SetTo {
    /// The value as it is kept, or none for the default: the same to whoever sets it, in a journal or in a simulation.
    ///
    /// # Errors
    ///
    /// Why it cannot be that setting's value, in words.
    pub(crate) fn value_for(&self, setting: &'static dyn AnySetting) -> Result<Option<serde_json::Value>, String> {
        let value = match self {
            Self::Text(text) => parse(setting, text)?,
            Self::Json(value) => must_be_of(setting, value.clone())?,
            Self::Default => return Ok(None),
        };
        if value.to_string().len() > MAX_BYTES { Err(too_large()) } else { Ok(Some(value)) }
    }
}

/// The settings' values that a run has begun with, by their names.
pub(crate) type SettingValues = serde_json::Map<String, serde_json::Value>;

/// The value that a run has: that which it began with, else the default.
///
/// # Errors
///
/// Why there is none, in words: code has changed since, or is at fault.
pub(crate) fn value_in(values: &SettingValues, setting: &'static dyn AnySetting) -> Result<Value, String> {
    let Some(json) = values.get(setting.name()) else { return default_of(setting) };
    read(setting, json).map_err(|error| {
        let (name, type_name) = (setting.name(), (setting.codec().type_name)());
        format!("this run has begun with the setting `{name}` as {json}, which is no `{type_name}`: {error}")
    })
}

/// The default, or why the user's code makes none.
pub(crate) fn default_of(setting: &'static dyn AnySetting) -> Result<Value, String> {
    let panicked = |panic: Box<dyn Any + Send>| {
        format!("the default of the setting `{}` cannot be made: it panicked: {}", setting.name(), panic_message(&*panic))
    };
    catch_unwind(AssertUnwindSafe(|| setting.default_value())).map_err(panicked)
}

/// The default as JSON, as it is kept.
pub(crate) fn default_json(setting: &'static dyn AnySetting) -> Result<serde_json::Value, String> {
    as_json(&default_of(setting)?)
}

/// Reads a value of a setting's type.
pub(crate) fn read(setting: &'static dyn AnySetting, json: &serde_json::Value) -> Result<Value, String> {
    // Plain JSON, which can be written.
    setting.codec().read(&serde_json::to_vec(json).unwrap_or_default())
}

/// The largest value, as JSON: each run that takes the setting keeps it.
const MAX_BYTES: usize = 64 << 10;

/// Why a value is too large.
fn too_large() -> String {
    format!(
        "it has more than {} KiB as JSON, which is the limit: put what is large in a bucket, and set its key",
        MAX_BYTES >> 10
    )
}

/// A value as JSON, as it is kept.
pub(crate) fn as_json(value: &Value) -> Result<serde_json::Value, String> {
    let json = value.encode(MAX_BYTES).map_err(|error| match error {
        Unwritten::TooLarge => too_large(),
        Unwritten::Json(error) => error.to_string(),
    })?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// Reads what the command line gives for a setting: as a text, and where that is no value of its type as JSON, as params are.
fn parse(setting: &'static dyn AnySetting, text: &str) -> Result<serde_json::Value, String> {
    let as_text = serde_json::Value::from(text);
    let Err(why_no_text) = read(setting, &as_text) else { return Ok(as_text) };
    let Ok(json) = serde_json::from_str(text) else {
        return Err(format!("{text:?} is no `{}`: {why_no_text}", setting.codec().shown()));
    };
    must_be_of(setting, json)
}

/// The value, if it is one of the setting's type.
fn must_be_of(setting: &'static dyn AnySetting, json: serde_json::Value) -> Result<serde_json::Value, String> {
    match read(setting, &json) {
        Ok(_) => Ok(json),
        Err(why) => Err(format!("{json} is no `{}`: {why}", setting.codec().shown())),
    }
}
