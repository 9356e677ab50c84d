//! Ready-made notifiers.
//!
//! | file | subject |
//! |---|---|
//! | `webhook` | [`Webhook`]: notifies a URL |
//! | `mail` | [`Mail`]: notifies people by mail |
//! | `payload` | the body that a webhook sends: our own JSON, or Slack's |
//! | `post` | one HTTP POST, which is never logged |
//! | `smtp` | one mail to an SMTP server, which is never logged |
//! | `address` | mail addresses in constants |
//! | `variable` | the environment variable that holds a URL |
//! | `retry_after` | how long a server asks to wait |
//! | `log` | [`Log`]: notifies the log |
//! | `author_text` | the author's own text, if there is one |
//!
//! # Invariants
//!
//! - The URL of a webhook or a mail server is a secret. It is in no error, no `Debug` text and no log of any crate at any level:
//!   at most the variable's name and the host are. (`tests/alerts`)
//! - An alert is sent even if its text cannot be rendered: then with the notifier's own text.
//! - Nothing here keeps state: the engine delivers again what could not be delivered.

#[cfg(feature = "mail")]
mod address;
#[cfg(any(feature = "mail", feature = "webhook"))]
mod author_text;
mod log;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "webhook")]
mod payload;
#[cfg(feature = "webhook")]
mod post;
#[cfg(feature = "webhook")]
mod retry_after;
#[cfg(feature = "mail")]
mod smtp;
#[cfg(any(feature = "mail", feature = "webhook"))]
mod variable;
#[cfg(feature = "webhook")]
mod webhook;

pub use log::Log;
#[cfg(feature = "mail")]
pub use mail::Mail;
#[cfg(feature = "webhook")]
pub use webhook::Webhook;
