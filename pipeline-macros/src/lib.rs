//! The attribute macros of the typed data-pipeline DSL.
