//! The pipeline of a shape, and its runs.

use super::bodies::{self, Body};
use super::shape::{Kind, Shape};
use super::{RUNS, WORKERS};
use crate::rounds::Contender;
use crate::stopwatch::{Stopwatch, Took};
use pipeline_runtime::__measure::Live;
use pipeline_runtime::prelude::*;
use pipeline_runtime::{Plan, RunState};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::sync::Arc;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Options {
    shape: Kind,
    body: Body,
}

/// The tasks of a shape, for one kind of body.
macro_rules! tasks {
    ($kind:ident, $body:expr) => {
        mod $kind {
            use super::bodies::{self, Body};
            use pipeline_runtime::prelude::*;

            #[task]
            async fn first() -> Result<u64> {
                Ok(bodies::body($body, 0).await)
            }
            #[task]
            async fn one(n: u64) -> Result<u64> {
                Ok(bodies::body($body, n).await)
            }
            #[task]
            async fn three(a: u64, b: u64, c: u64) -> Result<u64> {
                Ok(bodies::body($body, a.wrapping_add(b).wrapping_add(c)).await)
            }
            #[task]
            async fn all(numbers: Vec<u64>) -> Result<u64> {
                Ok(bodies::body($body, numbers.into_iter().fold(0, u64::wrapping_add)).await)
            }

            pub(super) fn node(upstreams: &[Node<u64>]) -> Node<u64> {
                match upstreams {
                    [] => first(),
                    [n] => one(*n),
                    [a, b, c] => three(*a, *b, *c),
                    more => all(more.to_vec()),
                }
            }
        }
    };
}
tasks!(noop, Body::Noop);
tasks!(work, Body::Work);
tasks!(yields, Body::Yields);

thread_local! {
    /// The shape to be wired. It is made before, so that making it does not count as wiring.
    static SHAPE: Cell<Option<Arc<Shape>>> = const { Cell::new(None) };
}

#[pipeline]
fn shaped(options: Options) {
    let node = match options.body {
        Body::Noop => noop::node,
        Body::Work => work::node,
        Body::Yields => yields::node,
    };
    let shape = SHAPE.take().filter(|shape| shape.kind == options.shape);
    let shape = shape.unwrap_or_else(|| Arc::new(options.shape.into()));
    // `nodes` is allocated before, and `of_node` is reused, so that little but the wiring counts.
    let (mut nodes, mut of_node): (Vec<Node<u64>>, Vec<Node<u64>>) = (Vec::with_capacity(shape.nodes()), Vec::new());
    for upstreams in &shape.upstreams {
        of_node.clear();
        of_node.extend(upstreams.iter().map(|&from| nodes[from as usize]));
        nodes.push(node(&of_node));
    }
    if let Some(last) = nodes.last() {
        last.named("last");
    }
}

/// The plan of a shape.
///
/// # Panics
///
/// If the plan is invalid, which would be a bug of the engine.
pub fn plan(shape: &Arc<Shape>, body: Body) -> Plan {
    SHAPE.set(Some(Arc::clone(shape)));
    let options = Options { shape: shape.kind, body };
    let params = serde_json::to_value(options).unwrap_or_default();
    match shaped().plan(&params) {
        Ok(plan) => plan,
        Err(error) => panic!("{error}"),
    }
}

/// Runs a shape's plan, which is built before.
pub fn contender(shape: &Shape, body: Body) -> Contender<'_> {
    let plan = Arc::new(plan(&Arc::new(shape.clone()), body));
    Contender::new("this", move || (0..RUNS).map(|_| once(&plan, shape)).sum::<Took>())
}

fn once(plan: &Arc<Plan>, shape: &Shape) -> Took {
    let Ok(live) = Live::in_memory(WORKERS) else { panic!("cannot start threads") };
    let watch = Stopwatch::start();
    let run = live.start(plan);
    let state = run.ended();
    let took = watch.took();
    assert_eq!((state, run.output::<u64>("last")), (RunState::Success, Some(shape.expected())));
    took
}
