//! Notifiers that are ready to use.

mod webhook;

pub use webhook::Webhook;
