//! Notifiers that are ready to use.
//!
//! | file | subject |
//! |---|---|
//! | `webhook` | [`Webhook`]: tells a URL |
//! | `payload` | what a webhook sends: JSON of our own, or Slack's |
//! | `post` | one POST by HTTP, and nothing about it in a log |
//! | `later` | how long a server asks to be left alone |
//! | `log` | [`Log`]: tells the log |
//! | `words` | a notification in words, for people |
//!
//! # Invariants
//!
//! - A webhook's URL is a secret. It is in no error, no `Debug` text and no log of any crate at any level: at most the variable's name and
//!   the host are. (`tests/alerts`)
//! - Nothing here keeps state: the engine delivers again what could not be delivered.

#[cfg(feature = "webhook")]
mod later;
mod log;
#[cfg(feature = "webhook")]
mod payload;
#[cfg(feature = "webhook")]
mod post;
#[cfg(feature = "webhook")]
mod webhook;
mod words;

pub use log::Log;
#[cfg(feature = "webhook")]
pub use webhook::Webhook;
