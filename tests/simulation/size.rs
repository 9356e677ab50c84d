//! Large plans run to their end.

use super::tasks::*;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{RunState, Simulation};

const NODES: usize = 10_000;

#[task]
async fn most(all: Vec<u64>) -> Result<u64> {
    Ok(all.into_iter().max().unwrap_or(0))
}

#[test]
fn a_chain_of_10_000_nodes() {
    #[pipeline]
    fn chain() {
        let mut node = takes(1u64);
        for _ in 1..NODES {
            node = takes(node);
        }
    }
    let report = Simulation::new(chain()).run();
    assert_eq!((report.state(), report.nodes().count()), (RunState::Success, NODES));
    assert_eq!(report.output::<u64>("takes__10000"), Some(1));
}

#[test]
fn a_fan_out_of_10_000_nodes_and_back_in() {
    #[pipeline]
    fn fan() {
        let root = takes(1u64);
        sum((0..NODES).map(|_| takes(root)).collect::<Vec<_>>());
    }
    assert_eq!(Simulation::new(fan()).run().output::<u64>("sum"), Some(NODES as u64));
}

#[test]
fn layers_of_100_nodes_that_each_take_three_of_the_layer_before() {
    #[pipeline]
    fn layered() {
        let mut layer: Vec<Node<u64>> = (0..100).map(|_| takes(1u64)).collect();
        for _ in 1..NODES / 100 {
            layer = (0..100).map(|n| most([0, 33, 71].map(|step| layer[(n + step) % 100]))).collect();
        }
    }
    assert_eq!(Simulation::new(layered()).run().state(), RunState::Success);
}

#[test]
fn a_mapping_of_10_000_elements() {
    #[pipeline]
    fn mapped() {
        sum(numbers(NODES as u64).each(|n| takes(n)));
    }
    assert_eq!(Simulation::new(mapped()).run().output::<u64>("sum"), Some((0..NODES as u64).sum()));
}

#[test]
fn mappings_in_mappings_that_take_from_around_them() {
    #[pipeline]
    fn nested() {
        let outside = source(Ends::Success, 5u64);
        sum(numbers(1000u64).each(|n| {
            let beside = sum([n, outside]);
            sum(numbers(10u64).after(n).each(|m| sum([m, beside])))
        }))
        .named("total");
    }
    assert_eq!(
        Simulation::new(nested()).run().output::<u64>("total"),
        Some(1000 * 45 + 10 * (0..1000).map(|n| n + 5).sum::<u64>())
    );
}

#[test]
fn a_failure_reaches_10_000_nodes_at_once() {
    #[pipeline]
    fn failing() {
        let mut node = source(Ends::Failed, 1u64);
        for _ in 0..NODES {
            node = takes(node);
        }
    }
    let report = Simulation::new(failing()).run();
    assert_eq!(report.node("takes__10000").finished(), Some(secs(1)));
}
