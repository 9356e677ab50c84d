//! Secrets: references to values that are excluded from everything that is recorded or shown.
//!
//! # Why a secret is not `Unpin`
//!
//! A task's output is written to the journal, so no output may contain a secret. `Serialize` cannot detect one: params contain
//! secrets, too, and are written as references. An auto trait can, since it covers every field: a `Secret` is the one type here
//! that is not `Unpin`, and [`Storable`](super::value::Storable), which each output must be, requires `Unpin`. `Box` and `Arc`
//! are `Unpin` whatever they contain; for those, [`as_output`] makes the `Serialize` of a secret fail.

use super::redaction;
use super::start_folder::from_start;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::Cell;
use std::env::VarError;
use std::fmt;
use std::io::Read;
use std::marker::PhantomPinned;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name by which the deserializer of params recognizes a secret.
pub(crate) const TYPE_NAME: &str = "$pipeline_runtime::Secret";

/// The maximum size of a value in a file.
const MAX_BYTES: u64 = 64 << 10;

/// A reference to a secret value: an environment variable or a file. Only a task that takes the secret as a parameter gets the
/// value.
///
/// The value is read when an attempt starts, so a new value needs no restart. A file that is slow to read delays only its own
/// attempt, whose timeout already runs. Without a value the node fails at once, without a retry, and the error names the secret.
/// `check --env` lists the secrets that have no value, and `serve` warns about them when it starts.
///
/// ```
/// use pipeline_runtime::prelude::*;
/// use pipeline_runtime::Simulation;
///
/// static KEY: Secret = Secret::env("PORTAL_KEY");
///
/// #[task]
/// async fn fetch(key: Secret) -> Result<usize> {
///     let header = format!("Bearer {}", key.expose());
///     Ok(header.len())
/// }
///
/// #[pipeline]
/// fn nightly() { fetch(&KEY); }
///
/// let report = Simulation::new(nightly()).secret(&KEY, "s3cr3t").run();
/// assert_eq!(report.output::<usize>("fetch"), Some(13));
/// ```
///
/// # In params
///
/// A field of a pipeline's [`Params`](crate::Params) may be a `Secret`. It is stored and shown as the reference that it is,
/// `env:NAME` or `file:PATH`, and set by `--param token=env:NAME`; a value instead of a reference is refused. `Secret::default()`
/// refers to nothing, and is `null` in JSON.
///
/// # How the value is protected
///
/// - `Debug` and `Serialize` show the reference, and there is no `Display`.
/// - Only an input of type `Secret`, `Option<Secret>` or `Vec<Secret>` takes one; no template and no output may contain one.
/// - A value that was read is replaced by `***` in log lines, errors, reasons of skips and notifications. So are its lines, if it
///   has several. A value of less than 4 bytes is not replaced, because it would occur in every text.
///
/// A body is responsible for the exposed text: a value that it returns, remembers or prints itself is not redacted.
#[derive(Clone)]
pub struct Secret {
    source: Source,
    /// Set once the value was read.
    value: Option<Arc<str>>,
    _no_output: PhantomPinned,
}

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Nothing,
    Env(Cow<'static, str>),
    File(Cow<'static, str>),
    #[cfg(feature = "airflow")]
    Airflow(Cow<'static, str>),
    Test,
}

/// Why a secret has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{reference}` {reason}")]
pub(crate) struct NoValue {
    reference: String,
    reason: String,
}

impl Secret {
    /// The value of the environment variable.
    pub const fn env(variable: &'static str) -> Self {
        Self::of(Source::Env(Cow::Borrowed(variable)))
    }

    /// The content of the file, at most 64 KiB. A line break at its end is not part of the value. A relative path starts at the
    /// current folder when the process created its first pipeline: a body that changes the folder does not affect it.
    pub const fn file(path: &'static str) -> Self {
        Self::of(Source::File(Cow::Borrowed(path)))
    }

    /// The password of an Airflow connection. If Airflow runs the task, the password comes from Airflow, with whatever secrets
    /// backends it has, and Airflow excludes it from its own logs. Otherwise it comes from the environment variable
    /// `AIRFLOW_CONN_ID`, where Airflow also looks for a connection: a URL, `postgres://login:password@host`, or JSON.
    ///
    /// ```
    /// use pipeline_runtime::prelude::*;
    ///
    /// static WAREHOUSE: Secret = Secret::airflow("warehouse");
    ///
    /// #[task] async fn load(password: Secret) -> Result<usize> { Ok(password.expose().len()) }
    /// #[pipeline] fn nightly() { load(&WAREHOUSE); }
    /// assert_eq!(WAREHOUSE.reference(), "airflow:warehouse");
    /// # nightly().check().unwrap();
    /// ```
    #[cfg(feature = "airflow")]
    pub const fn airflow(connection: &'static str) -> Self {
        Self::of(Source::Airflow(Cow::Borrowed(connection)))
    }

    /// A secret with this value, for tests of a body: `fetch::call(Secret::for_test("s3cr3t"))`.
    pub fn for_test(value: &str) -> Self {
        Self { value: Some(value.into()), ..Self::of(Source::Test) }
    }

    const fn of(source: Source) -> Self {
        Self { source, value: None, _no_output: PhantomPinned }
    }

    /// The value.
    ///
    /// # Panics
    ///
    /// If the value was not read. It is read for a task's parameter of the type `Secret`, `Option<Secret>` or `Vec<Secret>`. Pass
    /// a secret as an input of its own, not within another value, and do not expose one where a pipeline is wired.
    pub fn expose(&self) -> &str {
        match &self.value {
            Some(value) => value,
            None => panic!(
                "the secret `{}` was not read: that happens only if it is a task's parameter itself, `Secret`, `Option<Secret>` or \
                 `Vec<Secret>`, and not a part of another value",
                self.reference()
            ),
        }
    }

    /// The place of the value: `env:NAME` or `file:PATH`. If the secret refers to nothing, `unset`.
    pub fn reference(&self) -> Cow<'static, str> {
        match &self.source {
            Source::Nothing => "unset".into(),
            Source::Env(variable) => format!("env:{variable}").into(),
            Source::File(path) => format!("file:{path}").into(),
            #[cfg(feature = "airflow")]
            Source::Airflow(connection) => format!("airflow:{connection}").into(),
            Source::Test => "test".into(),
        }
    }

    /// True if reading it may wait for something outside of the process.
    pub(crate) fn may_wait(&self) -> bool {
        #[cfg(feature = "airflow")]
        if let (None, Source::Airflow(_)) = (&self.value, &self.source) {
            return true;
        }
        self.file_to_read().is_some()
    }

    /// The file that is still to be read. That takes as long as the file system, or the writer of a pipe, needs.
    pub(crate) fn file_to_read(&self) -> Option<PathBuf> {
        match (&self.value, &self.source) {
            (None, Source::File(path)) => Some(from_start(Path::new(&**path))),
            _ => None,
        }
    }

    /// An error that says why the secret has no value.
    pub(crate) fn no_value(&self, reason: &str) -> NoValue {
        NoValue { reference: self.reference().into_owned(), reason: reason.to_owned() }
    }

    /// True if its value was read.
    pub(crate) fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// The secret with its value, which is redacted in texts from now on.
    pub(crate) fn read(&self) -> Result<Self, NoValue> {
        let no_value = |reason: &str| self.no_value(reason);
        let value: Arc<str> = match (&self.value, &self.source) {
            (Some(value), _) => Arc::clone(value),
            (None, Source::Nothing | Source::Test) => {
                return Err(no_value("has no value: give `env:NAME` or `file:PATH` as a reference to it"));
            }
            (None, Source::Env(variable)) => match std::env::var(&**variable) {
                Ok(value) => value.into(),
                Err(VarError::NotPresent) => {
                    return Err(no_value(&format!("has no value: set the environment variable {variable}")));
                }
                // The error itself is left out, because it shows the value.
                Err(VarError::NotUnicode(_)) => return Err(no_value("is not UTF-8 text")),
            },
            (None, Source::File(path)) => from_file(path).map_err(|reason| no_value(&reason))?,
            #[cfg(feature = "airflow")]
            (None, Source::Airflow(connection)) => super::connection::password(connection).map_err(|reason| no_value(&reason))?,
        };
        if value.is_empty() {
            return Err(no_value("is empty"));
        }
        redaction::hide(&value);
        Ok(self.with(value))
    }

    pub(crate) fn with(&self, value: Arc<str>) -> Self {
        Self { source: self.source.clone(), value: Some(value), _no_output: PhantomPinned }
    }

    /// Reads a reference.
    fn parse(text: &str) -> Option<Self> {
        let source = match text.split_once(':')? {
            ("env", name) if !name.is_empty() && !name.contains(['=', '\0']) => Source::Env(name.to_owned().into()),
            #[cfg(feature = "airflow")]
            ("airflow", connection) if !connection.is_empty() => Source::Airflow(connection.to_owned().into()),
            ("file", path) if !path.is_empty() && !path.contains('\0') => Source::File(path.to_owned().into()),
            _ => return None,
        };
        Some(Self::of(source))
    }
}

fn from_file(path: &str) -> Result<Arc<str>, String> {
    let mut text = String::new();
    let read =
        std::fs::File::open(from_start(Path::new(path))).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    // The error does not contain the value: for bytes that are not UTF-8 it says just that.
    read.map_err(|error| format!("has no value: the file cannot be read: {error}"))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("has more than {} KiB, which is the limit", MAX_BYTES >> 10));
    }
    let value = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(value.into())
}

