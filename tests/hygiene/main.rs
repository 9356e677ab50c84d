//! The expansion beside hostile names, without a prelude, under strict lints: it names nothing but its own crate and `core`.

#![no_implicit_prelude]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unsafe_code,
    let_underscore_drop,
    trivial_casts,
    unused_results,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    non_ascii_idents,
    single_use_lifetimes,
    clippy::all,
    clippy::pedantic
)]

mod hostile;
mod nested;

use ::pipeline_runtime::{RunState, Simulation};

/// What the expansion does not say is not needed: it also runs.
#[test]
fn hostile_names_are_harmless() {
    let report = Simulation::new(hostile::hostile()).run();
    ::std::assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    ::std::assert_eq!(report.output::<u64>("collides"), ::std::option::Option::Some(10));
    ::std::assert_eq!(report.output::<u64>("definitions"), ::std::option::Option::Some(6));
    ::std::assert_eq!(report.output::<u64>("type"), ::std::option::Option::Some(3));
}

/// The same by way of another module's macro, whose tokens have another context.
#[test]
fn items_made_by_a_macro_are_the_same() {
    let report = Simulation::new(nested::nested()).run();
    ::std::assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    ::std::assert_eq!(report.output::<u64>("second"), ::std::option::Option::Some(42));
}
