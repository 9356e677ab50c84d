//! A crate that knows the runtime only as `pipe`, and re-exports it from a module of its own.

#![deny(unused_qualifications, unreachable_pub, missing_debug_implementations, clippy::pedantic, clippy::nursery)]

/// The facade's view of the runtime.
pub mod my_facade {
    pub use pipe as pipeline;
}

pub mod behind_a_facade;
pub mod renamed;

#[cfg(test)]
mod tests {
    use pipe::{RunState, Simulation};

    #[test]
    fn a_renamed_dependency_runs() {
        let report = Simulation::new(crate::renamed::renamed()).run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        assert_eq!(report.output::<u64>("doubled"), Some(42));
        assert_eq!(report.output::<String>("named"), Some("42".to_owned()));
    }

    #[test]
    fn a_facade_runs() {
        let report = Simulation::new(crate::behind_a_facade::behind_a_facade()).run();
        assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
        assert_eq!(report.output::<u64>("doubled"), Some(42));
    }
}