/// A secret that refers to nothing.
impl Default for Secret {
    fn default() -> Self {
        Self::of(Source::Nothing)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference())
    }
}

/// True if both refer to the same place.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && (self.source != Source::Test || self.value == other.value)
    }
}

impl Eq for Secret {}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if IS_OUTPUT.get() {
            return Err(S::Error::custom(
                "it holds a `Secret`, which is not passed on: give the tasks that need it the secret as an input of their own",
            ));
        }
        match self.source {
            Source::Nothing => serializer.serialize_none(),
            Source::Test => Err(S::Error::custom("a `Secret::for_test` has no reference that could be written")),
            #[cfg(feature = "airflow")]
            Source::Airflow(_) => serializer.serialize_str(&self.reference()),
            Source::Env(_) | Source::File(_) => serializer.serialize_str(&self.reference()),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reference;
        impl<'de> Visitor<'de> for Reference {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reference to a secret, such as `env:NAME`")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Secret, D::Error> {
                // The input may be a secret value, which serde's own error would show.
                let refused = || {
                    WAS_REFUSED.set(true);
                    D::Error::custom("a secret is given by a reference, `env:NAME` or `file:PATH`, and not by its value")
                };
                match Option::<String>::deserialize(deserializer).map_err(|_| refused())? {
                    None => Ok(Secret::default()),
                    Some(text) => Secret::parse(&text).ok_or_else(refused),
                }
            }
        }
        deserializer.deserialize_newtype_struct(TYPE_NAME, Reference)
    }
}

