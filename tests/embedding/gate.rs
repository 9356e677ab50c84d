//! A place in a body at which it waits for its test, which knows when it is there. No test sleeps.

use tokio::sync::Semaphore;

pub(crate) struct Gate {
    there: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { there: Semaphore::const_new(0), open: Semaphore::const_new(0) }
    }

    /// A body says that it is there, and waits until it may go on.
    pub(crate) async fn pass(&self) {
        self.there.add_permits(1);
        self.open.acquire().await.expect("it is never closed").forget();
    }

    /// Waits until a body is there.
    pub(crate) async fn reached(&self) {
        self.there.acquire().await.expect("it is never closed").forget();
    }

    /// Lets one body go on.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }
}
