//! Parts of the benchmarks and the counts.

pub mod memory;
pub mod rounds;
pub mod stats;
pub mod stopwatch;
pub mod table;