thread_local! {
    static WAS_REFUSED: Cell<bool> = const { Cell::new(false) };
    static IS_OUTPUT: Cell<bool> = const { Cell::new(false) };
}

/// Forgets earlier refusals.
pub(crate) fn forget_refusal() {
    WAS_REFUSED.set(false);
}

/// True if something that is not a reference was read as a secret. The error says so, too, but serde may replace it, as it does
/// for an untagged enum.
pub(crate) fn was_refused() -> bool {
    WAS_REFUSED.get()
}

/// Makes the `Serialize` of a secret fail during `work`, which writes a task's output.
pub(crate) fn as_output<R>(work: impl FnOnce() -> R) -> R {
    /// Restores the flag, also if `work` panics.
    struct Output(bool);
    impl Drop for Output {
        fn drop(&mut self) {
            IS_OUTPUT.set(self.0);
        }
    }
    let _output = Output(IS_OUTPUT.replace(true));
    work()
}

/// The secrets of one parameter.
#[derive(Debug, Clone)]
pub(crate) enum Secrets {
    One(Secret),
    Optional(Option<Secret>),
    Many(Vec<Secret>),
}

impl Secrets {
    /// Converts a plain input, if it is of one of these types.
    pub(crate) fn of(value: Box<dyn std::any::Any>) -> Result<Self, Box<dyn std::any::Any>> {
        let value = match value.downcast::<Secret>() {
            Ok(secret) => return Ok(Self::One(*secret)),
            Err(value) => value,
        };
        let value = match value.downcast::<Option<Secret>>() {
            Ok(secret) => return Ok(Self::Optional(*secret)),
            Err(value) => value,
        };
        value.downcast::<Vec<Secret>>().map(|secrets| Self::Many(*secrets))
    }

