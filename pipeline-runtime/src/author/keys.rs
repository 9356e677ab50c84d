//! The keys of a list's elements.

use super::error::shortened;
use super::pipeline::panic_message;
use super::redaction::redacted;
use super::value::Value;
use pipeline_syntax::key;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The maximum number of characters of a key that a message quotes.
const MAX_QUOTED: usize = 60;

/// The name that all elements of a mapping share: `upload` for `upload[3]`. For a node that is not an element, its own id.
pub(crate) fn without_key(id: &str) -> &str {
    id.split_once('[').map_or(id, |(name, _)| name)
}

/// True if `named` is the node `id`, or the mapped node that `id` is an element of.
pub(crate) fn names(named: &str, id: &str) -> bool {
    named == id || named == without_key(id)
}

/// Makes the keys of a list's elements. It calls the user's code: never use it under the engine's lock.
#[derive(Clone)]
pub(crate) struct ElementKeys(Arc<MakeKeys>);

type MakeKeys = dyn Fn(&Value) -> Vec<String> + Send + Sync;

impl fmt::Debug for ElementKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<keys>")
    }
}

impl ElementKeys {
    pub(super) fn new(of: impl Fn(&Value) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(of))
    }

    /// The keys of a list's elements, in the list's order, or why one of them cannot be used.
    pub(crate) fn of(&self, list: &Value) -> Result<Arc<[Box<str>]>, String> {
        let made = catch_unwind(AssertUnwindSafe(|| (self.0)(list)))
            .map_err(|panic| format!("`.keyed` panicked over an element of the list: {}", redacted(&panic_message(&*panic))))?;
        // Keys are shown and recorded, so secrets in them are redacted.
        let keys: Arc<[Box<str>]> = made.iter().map(|key| redacted(key).into()).collect();
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            if let Err(why) = key::check(key) {
                return Err(format!("element {index} of the list cannot have the key {:?}: {why}", shortened(key, MAX_QUOTED)));
            }
            if let Some(first) = seen.insert(key, index) {
                return Err(format!(
                    "elements {first} and {index} of the list have the same key, {:?}: let `.keyed` return a different key for each element",
                    shortened(key, MAX_QUOTED)
                ));
            }
        }
        Ok(keys)
    }
}

/// The inspection of a list: its length and its keys. It calls the user's code, so it runs without the engine's lock.
#[derive(Debug)]
pub(crate) struct ListInspection {
    pub(crate) list: Value,
    pub(crate) len: fn(&Value) -> usize,
    pub(crate) keys: Option<ElementKeys>,
}

/// The result of an inspection.
#[derive(Debug, Clone)]
pub(crate) struct ListSummary {
    pub(crate) len: usize,
    /// The elements' keys; `None` if they are identified by their indices.
    pub(crate) keys: Option<Arc<[Box<str>]>>,
}

impl ListInspection {
    /// The length of the list and its keys, or why they could not be determined.
    pub(crate) fn inspect(&self) -> Result<ListSummary, String> {
        let len = catch_unwind(AssertUnwindSafe(|| (self.len)(&self.list)))
            .map_err(|panic| format!("the list could not be read: {}", redacted(&panic_message(&*panic))))?;
        let keys = self.keys.as_ref().map(|keys| keys.of(&self.list)).transpose()?;
        Ok(ListSummary { len, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: impl Fn(&u64) -> String + Send + Sync + 'static, list: Vec<u64>) -> Result<Vec<String>, String> {
        let all = move |list: &Value| list.as_any().downcast_ref::<Vec<u64>>().unwrap().iter().map(&of).collect();
        let keys = ElementKeys::new(all).of(&Value::new(list));
        keys.map(|keys| keys.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn keys_are_in_the_lists_order() {
        assert_eq!(keys(|n| format!("k{n}"), vec![3, 1]), Ok(vec!["k3".to_owned(), "k1".to_owned()]));
        assert_eq!(keys(|n| format!("k{n}"), vec![]), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_used_names_its_element() {
        let refused = |of: fn(&u64) -> String, list: Vec<u64>| keys(of, list).unwrap_err();
        assert_eq!(
            refused(|n| format!("k{}", n % 2), vec![4, 5, 7, 9]),
            "elements 1 and 2 of the list have the same key, \"k1\": let `.keyed` return a different key for each element"
        );
        assert_eq!(refused(|_| String::new(), vec![4]), "element 0 of the list cannot have the key \"\": it is empty");
        let long = refused(|_| "x".repeat(1_000_000), vec![4]);
        assert!(long.contains("1000000 bytes") && long.len() < 300, "{long}");
        assert_eq!(
            refused(|n| format!("{}", 1 / (n - 4)), vec![5, 4]).split(':').next(),
            Some("`.keyed` panicked over an element of the list")
        );
    }

    #[test]
    fn a_secrets_value_is_in_no_key() {
        super::super::redaction::hide("hunter2-in-a-key");
        assert_eq!(keys(|n| format!("hunter2-in-a-key-{n}"), vec![1]), Ok(vec!["***-1".to_owned()]));
    }
}
