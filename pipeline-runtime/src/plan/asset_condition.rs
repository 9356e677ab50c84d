//! The progress of a pipeline that waits for assets.

use crate::author::asset::WhenRule;

/// Updates of an asset for which a run starts: those after `after`, up to `newest`, which is the one that the run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PendingUpdates {
    pub(crate) asset: &'static str,
    pub(crate) after: i64,
    pub(crate) newest: i64,
}

/// The condition under which updates of assets start a run, and how far it holds.
#[derive(Debug, Clone)]
pub(crate) struct AssetCondition {
    rule: WhenRule,
    assets: Vec<AwaitedAsset>,
}

/// An asset that is waited for. Numbers of updates increase; 0 precedes all of them.
#[derive(Debug, Clone)]
struct AwaitedAsset {
    asset: &'static str,
    newest: i64,
    /// The newest update for which a run was started: it and all before it are used up.
    used: i64,
}

impl AwaitedAsset {
    fn is_updated(&self) -> bool {
        self.newest > self.used
    }
}

impl AssetCondition {
    /// `assets` has for each asset its name, the number of its newest update, and of the newest one that is used up.
    pub(crate) fn new(rule: WhenRule, assets: impl IntoIterator<Item = (&'static str, i64, i64)>) -> Self {
        let assets = assets.into_iter().map(|(asset, newest, used)| AwaitedAsset { asset, newest, used }).collect();
        Self { rule, assets }
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = &'static str> {
        self.assets.iter().map(|awaited| awaited.asset)
    }

    pub(crate) fn record_update(&mut self, asset: &str, id: i64) {
        steps::count();
        for awaited in self.assets.iter_mut().filter(|awaited| awaited.asset == asset) {
            awaited.newest = awaited.newest.max(id);
        }
    }

    /// The updates for which a run starts now, if one does.
    pub(crate) fn due(&self) -> Option<Vec<PendingUpdates>> {
        if !self.rule.holds(self.assets.iter().map(AwaitedAsset::is_updated)) {
            return None;
        }
        let updated = self.assets.iter().filter(|awaited| awaited.is_updated());
        Some(
            updated.map(|awaited| PendingUpdates { asset: awaited.asset, after: awaited.used, newest: awaited.newest }).collect(),
        )
    }

    /// Marks these updates as used by a run.
    pub(crate) fn mark_used(&mut self, updates: &[PendingUpdates]) {
        for update in updates {
            for awaited in self.assets.iter_mut().filter(|awaited| awaited.asset == update.asset) {
                awaited.used = awaited.used.max(update.newest);
            }
        }
    }
}

/// How often pipelines were notified of updates, for tests that count work instead of time.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// The count since the last call.
    pub(crate) fn take() -> usize {
        STEPS.take()
    }
}

#[cfg(not(test))]
mod steps {
    pub(super) fn count() {}
}
