//! Example pipelines. Each module is an example, and the binary of its name runs it; the modules are a library so that tests
//! can run them, too.

pub mod cloud_data_pipeline;
pub mod event_archive;
pub mod retail;
