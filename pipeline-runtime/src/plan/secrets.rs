//! The secrets that a plan needs.

use super::graph::Plan;
use crate::author::input::Source;
use crate::author::secret::{NoValue, Secret};
use std::collections::BTreeMap;
use std::fmt;

/// More of those that need a secret are not named.
const MAX_NAMED: usize = 3;

/// A secret without a value.
#[derive(Debug)]
pub(crate) struct Missing {
    pipeline: &'static str,
    needed_by: Vec<String>,
    why: NoValue,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (named, others) = self.needed_by.split_at(self.needed_by.len().min(MAX_NAMED));
        let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        write!(f, "{}; it is needed by {}{others} of pipeline `{}`", self.why, named.join(", "), self.pipeline)
    }
}

impl Plan {
    /// The secrets of nodes and notifiers that have no value in this process. A param without a reference is not among them.
    pub(crate) fn missing_secrets(&self) -> Vec<Missing> {
        // Each is read once, however many need it.
        let mut found: BTreeMap<String, Option<Missing>> = BTreeMap::new();
        let mut look = |secret: &Secret, needed_by: &dyn Fn() -> String| {
            if *secret == Secret::default() {
                return;
            }
            let look = || Some(Missing { pipeline: self.pipeline, needed_by: Vec::new(), why: secret.read().err()? });
            if let Some(missing) = found.entry(secret.reference().into_owned()).or_insert_with(look) {
                let needed_by = needed_by();
                // One that takes it twice is named once.
                if missing.needed_by.last() != Some(&needed_by) {
                    missing.needed_by.push(needed_by);
                }
            }
        };
        for (ix, _) in self.bodies() {
            for arg in self.args(ix) {
                if let Source::Secrets(secrets) = &arg.source {
                    secrets.iter().for_each(|secret| look(secret, &|| format!("`{}`", self.id(ix))));
                }
            }
        }
        for notifier in &self.notifiers {
            for secret in notifier.notify.secrets() {
                look(&secret, &|| format!("`{}`", notifier.label));
            }
        }
        found.into_values().flatten().collect()
    }
}
