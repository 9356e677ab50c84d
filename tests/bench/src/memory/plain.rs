//! What a user without an engine would write: a tokio task is spawned for each node once its upstreams are done.

use super::bodies::{Body, body};
use super::shape::Shape;
use super::{RUNS, WORKERS};
use crate::rounds::Contender;
use crate::stopwatch::{Stopwatch, Took};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

struct Node {
    upstreams: Vec<u32>,
    downstreams: Vec<u32>,
    waits: AtomicU32,
    output: OnceLock<u64>,
}

struct Graph {
    nodes: Vec<Node>,
    body: Body,
    done: UnboundedSender<u64>,
}

/// Runs a shape; the nodes of each run are made before.
pub fn contender(shape: &Shape, body: Body) -> Contender<'_> {
    Contender::new("plain tokio", move || (0..RUNS).map(|_| once(shape, body)).sum::<Took>())
}

fn once(shape: &Shape, body: Body) -> Took {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() else {
        panic!("cannot start threads");
    };
    let (done, mut last) = unbounded_channel();
    let graph = Arc::new(Graph { nodes: nodes(shape), body, done });
    let watch = Stopwatch::start();
    for (node, of) in (0..).zip(&graph.nodes) {
        if of.upstreams.is_empty() {
            runtime.spawn(run(Arc::clone(&graph), node));
        }
    }
    let output = runtime.block_on(last.recv());
    let took = watch.took();
    assert_eq!(output, Some(shape.expected()));
    took
}

fn nodes(shape: &Shape) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for upstreams in &shape.upstreams {
        let waits = AtomicU32::new(u32::try_from(upstreams.len()).unwrap_or(u32::MAX));
        nodes.push(Node { upstreams: upstreams.clone(), downstreams: Vec::new(), waits, output: OnceLock::new() });
    }
    for (to, upstreams) in (0..).zip(&shape.upstreams) {
        for &from in upstreams {
            nodes[from as usize].downstreams.push(to);
        }
    }
    nodes
}

async fn run(graph: Arc<Graph>, node: u32) {
    let of = &graph.nodes[node as usize];
    let input = |from: &u32| graph.nodes[*from as usize].output.get().copied().unwrap_or_default();
    let sum = of.upstreams.iter().map(input).fold(0u64, u64::wrapping_add);
    let output = body(graph.body, sum).await;
    // Only this task sets it.
    let _ = of.output.set(output);
    for &to in &of.downstreams {
        if graph.nodes[to as usize].waits.fetch_sub(1, Ordering::AcqRel) == 1 {
            spawn(&graph, to);
        }
    }
    if of.downstreams.is_empty() {
        // The receiver may be gone.
        let _ = graph.done.send(output);
    }
}

/// A function of its own: the future of `run` would contain itself otherwise.
fn spawn(graph: &Arc<Graph>, node: u32) {
    drop(tokio::spawn(run(Arc::clone(graph), node)));
}
