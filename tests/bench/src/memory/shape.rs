//! The graphs that are measured.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A chain of that many nodes.
    Chain(u32),
    /// One node, then that many that take its output, then one that takes all of theirs.
    Fan(u32),
    /// That many layers of that many nodes (at least three). Each node takes three different ones of the layer before, by a fixed
    /// seed; then one node takes all of the last layer. The first of the three makes sure that each node has a downstream.
    Layered(u32, u32),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Chain(1)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(nodes) => write!(f, "chain {nodes}"),
            Self::Fan(width) => write!(f, "fan 1 → {width} → 1"),
            Self::Layered(layers, width) => write!(f, "layered {layers} × {width}, 3 upstreams each"),
        }
    }
}

/// A graph as the upstreams of each node. Every node but the last has a downstream, and the last depends on all.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The kind of the graph.
    pub kind: Kind,
    /// The upstreams of each node.
    pub upstreams: Vec<Vec<u32>>,
}

impl From<Kind> for Shape {
    fn from(kind: Kind) -> Self {
        let upstreams = match kind {
            Kind::Chain(nodes) => (0..nodes).map(|node| node.checked_sub(1).into_iter().collect()).collect(),
            Kind::Fan(width) => {
                let root = std::iter::once(Vec::new());
                root.chain((0..width).map(|_| vec![0])).chain(std::iter::once((1..=width).collect())).collect()
            }
            Kind::Layered(layers, width) => layered(layers, width),
        };
        Self { kind, upstreams }
    }
}

fn layered(layers: u32, width: u32) -> Vec<Vec<u32>> {
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap_or_default() % width
    };
    let mut upstreams: Vec<Vec<u32>> = (0..width).map(|_| Vec::new()).collect();
    for layer in 1..layers {
        let before = (layer - 1) * width;
        let shift = random();
        for node in 0..width {
            let mut of = vec![before + (node + shift) % width];
            while of.len() < 3 {
                let other = before + random();
                if !of.contains(&other) {
                    of.push(other);
                }
            }
            upstreams.push(of);
        }
    }
    upstreams.push(((layers - 1) * width..layers * width).collect());
    upstreams
}

impl Shape {
    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.upstreams.len()
    }

    /// The last node's output: each node adds one to the sum of its upstreams.
    pub fn expected(&self) -> u64 {
        let mut outputs: Vec<u64> = Vec::with_capacity(self.nodes());
        for upstreams in &self.upstreams {
            let sum = upstreams.iter().fold(0u64, |sum, &from| sum.wrapping_add(outputs[from as usize]));
            outputs.push(sum.wrapping_add(1));
        }
        outputs.pop().unwrap_or_default()
    }
}
