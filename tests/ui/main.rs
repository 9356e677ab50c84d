//! The complete messages of `cargo check` for each mistake; and the correct counterparts, which are built and checked.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod goldens;
mod messages;

#[path = "alert/pass/alerts.rs"]
mod alerts;
#[path = "assets/pass/assets.rs"]
mod assets;
#[path = "branch/pass/branches.rs"]
mod branches;
#[path = "options/pass/every_option.rs"]
mod every_option;
#[path = "wiring/pass/every_position.rs"]
mod every_position;
#[path = "each/pass/mappings.rs"]
mod mappings;
#[path = "output/pass/outputs.rs"]
mod outputs;
#[path = "pipeline/pass/pipelines.rs"]
mod pipelines;
#[path = "programs/pass/programs.rs"]
mod programs;
#[path = "secrets/pass/secrets.rs"]
mod secrets;
#[path = "settings/pass/settings.rs"]
mod settings;
#[path = "signature/pass/signatures.rs"]
mod signatures;
#[path = "template/pass/templates.rs"]
mod templates;
#[path = "across/pass/upstream.rs"]
mod upstream;

/// Every mistake is refused with the message of its golden, and an editor gets each message only once.
#[test]
fn mistakes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (case, messages) in messages::stored(folder.path()) {
        let golden = std::fs::read_to_string(case.replace(".rs", ".stderr")).unwrap();
        let expected: Vec<&str> = goldens::messages(&golden);
        if messages != expected {
            wrong.push(format!("{case}:\n  {}", messages.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "an editor shows other messages than a terminal:\n{}", wrong.join("\n"));
}

/// `TRYBUILD=overwrite` rewrites the goldens.
#[test]
#[ignore = "`mistakes_are_refused` runs it, under a rustc whose messages are stored"]
fn failing_cases() {
    trybuild::TestCases::new().compile_fail("ui/*/fail/*.rs");
}

/// The code that compiles also makes valid plans.
#[test]
fn what_is_right_is_accepted() {
    for pipeline in [
        alerts::alerts(),
        assets::updating(),
        assets::waiting(),
        branches::branches(),
        every_option::every_option(),
        every_position::every_position(),
        mappings::mappings(),
        outputs::outputs(),
        pipelines::with_params(),
        pipelines::with_result(),
        pipelines::within_a_window(),
        programs::programs(),
        secrets::secrets(),
        settings::settings(),
        signatures::signatures(),
        templates::templates(),
        upstream::upstream(),
    ] {
        pipeline.check().unwrap_or_else(|problems| panic!("{}: {problems}", pipeline.id()));
    }
}
