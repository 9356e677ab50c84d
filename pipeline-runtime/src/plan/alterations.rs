//! A plan with changed options: for a what-if simulation, and for a process that runs one node of it.

use super::graph::{NodeIx, Plan};
use super::policy::{Delay, Policy, RunPolicy};
use std::time::Duration;

impl Plan {
    /// Removes all callbacks.
    pub(crate) fn remove_callbacks(&mut self) {
        for policy in &mut self.policies {
            policy.callbacks = Box::default();
        }
        let RunPolicy { slas, callbacks, .. } = &mut self.run;
        slas.clear();
        callbacks.clear();
    }

    /// Changes the policy of one node; nodes with the same options keep theirs.
    pub(crate) fn alter(&mut self, node: NodeIx, change: impl FnOnce(&mut Policy)) {
        let mut policy = self.policy(node).clone();
        change(&mut policy);
        self.nodes[node as usize].policy = u32::try_from(self.policies.len()).unwrap_or(u32::MAX);
        self.policies.push(policy);
    }

    /// Sets the number of slots of a pool; returns false if there is no pool of that name.
    pub(crate) fn set_slots(&mut self, pool: &str, slots: u32) -> bool {
        let found = self.pools.iter_mut().find(|known| known.name == pool);
        found.map(|pool| pool.slots = slots).is_some()
    }
}

impl Delay {
    /// A constant delay.
    pub(crate) fn always(wait: Duration) -> Self {
        Self::Fixed(wait, Duration::ZERO)
    }

    /// The constant wait and its jitter; `None` for a growing delay.
    pub(crate) fn fixed(&self) -> Option<(Duration, Duration)> {
        match self {
            Self::Fixed(wait, jitter) => Some((*wait, *jitter)),
            Self::Growing(_) => None,
        }
    }
}
