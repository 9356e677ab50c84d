//! What the files mean: each module reads or makes one kind of file, as a plain function from text to values.
//!
//! Whatever is wrong with a file is a [`BadInput`], which names bucket, key and the place within.

pub mod config;
pub mod customers;
pub mod export;
pub mod join;
mod json;
mod source;
pub mod transactions;
pub mod validation;

pub use source::{BadInput, Source};
