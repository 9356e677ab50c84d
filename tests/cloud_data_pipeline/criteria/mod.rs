//! The exercise's validation criteria, a module each.

mod callbacks_are_triggered_appropriately;
mod custom_sensors_detect_files_properly;
mod mock_s3_structure_is_created_correctly;
mod sla_monitoring_is_functional;
mod task_dependencies_ensure_proper_execution_order;
mod timeout_and_retry_configurations_work_as_expected;
