//! What the texts in options mean, read by the crates that the runtime uses, so that what the compiler accepted a run
//! understands. Each parser returns what to say after "invalid … "text": " where it refuses.

pub(crate) mod cron;
pub(crate) mod date;
pub(crate) mod duration;
pub(crate) mod id;
pub(crate) mod zone;
