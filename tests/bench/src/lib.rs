//! What the benchmarks and the counts are made of.

pub mod memory;
pub mod rounds;
pub mod stats;
pub mod stopwatch;
pub mod table;
