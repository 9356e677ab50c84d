//! What a pipeline's author uses: nodes, inputs, outputs, options, templates, callbacks.
//!
//! Calling a task inside a pipeline function records a draft node; nothing here runs anything. User types end here: what leaves
//! this module for the plan and the engine is erased (see [`value`]).

pub(crate) mod across;
pub(crate) mod asset;
pub(crate) mod body;
pub(crate) mod bounded;
pub(crate) mod branch;
pub(crate) mod call;
#[cfg(feature = "airflow")]
pub(crate) mod connection;
pub mod constant;
pub(crate) mod context;
pub(crate) mod definition;
pub(crate) mod derived;
pub(crate) mod draft;
pub(crate) mod equality;
pub(crate) mod error;
pub(crate) mod field;
pub(crate) mod group;
pub(crate) mod input;
pub(crate) mod interned;
pub(crate) mod keys;
pub(crate) mod lock;
pub(crate) mod log_once;
pub(crate) mod mapping;
pub(crate) mod no_value;
pub(crate) mod node;
pub(crate) mod notification_text;
pub(crate) mod notify;
pub(crate) mod options;
pub(crate) mod order;
pub(crate) mod outcome;
pub(crate) mod output;
pub(crate) mod overrides;
pub(crate) mod params;
pub(crate) mod past;
pub(crate) mod pipeline;
pub(crate) mod previous;
pub(crate) mod redaction;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod setting;
mod small;
pub(crate) mod start_folder;
pub(crate) mod template;
pub(crate) mod type_name;
pub(crate) mod value;
