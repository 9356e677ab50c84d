//! Notifiers that are ready to use.
//!
//! | file | subject |
//! |---|---|
//! | `webhook` | [`Webhook`]: tells a URL |
//! | `payload` | what a webhook sends: JSON of our own, or Slack's |
//! | `post` | one POST by HTTP, and nothing about it in a log |
//! | `log` | [`Log`]: tells the log |
//! | `words` | a notification in words, for people |
//!
//! Invariants:
//! - A webhook's URL is a secret. It is in no error, no log and no `Debug` text: at most the variable's name and the host are.
//! - Nothing here keeps state: who could not be told, the engine tells again.

mod log;
mod payload;
mod post;
mod webhook;
mod words;

pub use log::Log;
pub use webhook::Webhook;
