//! Settings: values that have a default in the code, and that can be changed without a deployment.
//!
//! # Why a setting is identified by its name
//!
//! As with an asset, the values are recorded in the journal, which outlives the code. `plan/settings.rs` checks, over all
//! pipelines of a binary, that two settings with the same name have the same type and default.

use super::bounded::Unwritten;
use super::draft::{self, SourceLocation};
use super::input::{Input, IntoInput, Source, cloned};
use super::pipeline::panic_message;
use super::value::{Codec, Data, Value};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

/// A value that can be changed without a deployment, such as a limit: a name, a type, and a default.
///
/// A task takes it as an input. `settings set limit=200` changes it for the runs that start from then on: a run keeps the values
/// that it started with, through all its retries and restarts. `settings unset limit` restores the default, and `settings` lists
/// all settings.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Simulation;
///
/// /// The maximum number of rows that are read.
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
/// In Airflow this is a `Variable`. Unlike that, a setting has a type and a default, and is read when the run starts, not
/// whenever a task or the parsing of a file reads it. A value has at most 64 KiB as JSON. For confidential values use a
/// [`Secret`](crate::Secret): a setting's value is recorded and shown.
pub struct Setting<T> {
    name: &'static str,
    default: DefaultOf<T>,
    at: SourceLocation,
}

enum DefaultOf<T> {
    Value(T),
    Made(fn() -> T),
}

impl<T: Data> Setting<T> {
    /// A setting with that name, which is its identity. A name may contain what an id may: letters, digits, `_`, `.` and `-`.
    #[track_caller]
    pub const fn new(name: &'static str, default: T) -> Self {
        Self { name, default: DefaultOf::Value(default), at: Location::caller() }
    }

    /// Like [`new`](Self::new), with a default that cannot be a constant, such as a `String`.
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

    /// The default: the value in every run that starts while nothing else is set.
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

/// A setting with its type erased.
pub(crate) trait AnySetting: fmt::Debug + Sync {
    fn name(&self) -> &'static str;
    /// Where it is declared.
    fn at(&self) -> SourceLocation;
    fn codec(&self) -> &'static Codec;
    /// The default, which the user's code creates.
    fn default_value(&self) -> Value;
}

impl<T: Data> AnySetting for Setting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn at(&self) -> SourceLocation {
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

/// A new value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SettingInput {
    /// A text from the command line.
    Text(String),
    Json(serde_json::Value),
    Default,
}

impl SettingInput {
    /// The value to record, or `None` for the default. Journals and simulations use the same rules.
    ///
    /// # Errors
    ///
    /// Why this cannot be the setting's value, as a message.
    pub(crate) fn value_for(&self, setting: &'static dyn AnySetting) -> Result<Option<serde_json::Value>, String> {
        let value = match self {
            Self::Text(text) => parse(setting, text)?,
            Self::Json(value) => must_be_of(setting, value.clone())?,
            Self::Default => return Ok(None),
        };
        if value.to_string().len() > MAX_BYTES { Err(too_large()) } else { Ok(Some(value)) }
    }
}

/// The values of settings that a run started with, by name.
pub(crate) type SettingValues = serde_json::Map<String, serde_json::Value>;

/// The setting's value in a run: the one that the run started with, or the default.
///
/// # Errors
///
/// Why there is no value, as a message: the code has changed since, or is faulty.
pub(crate) fn value_in(values: &SettingValues, setting: &'static dyn AnySetting) -> Result<Value, String> {
    let Some(json) = values.get(setting.name()) else { return default_of(setting) };
    read(setting, json).map_err(|error| {
        let (name, type_name) = (setting.name(), (setting.codec().type_name)());
        format!("this run has started with the setting `{name}` as {json}, which is not a `{type_name}`: {error}")
    })
}

/// The default, or why the user's code failed to create it.
pub(crate) fn default_of(setting: &'static dyn AnySetting) -> Result<Value, String> {
    let panicked = |panic: Box<dyn Any + Send>| {
        format!("the default of the setting `{}` cannot be made: it panicked: {}", setting.name(), panic_message(&*panic))
    };
    catch_unwind(AssertUnwindSafe(|| setting.default_value())).map_err(panicked)
}

/// The default as the JSON that is recorded.
pub(crate) fn default_json(setting: &'static dyn AnySetting) -> Result<serde_json::Value, String> {
    as_json(&default_of(setting)?)
}

/// Reads a value of a setting's type.
pub(crate) fn read(setting: &'static dyn AnySetting, json: &serde_json::Value) -> Result<Value, String> {
    // Plain JSON can always be written.
    setting.codec().read(&serde_json::to_vec(json).unwrap_or_default())
}

/// The maximum size of a value as JSON: each run that takes the setting stores it.
const MAX_BYTES: usize = 64 << 10;

/// The message for a value that is too large.
fn too_large() -> String {
    format!(
        "it has more than {} KiB as JSON, which is the limit: put what is large in a bucket, and set its key",
        MAX_BYTES >> 10
    )
}

/// A value as the JSON that is recorded.
pub(crate) fn as_json(value: &Value) -> Result<serde_json::Value, String> {
    let json = value.encode(MAX_BYTES).map_err(|error| match error {
        Unwritten::TooLarge => too_large(),
        Unwritten::Json(error) => error.to_string(),
    })?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// Reads a setting's value from the command line: as a text, or if its type does not accept that, as JSON, like params.
fn parse(setting: &'static dyn AnySetting, text: &str) -> Result<serde_json::Value, String> {
    let as_text = serde_json::Value::from(text);
    let Err(why_no_text) = read(setting, &as_text) else { return Ok(as_text) };
    let Ok(json) = serde_json::from_str(text) else {
        return Err(format!("{text:?} is not a `{}`: {why_no_text}", setting.codec().shown()));
    };
    must_be_of(setting, json)
}

/// Returns the value if the setting's type accepts it.
fn must_be_of(setting: &'static dyn AnySetting, json: serde_json::Value) -> Result<serde_json::Value, String> {
    match read(setting, &json) {
        Ok(_) => Ok(json),
        Err(why) => Err(format!("{json} is not a `{}`: {why}", setting.codec().shown())),
    }
}
