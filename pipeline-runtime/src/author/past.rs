//! `depends_on_past` of one node: it starts only after the same node has passed in the previous scheduled run.
//!
//! # Why a node of its own waits
//!
//! A sensor precedes the node that depends on its past. So the wait is visible like any other node, holds no permit or lock, and
//! is resumed after a crash like any sensor. It has no ticks: the host of the run knows when the other node has passed, and pokes
//! the sensor then.

use super::body::{Body, Inputs, Started};
use super::call::call;
use super::definition::{Definition, Kind, Task};
use super::draft::{Draft, DraftOrder, Misuse, NodeOrGroup, What};
use super::input::Rule;
use super::options::TaskOptions;
use super::value::Codec;
use std::sync::Arc;
use std::time::Duration;

/// The timeout of the sensor. It is finite only because durations cannot be infinite.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// The body of the sensor.
#[derive(Debug)]
struct Past;

impl Body for Past {
    fn start(&self, inputs: &Inputs<'_>) -> Started {
        Started::Async(call(inputs.passed_before(), None))
    }
}

static DEFINITION: Definition =
    Definition::of::<Past>(Kind::Sensor, "past", "Waits until the node has passed in the previous scheduled run.", "()");

fn task() -> Task {
    Task {
        definition: &DEFINITION,
        inputs: Box::default(),
        options: TaskOptions { timeout: Some(FOR_EVER), ..TaskOptions::default() },
        body: Box::new(Past),
        codec: Codec::of::<()>(),
        compare: None,
        branch: None,
    }
}

/// True if a task is that sensor.
pub(crate) fn is_wait(task: &Task) -> bool {
    std::ptr::eq(task.definition, &raw const DEFINITION)
}

/// Wires a sensor before each node that depends on its past. This happens after everything else is wired, because the last
/// setting counts.
pub(super) fn wire(draft: &mut Draft) {
    if !draft.may_depend_on_past() {
        return;
    }
    let task = Arc::new(task());
    for ix in 0..draft.nodes.len() {
        if !depends_on_past(draft, ix) {
            continue;
        }
        let (node, at) = (draft.handle(ix), draft.nodes[ix].at);
        if draft.nodes[ix].scope != 0 {
            draft.misuses.push(Misuse::PastOfAnElement { node: node.index(), at });
            continue;
        }
        let sensor = draft.push(What::Body(Arc::clone(&task)), 0..0, at);
        draft.pasts.push((sensor.index(), node.index()));
        draft.orders.push(DraftOrder {
            node: NodeOrGroup::Node(node),
            upstream: NodeOrGroup::Node(sensor),
            rule: Rule::AllSuccess,
            at,
        });
    }
}

/// The innermost setting counts: that of the node, then its groups from the inside, then the attribute.
fn depends_on_past(draft: &Draft, ix: usize) -> bool {
    let node = &draft.nodes[ix];
    let What::Body(task) = &node.what else { return false };
    let at_node = node.overrides.as_ref().and_then(|given| given.options.depends_on_past);
    let index = u32::try_from(ix).unwrap_or(u32::MAX);
    let of_groups = || {
        let mut around = draft.groups.iter().rev().filter(|group| group.nodes.contains(&index));
        around.find_map(|group| group.overrides.as_ref()?.options.depends_on_past)
    };
    at_node.or_else(of_groups).or(task.options.depends_on_past).unwrap_or(false)
}