    /// All of the secrets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        let all = match self {
            Self::One(secret) => std::slice::from_ref(secret),
            Self::Optional(secret) => secret.as_slice(),
            Self::Many(secrets) => secrets,
        };
        all.iter()
    }

    /// The same secrets with their values.
    pub(crate) fn read<E>(&self, read: impl Fn(&Secret) -> Result<Secret, E>) -> Result<Self, E> {
        Ok(match self {
            Self::One(secret) => Self::One(read(secret)?),
            Self::Optional(secret) => Self::Optional(secret.as_ref().map(read).transpose()?),
            Self::Many(secrets) => Self::Many(secrets.iter().map(read).collect::<Result<_, _>>()?),
        })
    }

    /// Clones them into `slot`, which must be an `Option` of the parameter's type.
    pub(crate) fn fill(&self, slot: &mut dyn std::any::Any) {
        fn put<T: Clone + 'static>(slot: &mut dyn std::any::Any, value: &T) {
            if let Some(slot) = slot.downcast_mut::<Option<T>>() {
                *slot = Some(value.clone());
            }
        }
        match self {
            Self::One(secret) => put(slot, secret),
            Self::Optional(secret) => put(slot, secret),
            Self::Many(secrets) => put(slot, secrets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_json_shows_a_value() {
        let secret = Secret::env("KEY").with("s3cr3t".into());
        assert_eq!(secret.expose(), "s3cr3t");
        assert_eq!(format!("{secret:?} {:?}", Secret::for_test("s3cr3t")), "Secret(env:KEY) Secret(test)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"env:KEY\"");
        assert_eq!(serde_json::to_string(&Secret::default()).unwrap(), "null");
        serde_json::to_string(&Secret::for_test("s3cr3t")).unwrap_err();
    }

    #[test]
    fn a_reference_is_read_back_and_a_value_is_not_repeated() {
        for secret in [Secret::env("KEY"), Secret::file("/run/secrets/key"), Secret::default()] {
            let json = serde_json::to_string(&secret).unwrap();
            assert_eq!(serde_json::from_str::<Secret>(&json).unwrap(), secret);
        }
        for value in ["\"s3cr3t\"", "\"env:\"", "73331", "[73331]", "\"file:\""] {
            let error = serde_json::from_str::<Secret>(value).unwrap_err().to_string();
            assert!(error.starts_with("a secret is given by a reference, `env:NAME` or `file:PATH`"), "{value}: {error}");
        }
    }

    #[test]
    fn a_file_holds_its_value_without_the_line_break_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let secret = Secret::parse(&format!("file:{}", path.display())).unwrap();
            secret.read().map(|secret| secret.expose().to_owned()).map_err(|error| error.reason)
        };
        assert_eq!(read(b"of-a-file\n").unwrap(), "of-a-file");
        assert_eq!(read(b"of-a-file\r\n").unwrap(), "of-a-file");
        assert_eq!(read(b"two\nlines\n").unwrap(), "two\nlines");
        assert_eq!(read(b"\n").unwrap_err(), "is empty");
        assert!(read(b"\xff").unwrap_err().contains("cannot be read"), "{:?}", read(b"\xff"));
        let longest = usize::try_from(MAX_BYTES).unwrap();
        assert_eq!(read(&vec![b'~'; longest + 1]).unwrap_err(), "has more than 64 KiB, which is the limit");
        assert_eq!(read(&vec![b'~'; longest]).unwrap().len(), longest);
    }

    #[test]
    fn a_missing_value_names_where_it_should_stand() {
        let error = Secret::env("NOBODY_SETS_THIS").read().unwrap_err().to_string();
        assert_eq!(error, "the secret `env:NOBODY_SETS_THIS` has no value: set the environment variable NOBODY_SETS_THIS");
        let error = Secret::file("/nowhere/key").read().unwrap_err().to_string();
        assert!(error.starts_with("the secret `file:/nowhere/key` has no value: the file cannot be read: "), "{error}");
        let error = Secret::default().read().unwrap_err().to_string();
        assert!(error.starts_with("the secret `unset` has no value: give `env:NAME`"), "{error}");
    }
}
