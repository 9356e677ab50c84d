//! Assets: data that one pipeline produces, and that others wait for and read.
//!
//! # Why an asset is identified by its name
//!
//! A journal outlives the code, and `static`s have no stable address, so the name is the identity. `plan/cross_check.rs` checks,
//! over all pipelines of a binary, that two assets with the same name have the same type.

use super::body::{AttemptResult, Body, Inputs, Produced, Started};
use super::call::call;
use super::context::RunUpdate;
use super::definition::{Definition, Kind, Task};
use super::draft::{self, SourceLocation};
use super::error::TaskError;
use super::node::Node;
use super::options::TaskOptions;
use super::value::{Codec, Data};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// Data that one pipeline produces and others need, such as a table: a name, and the type of the value that describes each new
/// version.
///
/// A node [updates](Node::updates) it when it succeeds. A pipeline with `when = all(VISITS)` starts a run for updates, and
/// [`VISITS.latest()`](Asset::latest) is the value of the update that triggered the run.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::{RunState, Simulation};
///
/// #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Manifest {
///     folder: String,
///     rows: u64,
/// }
///
/// /// The day's visits.
/// static VISITS: Asset<Manifest> = Asset::new("visits");
///
/// #[task]
/// async fn export(folder: String) -> Result<Manifest> {
///     Ok(Manifest { folder, rows: 7 })
/// }
///
/// #[pipeline(schedule = "@daily", start = "2026-01-01")]
/// fn visits_export() {
///     export(template!("visits/{{ ds }}")).updates(&VISITS);
/// }
///
/// #[task]
/// async fn build(visits: Manifest) -> Result<u64> {
///     Ok(visits.rows)
/// }
///
/// #[pipeline(when = all(VISITS))]
/// fn visits_model() {
///     build(VISITS.latest());
/// }
///
/// let manifest = Manifest { folder: "visits/2026-01-01".into(), rows: 7 };
/// let report = Simulation::new(visits_model()).updated("3m", &VISITS, manifest).run();
/// assert_eq!(report.state(), RunState::Success);
/// assert_eq!(report.output::<u64>("build"), Some(7));
/// # visits_export().check().unwrap();
/// ```
pub struct Asset<T> {
    spec: AssetSpec,
    value: PhantomData<fn() -> T>,
}

/// An asset with its type erased.
#[derive(Debug)]
pub(crate) struct AssetSpec {
    pub(crate) name: &'static str,
    pub(crate) codec: &'static Codec,
    /// True if it is also updated from outside of the binary.
    pub(crate) is_external: bool,
    /// Where it is declared.
    pub(crate) at: SourceLocation,
    /// The definition of the node that reads it.
    definition: Definition,
}

impl<T> fmt::Debug for Asset<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asset").field(&self.spec.name).finish()
    }
}

impl<T: Data> Asset<T> {
    /// An asset with that name, which is its identity. A name may contain what an id may: letters, digits, `_`, `.` and `-`.
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self::with(name, false)
    }

    /// An asset that is also updated from outside of the binary, by `assets update NAME --value JSON`. For any other asset,
    /// `check` requires that some pipeline updates it if one waits for it or reads it.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// /// The key of the vendor's newest file. A program of theirs updates the asset.
    /// static VENDOR_FILE: Asset<String> = Asset::external("vendor_file");
    ///
    /// #[task] async fn load(key: String) -> Result<()> { Ok(()) }
    /// #[pipeline(when = all(VENDOR_FILE))] fn vendor() { load(VENDOR_FILE.latest()); }
    /// # vendor().check().unwrap();
    /// ```
    #[track_caller]
    pub const fn external(name: &'static str) -> Self {
        Self::with(name, true)
    }

    #[track_caller]
    const fn with(name: &'static str, is_external: bool) -> Self {
        // The type's name is not an identity; the codec refuses a value of another type.
        let definition = Definition::of::<Self>(Kind::Task, name, "The newest update of the asset of that name.", "asset");
        let spec = AssetSpec { name, codec: Codec::of::<T>(), is_external, at: Location::caller(), definition };
        Self { spec, value: PhantomData }
    }

    /// The value of an update, as a node with the asset's name. If the pipeline waits for the asset by `when`, it is the update
    /// that triggered the run; otherwise the newest update when the run started. It stays the same for the whole run, whatever
    /// happens meanwhile. If there was no update, the node fails with an error that says so.
    ///
    /// ```
    /// # use pipeline_runtime::prelude::*;
    /// static RATES: Asset<f64> = Asset::external("rates");
    ///
    /// #[task] async fn convert(rate: f64) -> Result<f64> { Ok(100.0 * rate) }
    /// #[pipeline(schedule = "@hourly")] fn report() { convert(RATES.latest()); }
    /// # report().check().unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a pipeline function, naming the asset.
    #[track_caller]
    pub fn latest(&'static self) -> Node<T> {
        Node::new(draft::latest(&self.spec))
    }
}

