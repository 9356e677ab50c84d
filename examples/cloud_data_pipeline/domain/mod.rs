//! The contents of the files: each module reads or creates one kind of file, with plain functions from text to values.
//!
//! Every problem with a file is a [`BadInput`], which names the bucket, the key and the place in the file.

pub mod config;
pub mod customers;
pub mod export;
pub mod join;
mod json;
mod source;
pub mod transactions;
pub mod validation;

pub use source::{BadInput, Source};
