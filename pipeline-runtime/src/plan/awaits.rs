//! How far a pipeline has come that waits for assets.

use crate::author::asset::WhenRule;

/// Updates of an asset that a run begins for: those after one, up to the newest, which is the one that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) asset: &'static str,
    pub(crate) after: i64,
    pub(crate) newest: i64,
}

/// What a pipeline waits for, and how far it has come.
#[derive(Debug, Clone)]
pub(crate) struct Awaits {
    rule: WhenRule,
    assets: Vec<Awaited>,
}

/// An asset that is waited for. Numbers of updates rise; 0 stands before all.
#[derive(Debug, Clone)]
struct Awaited {
    asset: &'static str,
    newest: i64,
    /// The newest that a run was begun for: it and all before it are used up.
    used: i64,
}

impl Awaited {
    fn is_updated(&self) -> bool {
        self.newest > self.used
    }
}

impl Awaits {
    /// Of each asset the number of its newest update, and of the newest that is used up.
    pub(crate) fn new(rule: WhenRule, assets: impl IntoIterator<Item = (&'static str, i64, i64)>) -> Self {
        let assets = assets.into_iter().map(|(asset, newest, used)| Awaited { asset, newest, used }).collect();
        Self { rule, assets }
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = &'static str> {
        self.assets.iter().map(|awaited| awaited.asset)
    }

    pub(crate) fn updated(&mut self, asset: &str, id: i64) {
        steps::count();
        for awaited in self.assets.iter_mut().filter(|awaited| awaited.asset == asset) {
            awaited.newest = awaited.newest.max(id);
        }
    }

    /// The updates that a run begins for now, if one does.
    pub(crate) fn due(&self) -> Option<Vec<Pending>> {
        if !self.rule.holds(self.assets.iter().map(Awaited::is_updated)) {
            return None;
        }
        let updated = self.assets.iter().filter(|awaited| awaited.is_updated());
        Some(updated.map(|awaited| Pending { asset: awaited.asset, after: awaited.used, newest: awaited.newest }).collect())
    }

    /// A run has begun for these.
    pub(crate) fn used(&mut self, updates: &[Pending]) {
        for update in updates {
            for awaited in self.assets.iter_mut().filter(|awaited| awaited.asset == update.asset) {
                awaited.used = awaited.used.max(update.newest);
            }
        }
    }
}

/// How many pipelines were told of updates, for tests that count work instead of time.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many there were since the last call.
    pub(crate) fn take() -> usize {
        STEPS.take()
    }
}

#[cfg(not(test))]
mod steps {
    pub(super) fn count() {}
}
