//! Parts of an output: fields and parts of a tuple. They are not nodes.

use super::tasks::*;
use pipeline_runtime::NodeState::{Failed, Skipped, Success, UpstreamFailed};
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Location {
    folder: String,
    depth: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Setup {
    location: Location,
    counts: Vec<u64>,
    limit: u64,
}

#[task]
async fn set_up() -> Result<Setup> {
    Ok(Setup { location: Location { folder: "raw".into(), depth: 3 }, counts: vec![1, 2, 3], limit: 7 })
}
#[task]
async fn pair(n: u64) -> Result<(Vec<u64>, u64)> {
    Ok(((0..n).collect(), n * 10))
}
#[task]
async fn shared(n: Arc<u64>, folder: String) -> Result<String> {
    Ok(format!("{folder} {n}"))
}
#[task]
async fn maybe(n: Option<u64>) -> Result<Option<u64>> {
    Ok(n)
}
#[task]
async fn any(all: Vec<Outcome<u64>>) -> Result<usize> {
    Ok(all.iter().filter(|one| matches!(one, Outcome::Success(_))).count())
}

#[test]
fn a_part_is_taken_as_an_output_is() {
    #[pipeline]
    fn parts() {
        let setup = set_up();
        let limit = setup.field(|setup| &setup.limit);
        let location = setup.field(|setup| &setup.location);
        shared(limit, location.field(|location| &location.folder));
        maybe(limit);
        outcome(limit);
        sum([limit, location.field(|location| &location.depth)]);
        takes(first_of([location.field(|location| &location.depth), limit]));
        takes(1u64).after(limit).named("after");
    }
    let plan = parts().plan(&serde_json::Value::Null).unwrap();
    assert_eq!(plan.to_json()["nodes"].as_array().unwrap().len(), 8, "there is no node for a part");
    let report = Simulation::new(parts()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<String>("shared").as_deref(), Some("raw 7"));
    assert_eq!(report.output::<Option<u64>>("maybe"), Some(Some(7)));
    assert_eq!(report.output::<String>("outcome").as_deref(), Some("success 7"));
    assert_eq!(report.output::<u64>("sum"), Some(10));
    assert_eq!(report.output::<u64>("takes"), Some(3));
    let report = Simulation::new(parts()).fail("set_up", 1, "down").run();
    assert_eq!(
        states(&report, ["shared", "maybe", "outcome", "sum", "takes", "after"]),
        [UpstreamFailed, UpstreamFailed, Success, UpstreamFailed, UpstreamFailed, UpstreamFailed]
    );
    assert!(report.output::<String>("outcome").unwrap().starts_with("set_up failed"));
}

#[test]
fn a_part_may_be_mapped_and_be_what_is_made_of_each_element() {
    #[pipeline]
    fn mapped() {
        let setup = set_up();
        let pairs = setup.field(|setup| &setup.counts).each(|n| pair(n).field(|pair| &pair.1));
        sum(pairs);
        any(pairs);
        let keyed = setup.field(|setup| &setup.counts).keyed(|n| format!("of_{n}"));
        let (numbers, tens) = keyed.each(|n| {
            let (numbers, tens) = pair(n).named("keyed").split();
            (sum(numbers).named("small"), takes(tens).named("large"))
        });
        sum(numbers).named("all_small");
        sum(tens).named("all_large");
    }
    let report = Simulation::new(mapped()).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<Vec<u64>>("each(pair)"), Some(vec![10, 20, 30]));
    assert_eq!((report.output::<u64>("sum"), report.output::<usize>("any")), (Some(60), Some(3)));
    assert_eq!(report.output::<u64>("small[of_3]"), Some(3));
    assert_eq!((report.output::<u64>("all_small"), report.output::<u64>("all_large")), (Some(4), Some(60)));
}

#[test]
fn a_tuple_is_divided() {
    #[pipeline]
    fn divided() {
        let (numbers, ten) = pair(4u64).split();
        sum(numbers);
        takes(ten);
    }
    let report = Simulation::new(divided()).run();
    assert_eq!((report.output::<u64>("sum"), report.output::<u64>("takes")), (Some(6), Some(40)));
    let report = Simulation::new(divided()).skip("0s", "pair").run();
    assert_eq!(states(&report, ["sum", "takes"]), [Skipped; 2]);
}

/// The code that gets a part is the user's, so it may panic.
#[test]
fn a_panic_fails_whoever_looks() {
    #[pipeline]
    fn panicking() {
        let setup = set_up();
        takes(setup.field(|setup| {
            assert!(setup.limit > 7, "the limit is {}", setup.limit);
            &setup.limit
        }));
        setup.field(|_| -> &Vec<u64> { panic!("no list") }).each(|n| takes(n).named("of_each"));
        takes(setup.field(|setup| &setup.limit)).named("beside");
    }
    let report = Simulation::new(panicking()).run();
    assert_eq!(states(&report, ["takes", "each(of_each)", "beside"]), [Failed, Failed, Success]);
    assert!(report.node("takes").error().unwrap().contains("the limit is 7"));
    assert_eq!(report.node("each(of_each)").error(), Some("the list could not be read: no list"));
}
