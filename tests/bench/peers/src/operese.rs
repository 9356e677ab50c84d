//! operese-dagx, a fork of dagx: a task has at most eight upstreams. The last node of a shape has more, so the caller computes
//! it. The caller also decides what drives the bodies; its documentation shows a tokio task for each, and the caller's own
//! thread.

use operese_dagx::{DagOutput, DagResult, DagRunner, TaskHandle, task};
use pipeline_bench::memory::shape::Shape;
use pipeline_bench::stopwatch::{Stopwatch, Took};
use tokio::runtime::Runtime;

struct First;
#[task]
impl First {
    async fn run() -> u64 {
        1
    }
}

struct One;
#[task]
impl One {
    async fn run(n: &u64) -> u64 {
        n.wrapping_add(1)
    }
}

struct Three;
#[task]
impl Three {
    async fn run(a: &u64, b: &u64, c: &u64) -> u64 {
        a.wrapping_add(*b).wrapping_add(*c).wrapping_add(1)
    }
}

/// A tokio task for each node of a layer with several nodes.
pub(crate) fn spawning(shape: &Shape) -> Took {
    once(shape, |runtime, dag| {
        // The library catches a body's panic before it could end this task.
        runtime.block_on(dag.run(|body| async move { tokio::spawn(body).await.unwrap_or_else(|error| panic!("{error}")) }))
    })
}

/// Runs all bodies on the caller's thread.
pub(crate) fn on_one_thread(shape: &Shape) -> Took {
    once(shape, |runtime, dag| runtime.block_on(dag.run(|body| body)))
}

fn once(shape: &Shape, run: fn(&Runtime, DagRunner) -> DagResult<DagOutput>) -> Took {
    let runtime = super::runtime();
    let mut dag = DagRunner::new();
    let mut nodes: Vec<TaskHandle<u64>> = Vec::new();
    let mut last = None;
    for upstreams in &shape.upstreams {
        let node = match *upstreams.as_slice() {
            [] => dag.add_task(First),
            [n] => dag.add_task(One).depends_on(&nodes[n as usize]),
            [a, b, c] => dag.add_task(Three).depends_on((&nodes[a as usize], &nodes[b as usize], &nodes[c as usize])),
            ref many => {
                last = Some(many);
                break;
            }
        };
        nodes.push(node);
    }
    // Taking an output uses its handle up. The handles that the last node takes are all those from its first upstream on.
    let joins = u64::from(last.is_some());
    let taken = match last {
        Some(upstreams) => nodes.split_off(upstreams[0] as usize),
        None => nodes.split_off(nodes.len() - 1),
    };
    let watch = Stopwatch::start();
    let mut output = match run(&runtime, dag) {
        Ok(output) => output,
        Err(error) => panic!("operese-dagx: {error}"),
    };
    let sum = taken.into_iter().map(|node| output.get(node)).fold(joins, u64::wrapping_add);
    let took = watch.took();
    assert_eq!(sum, shape.expected());
    took
}
