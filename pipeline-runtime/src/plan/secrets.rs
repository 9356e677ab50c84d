//! The secrets that a plan needs.

use super::graph::Plan;
use crate::author::input::Source;
use crate::author::secret::{NoValue, Secret};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

/// The maximum number of users of a secret that are named.
const MAX_NAMED: usize = 3;

/// A secret without a value.
#[derive(Debug)]
pub(crate) struct MissingSecret {
    pipeline: &'static str,
    needed_by: Vec<String>,
    why: NoValue,
}

impl fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (named, others) = self.needed_by.split_at(self.needed_by.len().min(MAX_NAMED));
        let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        write!(f, "{}; it is needed by {}{others} of pipeline `{}`", self.why, named.join(", "), self.pipeline)
    }
}

/// How long to wait for a file. A process that starts must not hang when its mounts do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns why a secret has no value. A pipe can be read only once, so it is left to the attempts.
fn why_missing(secret: &Secret) -> Option<NoValue> {
    let Some(file) = secret.file_to_read() else { return secret.read().err() };
    let (sender, receiver) = mpsc::channel();
    let look = {
        let secret = secret.clone();
        move || {
            let is_pipe = std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir());
            // The receiver may be gone.
            let _ = sender.send(if is_pipe { None } else { secret.read().err() });
        }
    };
    let began = std::thread::Builder::new().name("pipeline-secrets".into()).spawn(look);
    match began.map(|_| receiver.recv_timeout(PATIENCE)) {
        Ok(Ok(why)) => why,
        _ => Some(secret.no_value(&format!("could not be read within {} s", PATIENCE.as_secs()))),
    }
}

impl Plan {
    /// The secrets of nodes and notifiers that have no value in this process. A param without a reference is not included.
    pub(crate) fn missing_secrets(&self) -> Vec<MissingSecret> {
        // Each is read once, however many nodes need it.
        let mut found: BTreeMap<String, Option<MissingSecret>> = BTreeMap::new();
        let mut look = |secret: &Secret, needed_by: &dyn Fn() -> String| {
            if *secret == Secret::default() {
                return;
            }
            let look = || Some(MissingSecret { pipeline: self.pipeline, needed_by: Vec::new(), why: why_missing(secret)? });
            if let Some(missing) = found.entry(secret.reference().into_owned()).or_insert_with(look) {
                let needed_by = needed_by();
                // A node that takes it twice is named once.
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
