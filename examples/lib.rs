//! Example pipelines. Each module is an example with a binary of the same name. The modules form a library, so that tests can run
//! them, too.

pub mod cloud_data_pipeline;
pub mod event_archive;
pub mod retail;
