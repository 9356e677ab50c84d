//! Checks of a pipeline as a whole.

use super::*;

#[test]
fn a_pipeline_wires_something() {
    #[pipeline(schedule = "@daily")]
    fn nightly() {}
    refused(
        &nightly(),
        &expect![[r#"
        error: pipeline `nightly` is empty
          --> `nightly() {}`: this pipeline wires no task
          = help: call a task in its function: that wires a node

        pipeline `nightly` has 1 mistake; nothing was run"#]],
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    #[pipeline(timeout = "5m")]
    fn nightly() {
        let RouteArms { clean, quarantine, nothing: _ } = route(rows());
        join(clean, quarantine).named("a").poke(seconds(1));
        files().each(|file| size(file)).retries(1).max_active(0);
        rows().named("a").after(first_of::<u64>([]));
        export("a.json");
    }
    let error = nightly().check().unwrap_err();
    let all: Vec<&str> = error.problems().iter().map(crate::plan::Problem::message).collect();
    expect![[r#"
        `each(size)` could never start an element: `.max_active(0)`
        `first_of` is given no nodes
        two nodes have the id `a`
        `.poke` is for sensors, and `a` is a task
        `.retries` cannot be set on the mapping `each(size)`
        the sensor `export` may wait 10m, but pipeline `nightly` ends after 5m
        `a` can never run: it needs both `route.clean` and `route.quarantine`, but a branch takes only one of its arms"#]]
    .assert_eq(&all.join("\n"));
    let text = error.to_string();
    assert!(text.ends_with("pipeline `nightly` has 7 mistakes; nothing was run"), "{text}");
    for problem in error.problems() {
        assert!(problem.places().next().is_some(), "{problem}");
        assert!(text.contains(&problem.to_string()), "{problem}");
    }
}

#[task]
async fn idle() -> Result<()> {
    Ok(())
}

#[test]
fn a_plan_of_too_many_nodes_is_refused() {
    #[pipeline]
    fn vast() {
        for _ in 0..=1_000_000 {
            idle();
        }
    }
    refused(
        &vast(),
        &expect![[r#"
        error: pipeline `vast` has 1000001 nodes; at most 1000000 are allowed
          --> `vast() {`: this pipeline
          = help: map over a list with `.each`, or divide the pipeline

        pipeline `vast` has 1 mistake; nothing was run"#]],
    );
}
