use crate::author::error::Result;
use crate::author::notify::{BoxFuture, Notification, Notify};

/// Tells a URL, by HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Webhook {
    variable: &'static str,
}

impl Webhook {
    /// The URL that the environment variable holds when somebody is to be told.
    pub const fn env(variable: &'static str) -> Self {
        Self { variable }
    }
}

impl Notify for Webhook {
    fn notify(&self, _: Notification) -> BoxFuture<Result<()>> {
        let variable = self.variable;
        Box::pin(async move { Err(format!("{variable} is not set").into()) })
    }
}
