//! Outputs with which a run could not be resumed: simulations pass every output through the codec.

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
    enum Route {
        Some(f64),
    }
    #[branch]
    async fn route() -> Result<Route> {
        Ok(Route::Some(f64::NAN))
    }
    #[pipeline]
    fn both() {
        level();
        let RouteArms { some: _ } = route();
    }
    assert!(error(both(), "level").contains("`f64`"));
    assert!(error(both(), "route").contains("Route` does not come back"));
}

/// A row with a field that is not serialized.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Row {
    key: String,
    #[serde(skip)]
    line: u64,
}

fn row() -> Row {
    Row { key: "a".into(), line: 7 }
}

#[test]
fn a_field_that_is_not_written_is_found_by_the_types_own_equality() {
    type Answer<T> = std::result::Result<T, TaskError>;
    #[task]
    async fn plain() -> Result<Row> {
        Ok(row())
    }
    #[task]
    async fn within() -> Result<Vec<(u8, Option<Row>)>> {
        Ok(vec![(1, Some(row()))])
    }
    #[task]
    async fn aliased() -> Answer<Row> {
        Ok(row())
    }
    #[task]
    fn blocking() -> Result<Row> {
        Ok(row())
    }
    #[sensor]
    async fn sensed() -> Result<Poke<Row>> {
        Ok(Poke::Ready(row()))
    }
    #[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize, Branch)]
    enum Route {
        Found(Row),
    }
    #[branch]
    async fn route() -> Result<Route> {
        Ok(Route::Found(row()))
    }
    #[pipeline]
    fn rows() {
        plain();
        within();
        aliased();
        blocking();
        sensed();
        let RouteArms { found: _ } = route();
    }
    for id in ["plain", "within", "aliased", "blocking", "sensed", "route"] {
        let error = error(rows(), id);
        assert!(error.contains("comes back from JSON unequal (`!=`) to what was returned"), "{error}");
        assert!(error.contains("as with a field that `#[serde(skip)]` leaves out"), "{error}");
    }
}

#[test]
fn a_skipped_field_that_has_its_default_came_back_the_same() {
    #[task]
    async fn plain() -> Result<Row> {
        Ok(Row { line: 0, ..row() })
    }
    #[pipeline]
    fn rows() {
        plain();
    }
    assert_eq!(Simulation::new(rows()).run().output::<Row>("plain"), Some(Row { line: 0, ..row() }));
}

/// Where `==` cannot tell, the output is accepted: a value that came back unchanged is never refused.
#[test]
fn an_equality_that_tells_nothing_refuses_nothing() {
    /// Not equal to itself.
    #[derive(Clone, PartialEq)]
    struct Ratio(f64);
    impl serde::Serialize for Ratio {
        fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
            to.collect_str(&self.0)
        }
    }
    impl<'de> serde::Deserialize<'de> for Ratio {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
            String::deserialize(from)?.parse().map(Ratio).map_err(serde::de::Error::custom)
        }
    }
    /// Equal only to itself.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Shared(std::sync::Arc<u64>);
    impl PartialEq for Shared {
        fn eq(&self, other: &Self) -> bool {
            std::sync::Arc::ptr_eq(&self.0, &other.0)
        }
    }
    /// Equal regardless of the field that is not serialized.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Cached {
        key: u64,
        #[serde(skip)]
        hash: Option<u64>,
    }
    impl PartialEq for Cached {
        fn eq(&self, other: &Self) -> bool {
            self.key == other.key
        }
    }
    /// Without `PartialEq`, nothing is known about the field that is not serialized.
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Opaque {
        #[serde(skip)]
        hash: Option<u64>,
    }
    #[task]
    async fn ratio() -> Result<Ratio> {
        Ok(Ratio(f64::NAN))
    }
    #[task]
    async fn shared() -> Result<Shared> {
        Ok(Shared(7.into()))
    }
    #[task]
    async fn cached() -> Result<Cached> {
        Ok(Cached { key: 1, hash: Some(2) })
    }
    #[task]
    async fn opaque() -> Result<Opaque> {
        Ok(Opaque { hash: Some(2) })
    }
    #[task]
    async fn used(ratio: Ratio, shared: Shared, cached: Cached, opaque: Opaque) -> Result<String> {
        Ok(format!("{} {} {:?} {:?}", ratio.0, shared.0, cached.hash, opaque.hash))
    }
    #[pipeline]
    fn all() {
        used(ratio(), shared(), cached(), opaque());
    }
    let report = Simulation::new(all()).run();
    assert_eq!(report.output::<String>("used").as_deref(), Some("NaN 7 Some(2) Some(2)"), "{}", report.timeline());
}

/// A float is read back to the last bit; otherwise a sum would differ after a resume.
#[test]
fn floats_come_back_bit_by_bit() {
    #[task]
    async fn floats() -> Result<Vec<f64>> {
        let mut bits = 0x9E37_79B9_7F4A_7C15_u64;
        let floats = (0..20_000).map(|_| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits(bits)
        });
        Ok(floats.filter(|float| float.is_finite()).chain([-0.0, f64::MIN_POSITIVE, f64::EPSILON]).collect())
    }
    #[task]
    async fn short() -> Result<Vec<f32>> {
        let floats = (0..100_000).map(|n: u32| f32::from_bits(n.wrapping_mul(2_654_435_761)));
        Ok(floats.filter(|float| float.is_finite()).collect())
    }
    #[pipeline]
    fn all() {
        floats();
        short();
    }
    let report = Simulation::new(all()).run();
    assert_eq!(report.state(), pipeline_runtime::RunState::Success, "{}", report.timeline());
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

#[test]
#[should_panic(expected = "the output of `numbers` is a `alloc::vec::Vec<u64>`, and not a `alloc::string::String`")]
fn an_output_is_asked_for_by_its_type() {
    #[pipeline]
    fn counted() {
        numbers(2u64);
    }
    // The wrong type is an error even if the node has no output.
    let _ = Simulation::new(counted()).cancel("0s").run().output::<String>("numbers");
}

#[test]
#[should_panic(expected = "the output of `each(takes)` is not a `u64`")]
fn so_is_what_follows_from_others() {
    #[pipeline]
    fn mapped() {
        numbers(2u64).each(|n| takes(n));
    }
    let _ = Simulation::new(mapped()).run().output::<u64>("each(takes)");
}

#[test]
fn what_nothing_met_is_warned_of() {
    use pipeline_runtime::sensors::key_exists;
    #[task(retries = 1)]
    async fn flat() -> Result<u64> {
        Ok(1)
    }
    #[pipeline]
    fn nightly() -> Result<()> {
        flat();
        numbers(2u64).each(|_| flat().named("mapped"));
        key_exists(Bucket::open("memory://data")?, "export.json");
        Ok(())
    }
    let simulation = || Simulation::new(nightly()).arrive("1m", "memory://data/export.json", "{}");
    let met = simulation()
        .arrive("3m", "MEMORY://data/other.json", "{}")
        .fail("flat", 1, "x")
        .fail("mapped", 1, "x")
        .fail("mapped[1]", 2, "x")
        .run();
    assert!(met.warnings().is_empty(), "{:?}", met.warnings());
    let unmet = simulation().fail("flat", 2, "x").fail("mapped[7]", 1, "x").arrive("2m", "memory://dta/export.json", "{}").run();
    assert_eq!(
        unmet.warnings(),
        [
            "nothing met the failure of attempt 2 of `flat`, which had 1 attempt",
            "nothing met the failure of attempt 1 of `mapped[7]`, which had 0 attempts",
            "nothing met the arrival of memory://dta/export.json: the run touched memory://data alone",
        ]
    );
}
