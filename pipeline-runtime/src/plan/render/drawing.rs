//! The drawn form of a plan: a box for each task and sensor and for each mapping as a whole; the gates between them are left out.

use super::super::graph::{NodeIx, Plan, What};
use super::super::layout::{Drawing, draw};
use std::collections::{BTreeMap, BTreeSet};

/// A drawing of a plan.
#[derive(Debug)]
pub(crate) struct PlanDrawing {
    /// The node of each box, in wiring order.
    pub(crate) boxes: Vec<NodeIx>,
    /// The boxes at both ends, and true if the edge is only an order, without a value.
    pub(crate) edges: Vec<(u32, u32, bool)>,
    pub(crate) drawing: Drawing,
}

impl Plan {
    /// The plan as a drawing.
    pub(crate) fn to_drawing(&self) -> PlanDrawing {
        let boxes = self.boxes();
        let count = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let box_of: BTreeMap<NodeIx, u32> = boxes.iter().copied().zip(0..).collect();
        // In the order of their ranks, so that the sources of a gate are known before the gate.
        let mut by_rank: Vec<NodeIx> = (0..count).collect();
        by_rank.sort_by_key(|ix| self.node(*ix).rank);
        let mut behind: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); self.nodes.len()];
        let mut edges: BTreeMap<(u32, u32), bool> = BTreeMap::new();
        for ix in by_rank {
            let here = self.box_of(ix, &box_of);
            let values = self.upstreams(ix).map(|from| (from, false));
            let orders = self.inbound(ix).iter().map(|(from, _)| (*from, true));
            let mut reach = BTreeSet::new();
            for (from, is_order) in values.chain(orders).collect::<Vec<_>>() {
                let sources = match self.box_of(from, &box_of) {
                    Some(source) => BTreeSet::from([source]),
                    None => behind[from as usize].clone(),
                };
                for source in sources {
                    match here {
                        Some(here) if here != source => {
                            edges.entry((source, here)).and_modify(|order| *order &= is_order).or_insert(is_order);
                        }
                        Some(_) => {}
                        None => drop(reach.insert(source)),
                    }
                }
            }
            behind[ix as usize] = reach;
        }
        let edges: Vec<(u32, u32, bool)> = edges.into_iter().map(|((from, to), order)| (from, to, order)).collect();
        let plain: Vec<(u32, u32)> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
        let drawing = draw(boxes.len(), &plain);
        PlanDrawing { boxes, edges, drawing }
    }

    /// The nodes that are boxes in a drawing, in wiring order.
    pub(crate) fn boxes(&self) -> Vec<NodeIx> {
        let count = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let is_box = |ix: &NodeIx| self.node(*ix).scope == 0 && (self.node(*ix).is_body() || self.node(*ix).is_each());
        (0..count).filter(is_box).collect()
    }

    /// The box that contains a node: its own, or that of the outermost mapping that repeats it.
    fn box_of(&self, ix: NodeIx, box_of: &BTreeMap<NodeIx, u32>) -> Option<u32> {
        let mut ix = ix;
        while let Some(each) = self.scope(self.node(ix).scope).each {
            ix = each;
        }
        // Other lists of a mapping belong to that mapping.
        if let What::Gather(gather) = &self.node(ix).what {
            ix = gather.each;
        }
        box_of.get(&ix).copied()
    }
}
