//! Typed data pipelines as annotated async functions, and the engine that runs them.
