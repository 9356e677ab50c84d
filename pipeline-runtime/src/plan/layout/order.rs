//! The order of the boxes in each layer, so that few edges cross.

use super::{Layered, index};

/// How often all layers are swept.
const SWEEPS: usize = 8;
/// With more steps between layers, further sweeps take too long.
const MANY: usize = 400_000;

/// The best order that the sweeps find; the first of equally good ones.
pub(super) fn ordered(mut of: Layered) -> Layered {
    let steps: usize = of.after.iter().map(Vec::len).sum();
    let mut position = positions(&of);
    let mut best = (crossings(&of, &position), of.layers.clone());
    let sweeps = if steps > MANY { 2 } else { SWEEPS };
    for sweep in 0..sweeps {
        if best.0 == 0 {
            break;
        }
        let count = of.layers.len();
        for n in 1..count {
            let (layer, neighbours) = if sweep % 2 == 0 { (n, &of.before) } else { (count - 1 - n, &of.after) };
            let of_neighbours = |here: u32| {
                let near = &neighbours[here as usize];
                let sum: u64 = near.iter().map(|near| u64::from(position[*near as usize])).sum();
                // A box without neighbors stays where it is.
                if near.is_empty() { f64::from(position[here as usize]) } else { exact(sum) / f64::from(index(near.len())) }
            };
            let mut wanted: Vec<(f64, u32)> = of.layers[layer].iter().map(|here| (of_neighbours(*here), *here)).collect();
            wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
            of.layers[layer] = wanted.into_iter().map(|(_, here)| here).collect();
            for (at, here) in of.layers[layer].iter().enumerate() {
                position[*here as usize] = index(at);
            }
        }
        let now = crossings(&of, &position);
        if now < best.0 {
            best = (now, of.layers.clone());
        }
    }
    of.layers = best.1;
    of
}

#[expect(clippy::cast_precision_loss, reason = "a sum of positions, of which there are less than 2^32")]
fn exact(sum: u64) -> f64 {
    sum as f64
}

/// The position of each box and passage in its layer.
fn positions(of: &Layered) -> Vec<u32> {
    let mut position = vec![0; of.layer_of.len()];
    for layer in &of.layers {
        for (at, here) in layer.iter().enumerate() {
            position[*here as usize] = index(at);
        }
    }
    position
}

/// The number of pairs of steps that cross.
fn crossings(of: &Layered, position: &[u32]) -> u64 {
    let of_layer = |(left, right): (&Vec<u32>, &Vec<u32>)| {
        // From the top down: each step crosses those that came before it and end below it.
        let mut counts = Counts::new(right.len());
        let mut crossings = 0;
        for from in left {
            let mut ends: Vec<u32> = of.after[*from as usize].iter().map(|to| position[*to as usize]).collect();
            ends.sort_unstable();
            crossings += ends.iter().map(|end| counts.above(*end)).sum::<u64>();
            for end in ends {
                counts.add(end);
            }
        }
        crossings
    };
    of.layers.iter().zip(of.layers.iter().skip(1)).map(of_layer).sum()
}

/// Counts of numbers, with prefix sums in logarithmic time (Fenwick 1994).
struct Counts {
    sums: Vec<u64>,
    all: u64,
}

impl Counts {
    fn new(most: usize) -> Self {
        Self { sums: vec![0; most + 1], all: 0 }
    }

    fn add(&mut self, number: u32) {
        let mut at = number as usize + 1;
        while at < self.sums.len() {
            self.sums[at] += 1;
            at += at & at.wrapping_neg();
        }
        self.all += 1;
    }

    /// How many are greater than `number`.
    fn above(&self, number: u32) -> u64 {
        let (mut at, mut up_to) = (number as usize + 1, 0);
        while at > 0 {
            up_to += self.sums[at];
            at -= at & at.wrapping_neg();
        }
        self.all - up_to
    }
}
