mod grace;

use super::stubs::Stubs;
use crate::author::notify::BoxFuture;
use crate::author::secret::Secret;
use crate::engine::{Attempt, Instead, Interceptor, Waiter};
use crate::storage::World;
use crate::time::Outside;
use grace::Grace;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Replaces or observes the bodies of a simulation.
#[derive(Debug)]
pub(super) struct Bodies {
    stubs: Stubs,
    secrets: Vec<Secret>,
    world: World,
    outside: Outside,
    grace: Grace,
    blocking: AtomicUsize,
    unblocked: Arc<Notify>,
}

impl Bodies {
    pub(super) fn new(stubs: Stubs, secrets: Vec<Secret>, world: World, outside: Outside) -> Self {
        let (grace, blocking, unblocked) = (Grace::default(), AtomicUsize::new(0), Arc::default());
        Self { stubs, secrets, world, outside, grace, blocking, unblocked }
    }

    pub(super) fn stubs(&self) -> &Stubs {
        &self.stubs
    }
}

impl Interceptor for Bodies {
    fn secret(&self, secret: &Secret) -> Option<Secret> {
        self.secrets.iter().rev().find(|known| *known == secret).cloned()
    }

    fn instead(&self, attempt: &Attempt) -> Option<Instead> {
        self.stubs.instead(attempt).map(Instead::Answer)
    }

    fn enter(&self) -> Box<dyn Any> {
        Box::new(self.world.entered())
    }

    fn blocking(&self, begun: bool) {
        if begun {
            self.blocking.fetch_add(1, Ordering::SeqCst);
        } else {
            self.blocking.fetch_sub(1, Ordering::SeqCst);
            self.unblocked.notify_one();
        }
    }

    fn in_flight(&self) -> usize {
        self.world.in_flight() + self.outside.in_flight() + self.blocking.load(Ordering::SeqCst)
    }

    fn idle(&self) -> BoxFuture<()> {
        let (world, outside, unblocked) = (self.world.clone(), self.outside.clone(), Arc::clone(&self.unblocked));
        let blocked = self.blocking.load(Ordering::SeqCst) > 0;
        Box::pin(async move {
            if blocked {
                // Another body has ended, possibly in between: the caller checks again.
                unblocked.notified().await;
            } else {
                outside.idle().await;
                world.idle().await;
            }
        })
    }

    fn waits(&self, waiter: Waiter) {
        self.grace.waits(waiter);
    }

    fn forget(&self, waiter: Waiter) {
        self.grace.forget(waiter);
    }

    fn grace(&self) -> Option<Duration> {
        self.grace.left()
    }
}
