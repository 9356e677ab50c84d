//! The names of a pipeline's params, as far as their type reveals them.

use super::reader::ReadContext;
use super::tree::join;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of each struct in the params. A map, or a flattened struct, may have any fields.
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
        /// The wrong part, prefixed with the enclosing ones: `of.regoin`.
        name: String,
        /// The names that exist there.
        known: Vec<String>,
    },
    /// It is a secret.
    Secret {
        /// The param.
        name: String,
    },
}

impl Fields {
    /// The fields of a pipeline without an argument.
    pub(crate) fn none() -> Self {
        Self { structs: BTreeMap::from([(String::new(), BTreeSet::new())]), secrets: BTreeSet::new() }
    }

    pub(super) fn new(context: &ReadContext, whole: &Value) -> Self {
        let written = |path: &str| {
            let mut keys = path.split('.').filter(|key| !key.is_empty());
            let object = keys.try_fold(whole, |value, key| value.get(key)).and_then(Value::as_object);
            object.into_iter().flat_map(|object| object.keys().cloned()).collect::<Vec<_>>()
        };
        let structs = context.structs.borrow();
        let fields = structs.iter().map(|(path, read)| {
            // A field may be written under another name than it is read by.
            let names = read.iter().map(|&name| name.to_owned()).chain(written(path));
            (path.clone(), names.collect())
        });
        Self { structs: fields.collect(), secrets: context.secrets.borrow().clone() }
    }

    /// Returns what is wrong with the name of a param, given without the prefix `params.`.
    pub(crate) fn check_name(&self, name: &str) -> Option<WrongName> {
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