impl<T> Asset<T> {
    /// The asset's name.
    pub const fn name(&self) -> &'static str {
        self.spec.name
    }

    pub(crate) fn spec(&'static self) -> &'static AssetSpec {
        &self.spec
    }
}

impl AssetSpec {
    /// True if both have the same type.
    pub(crate) fn is_of_type_of(&self, other: &Self) -> bool {
        (self.codec.type_id)() == (other.codec.type_id)()
    }

    pub(crate) fn type_name(&self) -> &'static str {
        (self.codec.type_name)()
    }

    /// The task that reads it.
    pub(crate) fn task(&'static self) -> Task {
        Task {
            definition: &self.definition,
            inputs: Box::default(),
            options: TaskOptions::default(),
            body: Box::new(Latest { asset: self }),
            codec: self.codec,
            compare: None,
            branch: None,
        }
    }
}

/// The body of the node that reads an asset.
#[derive(Debug)]
struct Latest {
    asset: &'static AssetSpec,
}

impl Body for Latest {
    fn start(&self, inputs: &Inputs<'_>) -> Started {
        let result = self.read(inputs.context().update_of(self.asset.name));
        Started::Async(call(std::future::ready(result), None))
    }
}

impl Latest {
    fn read(&self, update: Option<&RunUpdate>) -> AttemptResult {
        let name = self.asset.name;
        let Some(json) = update.and_then(|update| update.json.as_deref()) else {
            return Err(TaskError::fatal(format!("the asset `{name}` had no update when this run began")));
        };
        let refused = |error| {
            let type_name = self.asset.type_name();
            TaskError::fatal(format!("the update of the asset `{name}` that this run reads is not a `{type_name}`: {error}"))
        };
        (self.asset.codec.decode)(json).map(Produced::Value).map_err(refused)
    }
}

/// The updates for which a pipeline starts a run.
#[derive(Debug, Clone)]
pub struct When {
    pub(crate) rule: WhenRule,
    pub(crate) assets: Vec<&'static AssetSpec>,
}

/// How many of the assets must be updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenRule {
    All,
    Any,
}

/// The builder that attributes expand to.
impl When {
    /// `all(..)`: each asset was updated since the last run that updates triggered.
    pub fn all() -> Self {
        Self { rule: WhenRule::All, assets: Vec::new() }
    }

    /// `any(..)`: one of the assets was updated since then.
    pub fn any() -> Self {
        Self { rule: WhenRule::Any, assets: Vec::new() }
    }

    /// Adds an asset.
    pub fn of<T>(mut self, asset: &'static Asset<T>) -> Self {
        self.assets.push(asset.spec());
        self
    }
}

impl When {
    /// The rule and the assets' names as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let names: Vec<&str> = self.assets.iter().map(|asset| asset.name).collect();
        serde_json::json!({ "rule": self.rule.name(), "assets": names })
    }
}

impl WhenRule {
    /// The name as it is written in an attribute.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }

    /// True if the rule holds for assets of which these were updated.
    pub(crate) fn holds(self, mut updated: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::All => updated.all(|is_updated| is_updated),
            Self::Any => updated.any(|is_updated| is_updated),
        }
    }
}

/// As it is written in an attribute, with the assets' names: `all(visits, processes)`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.assets.iter().map(|asset| asset.name).collect();
        write!(f, "{}({})", self.rule.name(), names.join(", "))
    }
}
