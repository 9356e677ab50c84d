//! Outputs that a resumed run could not go on from: simulations pass every output through the codec.

#![allow(clippy::option_option, reason = "it is one of the values that JSON changes")]

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Pipeline, Simulation};
use std::collections::HashMap;

#[track_caller]
fn error(pipeline: Pipeline, id: &str) -> String {
    let report = Simulation::new(pipeline).run();
    assert_eq!((report.node(id).state(), report.node(id).attempts()), (Failed, 1), "no retry can mend it");
    report.node(id).error().unwrap().to_owned()
}

#[test]
fn nan_does_not_come_back() {
    #[task(retries = 3)]
    async fn ratio() -> Result<f64> {
        Ok(f64::NAN)
    }
    #[task]
    async fn half(ratio: f64) -> Result<f64> {
        Ok(ratio / 2.0)
    }
    #[pipeline]
    fn division() {
        half(ratio());
    }
    let error = error(division(), "ratio");
    assert!(error.starts_with("the output of type `f64` does not come back from JSON"), "{error}");
    assert!(error.ends_with("return a value that JSON can hold"), "{error}");
    assert_eq!(Simulation::new(division()).run().node("half").state(), UpstreamFailed);
}

#[test]
fn some_none_comes_back_as_none() {
    #[task]
    async fn answer() -> Result<Option<Option<u64>>> {
        Ok(Some(None))
    }
    #[pipeline]
    fn asking() {
        answer();
    }
    let error = error(asking(), "answer");
    assert!(error.contains("comes back from JSON as a different value, as with `Some(None)`"), "{error}");
}

#[test]
fn a_map_whose_keys_are_no_texts_cannot_be_written() {
    #[task]
    async fn matrix() -> Result<HashMap<(u8, u8), f64>> {
        Ok(HashMap::from([((0, 1), 0.5)]))
    }
    #[pipeline]
    fn writing() {
        matrix();
    }
    let error = error(writing(), "matrix");
    assert!(error.contains("cannot be written as JSON (key must be a string)"), "{error}");
}

#[test]
fn a_sensors_value_and_a_branch_are_checked_too() {
    #[sensor]
    async fn level() -> Result<Poke<f64>> {
        Ok(Poke::Ready(f64::INFINITY))
    }
    #[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
    enum Way {
        Some(f64),
    }
    #[branch]
    async fn way() -> Result<Way> {
        Ok(Way::Some(f64::NAN))
    }
    #[pipeline]
    fn both() {
        level();
        let WayArms { some: _ } = way();
    }
    assert!(error(both(), "level").contains("`f64`"));
    assert!(error(both(), "way").contains("Way` does not come back"));
}

#[test]
fn a_serialize_that_panics_fails_its_node_and_nothing_else() {
    #[derive(Clone, serde::Deserialize)]
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("not implemented yet")
        }
    }
    #[task]
    async fn broken() -> Result<Broken> {
        Ok(Broken)
    }
    #[pipeline]
    fn panicking() {
        broken();
        takes(1u64);
    }
    let error = error(panicking(), "broken");
    assert_eq!(error, "the output's own code panicked as it was written as JSON: not implemented yet");
}

#[test]
fn stubs_are_checked_as_outputs_are() {
    #[task]
    async fn ratio() -> Result<f64> {
        Ok(0.5)
    }
    #[pipeline]
    fn stubbed() {
        ratio();
    }
    assert_eq!(Simulation::new(stubbed()).stub("ratio", f64::NAN).run().node("ratio").state(), Failed);
    let wrong = Simulation::new(stubbed()).stub("ratio", 1u64).try_run().unwrap_err();
    assert_eq!(wrong.to_string(), "the stub of `ratio` is a `u64`, but the task returns `f64`");
}
