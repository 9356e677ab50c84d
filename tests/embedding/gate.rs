//! A place in a body that waits for its test and reports when it is reached. No test sleeps.

use tokio::sync::Semaphore;

pub(crate) struct Gate {
    there: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { there: Semaphore::const_new(0), open: Semaphore::const_new(0) }
    }

    /// A body reports that it has arrived, and waits to be let through.
    pub(crate) async fn pass(&self) {
        self.there.add_permits(1);
        self.open.acquire().await.expect("it is never closed").forget();
    }

    /// Waits until a body has arrived.
    pub(crate) async fn reached(&self) {
        self.there.acquire().await.expect("it is never closed").forget();
    }

    /// Lets one body continue.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }
}
