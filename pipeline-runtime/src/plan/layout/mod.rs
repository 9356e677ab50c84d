//! The positions of a graph's boxes in a drawing.
//!
//! Boxes are in layers, each to the right of all boxes that lead to it. A few sweeps search for the order within each layer with
//! the fewest crossings; each sweep moves boxes to the mean of their neighbors (Sugiyama, Tagawa and Toda 1981). Then each box
//! moves as close to its neighbors as the boxes next to it allow.
//!
//! # Invariants
//!
//! - No two boxes overlap, and each edge leads to the right. (`tests.rs`)
//! - The same graph gives the same drawing.
//!
//! # Why positions are a regression
//!
//! Boxes that push each other aside one by one drift: drawings of a thousand nodes become thousands of rows high. Pooling the
//! boxes that would overlap and placing each pool at its mean is exact for one layer (the pool-adjacent-violators algorithm), and
//! takes linear time.

mod order;
#[cfg(test)]
mod tests;

use order::ordered;

/// The size of a box and the gaps between boxes, in units of the drawing.
pub(crate) const WIDTH: f64 = 184.0;
pub(crate) const HEIGHT: f64 = 34.0;
const BESIDE: f64 = 56.0;
const BELOW: f64 = 14.0;
/// An edge over more layers is drawn straight, without bending around boxes.
const LONGEST: u32 = 8;
/// How often positions are balanced.
const ROUNDS: usize = 12;

/// The drawing of a graph.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The upper left corner of each box.
    pub(crate) boxes: Vec<(f64, f64)>,
    /// The points of each edge, in the order of the edges.
    pub(crate) edges: Vec<Vec<(f64, f64)>>,
}

/// The elements in layers: boxes, and the passages of longer edges.
pub(super) struct Layered {
    /// By layer, in order.
    layers: Vec<Vec<u32>>,
    layer_of: Vec<u32>,
    /// For each element, its neighbors in the layer before and in the layer after.
    before: Vec<Vec<u32>>,
    after: Vec<Vec<u32>>,
}

