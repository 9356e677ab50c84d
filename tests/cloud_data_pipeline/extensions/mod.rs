//! The exercise's extension challenges, a module each.

mod file_size_validation;
mod multi_region_simulation;
mod prefix_based_sensing;
mod sensor_metrics;
