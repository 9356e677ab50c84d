//! The expansion beside hostile names, without a prelude, under strict lints: it only uses its own crate and `core`.

#![no_implicit_prelude]
#![deny(
    warnings,
    missing_docs,
    unused,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    unused_import_braces,
    unused_results,
    single_use_lifetimes,
    trivial_casts,
    let_underscore_drop,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    unit_bindings,
    unsafe_code,
    rust_2018_idioms,
    future_incompatible,
    nonstandard_style,
    clippy::pedantic,
    clippy::nursery,
    clippy::allow_attributes_without_reason
)]

mod hostile;
mod nested;
pub mod published;
mod twins;

use ::pipeline_runtime::{RunState, Simulation};

/// The expansion compiles beside these names, and also runs.
#[test]
fn hostile_names_are_harmless() {
    let report = Simulation::new(hostile::hostile()).run();
    ::std::assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    ::std::assert_eq!(report.output::<u64>("collides"), ::std::option::Option::Some(10));
    ::std::assert_eq!(report.output::<u64>("definitions"), ::std::option::Option::Some(6));
    ::std::assert_eq!(report.output::<u64>("type"), ::std::option::Option::Some(3));
}

/// Items that a library publishes are as clean, and also run.
#[test]
fn published_items_run() {
    let report = Simulation::new(published::all()).run();
    ::std::assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
}

/// The same for items that a macro of another module makes, whose tokens have another context.
#[test]
fn items_made_by_a_macro_are_the_same() {
    let report = Simulation::new(nested::nested()).run();
    ::std::assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    ::std::assert_eq!(report.output::<u64>("second"), ::std::option::Option::Some(42));
}

/// `.ci/run` also compiles this as one codegen unit, in which the compiler merges equal constants.
#[test]
fn tasks_of_one_macro_have_bodies_of_their_own() {
    let report = Simulation::new(twins::twins()).run();
    ::std::assert_eq!(report.output::<u64>("eu"), ::std::option::Option::Some(1));
    ::std::assert_eq!(report.output::<u64>("us"), ::std::option::Option::Some(2));
}