/// Draws a graph of boxes without cycles. `edges` lead from one box to another.
pub(crate) fn draw(boxes: usize, edges: &[(u32, u32)]) -> Drawing {
    let layer_of = longest_paths(boxes, edges);
    let (layered, passages) = layered(edges, layer_of);
    let layered = ordered(layered);
    let centres = centres(&layered);
    let left = |of: u32| f64::from(layered.layer_of[of as usize]) * (WIDTH + BESIDE);
    let top = centres.iter().copied().fold(f64::INFINITY, f64::min);
    let top = if top.is_finite() { top - HEIGHT / 2.0 } else { 0.0 };
    let middle = |of: u32| centres[of as usize] - top;
    let placed: Vec<(f64, f64)> = (0..index(boxes)).map(|of| (left(of), middle(of) - HEIGHT / 2.0)).collect();
    let routes = edges.iter().zip(&passages).map(|((from, to), passages)| {
        let mut points = vec![(left(*from) + WIDTH, middle(*from))];
        for passage in passages {
            points.extend([(left(*passage), middle(*passage)), (left(*passage) + WIDTH, middle(*passage))]);
        }
        points.push((left(*to), middle(*to)));
        points
    });
    let edges: Vec<Vec<(f64, f64)>> = routes.collect();
    let most = |of: fn(&(f64, f64)) -> f64| placed.iter().map(of).fold(0.0, f64::max);
    let lowest = edges.iter().flatten().map(|(_, y)| *y).fold(0.0, f64::max);
    let (width, height) = (most(|(x, _)| *x) + WIDTH, (most(|(_, y)| *y) + HEIGHT).max(lowest));
    Drawing { width, height, boxes: placed, edges }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The layer of each box: the number of edges on the longest path to it.
fn longest_paths(boxes: usize, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut after: Vec<Vec<u32>> = vec![Vec::new(); boxes];
    let mut open = vec![0_u32; boxes];
    for (from, to) in edges {
        after[*from as usize].push(*to);
        open[*to as usize] += 1;
    }
    let mut layer = vec![0; boxes];
    let mut ready: Vec<u32> = (0..index(boxes)).filter(|of| open[*of as usize] == 0).collect();
    while let Some(from) = ready.pop() {
        for &to in &after[from as usize] {
            layer[to as usize] = layer[to as usize].max(layer[from as usize] + 1);
            open[to as usize] -= 1;
            if open[to as usize] == 0 {
                ready.push(to);
            }
        }
    }
    layer
}

/// Boxes and passages in their layers, and the passages of each edge.
fn layered(edges: &[(u32, u32)], mut layer_of: Vec<u32>) -> (Layered, Vec<Vec<u32>>) {
    let mut passages = vec![Vec::new(); edges.len()];
    let mut steps = Vec::with_capacity(edges.len());
    for (edge, (from, to)) in edges.iter().enumerate() {
        let (first, last) = (layer_of[*from as usize], layer_of[*to as usize]);
        if last - first > LONGEST {
            continue;
        }
        let mut here = *from;
        for layer in first + 1..last {
            let passage = index(layer_of.len());
            layer_of.push(layer);
            passages[edge].push(passage);
            steps.push((here, passage));
            here = passage;
        }
        steps.push((here, *to));
    }
    let all = layer_of.len();
    let (mut before, mut after) = (vec![Vec::new(); all], vec![Vec::new(); all]);
    for (from, to) in steps {
        after[from as usize].push(to);
        before[to as usize].push(from);
    }
    let mut layers = vec![Vec::new(); layer_of.iter().max().map_or(0, |last| *last as usize + 1)];
    for (of, layer) in layer_of.iter().enumerate() {
        layers[*layer as usize].push(index(of));
    }
    (Layered { layers, layer_of, before, after }, passages)
}

/// The vertical center of each box and passage.
fn centres(of: &Layered) -> Vec<f64> {
    let step = HEIGHT + BELOW;
    let mut centres = vec![0.0; of.layer_of.len()];
    for layer in &of.layers {
        for (position, here) in layer.iter().enumerate() {
            centres[*here as usize] = f64::from(index(position)) * step;
        }
    }
    for round in 0..ROUNDS {
        let from_left = round % 2 == 0;
        let place = |layer: &Vec<u32>, neighbours: &[Vec<u32>], centres: &mut Vec<f64>| {
            let wanted: Vec<f64> = layer.iter().map(|here| mean(&neighbours[*here as usize], *here, centres)).collect();
            for (here, centre) in layer.iter().zip(apart(&wanted, step)) {
                centres[*here as usize] = centre;
            }
        };
        if from_left {
            of.layers.iter().skip(1).for_each(|layer| place(layer, &of.before, &mut centres));
        } else {
            of.layers.iter().rev().skip(1).for_each(|layer| place(layer, &of.after, &mut centres));
        }
    }
    centres
}

/// The mean of the neighbors; without any, the current position.
fn mean(neighbours: &[u32], here: u32, centres: &[f64]) -> f64 {
    match neighbours.len() {
        0 => centres[here as usize],
        count => neighbours.iter().map(|of| centres[*of as usize]).sum::<f64>() / f64::from(index(count)),
    }
}

/// The positions closest to the wanted ones, by least squares, in the same order and at least `step` apart.
fn apart(wanted: &[f64], step: f64) -> Vec<f64> {
    // With the steps subtracted, the positions only have to be increasing.
    let mut pools: Vec<(f64, u32)> = Vec::with_capacity(wanted.len());
    for (place, wanted) in wanted.iter().enumerate() {
        let (mut mean, mut count) = (wanted - f64::from(index(place)) * step, 1);
        while let Some((before, many)) = pools.last().copied().filter(|(before, _)| *before > mean) {
            mean = (before * f64::from(many) + mean * f64::from(count)) / f64::from(many + count);
            count += many;
            pools.pop();
        }
        pools.push((mean, count));
    }
    let flat = pools.into_iter().flat_map(|(mean, count)| (0..count).map(move |_| mean));
    flat.enumerate().map(|(place, at)| at + f64::from(index(place)) * step).collect()
}
