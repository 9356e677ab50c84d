//! dagrs: each edge is a channel of its own, whose values are type-erased.

use async_trait::async_trait;
use dagrs::{Action, Content, DefaultNode, EnvVar, Graph, InChannels, Node, NodeId, NodeTable, OutChannels, Output};
use pipeline_bench::memory::shape::Shape;
use pipeline_bench::stopwatch::{Stopwatch, Took};
use std::sync::Arc;

struct Sum;

#[async_trait]
impl Action for Sum {
    async fn run(&self, upstreams: &mut InChannels, downstreams: &mut OutChannels, _: Arc<EnvVar>) -> Output {
        let number = |content: Option<Content>| content.and_then(Content::into_inner::<u64>).map_or(0, |n| *n);
        let numbers = upstreams.map(|received| number(received.ok())).await;
        let sum = numbers.into_iter().fold(1, u64::wrapping_add);
        downstreams.broadcast(Content::new(sum)).await;
        Output::Out(Some(Content::new(sum)))
    }
}

pub(crate) fn once(shape: &Shape) -> Took {
    let runtime = super::runtime();
    let (mut graph, last) = match graph(shape) {
        Ok(made) => made,
        Err(error) => panic!("dagrs: {error}"),
    };
    let watch = Stopwatch::start();
    if let Err(error) = runtime.block_on(graph.async_start()) {
        panic!("dagrs: {error}");
    }
    let output = graph.get_outputs().remove(&last).and_then(|output| output.get_out()?.into_inner::<u64>());
    let took = watch.took();
    assert_eq!(output.as_deref(), Some(&shape.expected()));
    took
}

fn graph(shape: &Shape) -> dagrs::DagrsResult<(Graph, NodeId)> {
    let mut table = NodeTable::new();
    let mut graph = Graph::new();
    let mut ids = Vec::new();
    let mut downstreams: Vec<Vec<NodeId>> = vec![Vec::new(); shape.nodes()];
    for (name, upstreams) in shape.upstreams.iter().enumerate() {
        let node = DefaultNode::with_action(name.to_string(), Sum, &mut table);
        for &from in upstreams {
            // A node that is an upstream twice has one edge.
            downstreams[from as usize].push(node.id());
        }
        ids.push(node.id());
        graph.add_node(node)?;
    }
    for (from, to) in ids.iter().zip(downstreams) {
        if !to.is_empty() {
            graph.add_edge(*from, to)?;
        }
    }
    graph.set_env(EnvVar::new(table));
    Ok((graph, ids[ids.len() - 1]))
}
