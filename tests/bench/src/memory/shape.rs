//! The graphs that are measured.

use serde::{Deserialize, Serialize};

/// A graph, as the upstreams of each node. Every node but the last is somebody's upstream, and the last depends on all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    name: String,
    /// The upstreams of each node.
    pub upstreams: Vec<Vec<u32>>,
}

impl Shape {
    /// One node after the other.
    pub fn chain(nodes: u32) -> Self {
        let upstreams = (0..nodes).map(|node| node.checked_sub(1).into_iter().collect()).collect();
        Self { name: format!("chain {nodes}"), upstreams }
    }

    /// One node, then `width` that take its output, then one that takes all of theirs.
    pub fn fan(width: u32) -> Self {
        let mut upstreams = vec![Vec::new()];
        upstreams.extend((0..width).map(|_| vec![0]));
        upstreams.push((1..=width).collect());
        Self { name: format!("fan 1 → {width} → 1"), upstreams }
    }

    /// Layers of nodes that each take three nodes of the layer before, by a fixed seed; then one that takes all of the last.
    /// The first of the three sees to it that each node is taken by somebody.
    pub fn layered(layers: u32, width: u32) -> Self {
        let mut seed = 1u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(seed >> 33).unwrap_or_default() % width
        };
        let mut upstreams: Vec<Vec<u32>> = (0..width).map(|_| Vec::new()).collect();
        for layer in 1..layers {
            let before = (layer - 1) * width;
            let shift = random();
            upstreams.extend((0..width).map(|node| vec![before + (node + shift) % width, before + random(), before + random()]));
        }
        upstreams.push(((layers - 1) * width..layers * width).collect());
        Self { name: format!("layered {layers} × {width}, 3 random upstreams"), upstreams }
    }

    /// What the shape is called.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.upstreams.len()
    }

    /// What the last node returns: each node adds one to the sum of its upstreams.
    pub fn expected(&self) -> u64 {
        let mut outputs: Vec<u64> = Vec::with_capacity(self.nodes());
        for upstreams in &self.upstreams {
            let sum = upstreams.iter().fold(0u64, |sum, &from| sum.wrapping_add(outputs[from as usize]));
            outputs.push(sum.wrapping_add(1));
        }
        outputs.pop().unwrap_or_default()
    }
}
