//! The params that were given for a run, on top of the defaults.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Params before they are read: as JSON, or as texts whose type is still to be determined.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Neither a list nor an object.
    Scalar(Value),
    /// A text from a command line, with its number.
    Text(usize, String),
    List(Vec<Self>),
    Object(BTreeMap<String, Entry>),
}

/// The value under one key of an object.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) node: Node,
    /// True if a user gave it; false for a default.
    pub(super) is_given: bool,
}

impl Node {
    pub(super) fn of_json(value: &Value, is_given: bool) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(|item| Self::of_json(item, is_given)).collect()),
            Value::Object(fields) => {
                let entry = |value| Entry { node: Self::of_json(value, is_given), is_given };
                Self::Object(fields.iter().map(|(key, value)| (key.clone(), entry(value))).collect())
            }
            scalar => Self::Scalar(scalar.clone()),
        }
    }

    /// Sets the text at `key`, in which a dot leads into an object. A value in the way is replaced.
    pub(super) fn set(&mut self, key: &str, id: usize, text: &str) {
        let mut node = self;
        for part in key.split('.') {
            if !matches!(node, Self::Object(_)) {
                *node = Self::Object(BTreeMap::new());
            }
            let Self::Object(entries) = node else { return };
            let entry =
                entries.entry(part.to_owned()).or_insert_with(|| Entry { node: Self::Scalar(Value::Null), is_given: true });
            node = &mut entry.node;
        }
        *node = Self::Text(id, text.to_owned());
    }

    /// Adds the defaults of keys that were not given, if `is_deep` also in nested objects. `without` has the paths of defaults to
    /// leave out.
    pub(super) fn fill(&mut self, defaults: &Value, is_deep: bool, without: &BTreeSet<String>) {
        self.fill_at("", defaults, is_deep, without);
    }

    fn fill_at(&mut self, path: &str, defaults: &Value, is_deep: bool, without: &BTreeSet<String>) {
        let Value::Object(defaults) = defaults else { return };
        // If the default is an object, a text that is a JSON object is read as one.
        if let Self::Text(_, text) = self
            && let Ok(value @ Value::Object(_)) = serde_json::from_str(text)
        {
            *self = Self::of_json(&value, true);
        }
        let Self::Object(entries) = self else { return };
        for (key, default) in defaults {
            let path = join(path, key);
            if without.contains(&path) {
                continue;
            }
            match entries.get_mut(key) {
                Some(entry) if is_deep => entry.node.fill_at(&path, default, is_deep, without),
                Some(_) => {}
                None => {
                    entries.insert(key.clone(), Entry { node: Self::of_json(default, false), is_given: false });
                }
            }
        }
    }

    /// The entry at a path of keys.
    pub(super) fn at(&self, path: &str) -> Option<&Entry> {
        let (parent, key) = path.rsplit_once('.').map_or((None, path), |(parent, key)| (Some(parent), key));
        let node = match parent {
            Some(parent) => &self.at(parent)?.node,
            None => self,
        };
        match node {
            Self::Object(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Replaces what is at a path of keys, if there is something.
    pub(super) fn replace(&mut self, path: &str, node: Self) {
        let mut target = self;
        for key in path.split('.') {
            let Self::Object(entries) = target else { return };
            let Some(entry) = entries.get_mut(key) else { return };
            target = &mut entry.node;
        }
        *target = node;
    }

    /// Wraps the node, or each of its parts, in the lists and objects in which it may have been intended: a list, an object with
    /// an arbitrary key, and objects with each of the `fields`.
    pub(super) fn within(&self, fields: &[&str]) -> Vec<Self> {
        let parts: Vec<Self> = match self {
            Self::Object(entries) => entries.values().filter(|entry| entry.is_given).map(|entry| entry.node.clone()).collect(),
            Self::List(items) => items.clone(),
            Self::Scalar(_) | Self::Text(..) => vec![self.clone()],
        };
        let keys = || fields.iter().copied().chain(["0"]);
        let objects = parts.iter().flat_map(|part| {
            keys().map(|key| Self::Object(BTreeMap::from([(key.to_owned(), Entry { node: part.clone(), is_given: true })])))
        });
        objects.chain(parts.iter().map(|part| Self::List(vec![part.clone()]))).collect()
    }

    /// What was given, as JSON. `texts` has the value as which each text was read.
    pub(super) fn given(&self, texts: &BTreeMap<usize, Value>) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            // A text without an entry was an object, which was merged with its defaults before it was read.
            Self::Text(id, text) => {
                let object = || serde_json::from_str(text).ok();
                texts.get(id).cloned().or_else(object).unwrap_or_else(|| Value::String(text.clone()))
            }
            Self::List(items) => items.iter().map(|item| item.given(texts)).collect(),
            Self::Object(entries) => {
                let given = entries.iter().filter(|(_, entry)| entry.is_given);
                Value::Object(given.map(|(key, entry)| (key.clone(), entry.node.given(texts))).collect())
            }
        }
    }
}

/// The path of `key` in the object at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
