//! Notifiers that are ready to use.
//!
//! | file | subject |
//! |---|---|
//! | `webhook` | [`Webhook`]: tells a URL |
//! | `mail` | [`Mail`]: tells people by mail |
//! | `payload` | what a webhook sends: JSON of our own, or Slack's |
//! | `post` | one POST by HTTP, and nothing about it in a log |
//! | `smtp` | one mail to an SMTP server, and nothing about it in a log |
//! | `address` | mail addresses in constants |
//! | `variable` | the environment variable that holds a URL |
//! | `later` | how long a server asks to be left alone |
//! | `log` | [`Log`]: tells the log |
//! | `text` | the author's own text, where there is one |
//!
//! # Invariants
//!
//! - The URL of a webhook or a mail server is a secret. It is in no error, no `Debug` text and no log of any crate at any level: at most the variable's name and
//!   the host are. (`tests/alerts`)
//! - An alert is told whatever is wrong with its text: then by the notifier's own words.
//! - Nothing here keeps state: the engine delivers again what could not be delivered.

#[cfg(feature = "mail")]
mod address;
#[cfg(feature = "webhook")]
mod later;
mod log;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "webhook")]
mod payload;
#[cfg(feature = "webhook")]
mod post;
#[cfg(feature = "mail")]
mod smtp;
#[cfg(any(feature = "mail", feature = "webhook"))]
mod text;
#[cfg(any(feature = "mail", feature = "webhook"))]
mod variable;
#[cfg(feature = "webhook")]
mod webhook;

pub use log::Log;
#[cfg(feature = "mail")]
pub use mail::Mail;
#[cfg(feature = "webhook")]
pub use webhook::Webhook;
