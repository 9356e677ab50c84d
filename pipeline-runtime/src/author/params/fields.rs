//! The names that a pipeline's params have, as far as their type tells.

use super::reader::Seen;
use super::tree::join;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of each struct in the params. What is a map, or is flattened, may have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    structs: BTreeMap<String, BTreeSet<String>>,
    secrets: BTreeSet<String>,
}

/// What is wrong with a name such as `params.of.region`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WrongName {
    /// There is no such param.
    Unknown {
        /// The part that is wrong, with those around it: `of.regoin`.
        name: String,
        /// Those that there are instead.
        known: Vec<String>,
    },
    /// It is a secret.
    Secret {
        /// The param.
        name: String,
    },
}

impl Fields {
    /// Those of a pipeline without an argument.
    pub(crate) fn none() -> Self {
        Self { structs: BTreeMap::from([(String::new(), BTreeSet::new())]), secrets: BTreeSet::new() }
    }

    pub(super) fn new(seen: &Seen, whole: &Value) -> Self {
        let written = |path: &str| {
            let mut keys = path.split('.').filter(|key| !key.is_empty());
            let object = keys.try_fold(whole, |value, key| value.get(key)).and_then(Value::as_object);
            object.into_iter().flat_map(|object| object.keys().cloned()).collect::<Vec<_>>()
        };
        let structs = seen.structs.borrow();
        let fields = structs.iter().map(|(path, read)| {
            // A field may be written by another name than it is read by.
            let names = read.iter().map(|&name| name.to_owned()).chain(written(path));
            (path.clone(), names.collect())
        });
        Self { structs: fields.collect(), secrets: seen.secrets.borrow().clone() }
    }

    /// What is wrong with the name of a param, without `params.` before it.
    pub(crate) fn wrong(&self, name: &str) -> Option<WrongName> {
        let mut path = String::new();
        for part in name.split('.') {
            let known = self.structs.get(&path)?;
            path = join(&path, part);
            if !known.contains(part) {
                return Some(WrongName::Unknown { name: path, known: known.iter().cloned().collect() });
            }
            if self.secrets.contains(&path) {
                return Some(WrongName::Secret { name: path });
            }
        }
        None
    }
}
