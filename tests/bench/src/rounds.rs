//! Contenders that take turns, so that what else the machine does falls on all of them.

use crate::stats::Spread;
use std::time::Duration;

/// Rounds for a figure: an odd number, so that the median is a measurement.
pub const ROUNDS: usize = 11;

/// One way to do the work of a row. Returns how long that took, without what it needs before and after.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Contender<'a> {
    /// What it is called.
    pub name: &'static str,
    /// Does the work once.
    pub once: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender.
    pub fn new(name: &'static str, once: impl FnMut() -> Duration + 'a) -> Self {
        Self { name, once: Box::new(once) }
    }
}

/// What the rounds of one contender came to.
#[derive(Debug)]
pub struct Standing {
    /// The contender's.
    pub name: &'static str,
    /// Nanoseconds a unit of work.
    pub nanos: Spread,
    /// Round by round, beside the first contender.
    pub ratio: Spread,
}

/// Lets the contenders take turns, after one round that does not count. `units` is how much work one turn is.
#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
pub fn alternate(units: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Standing> {
    let mut measured: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (contender, measured) in contenders.iter_mut().zip(&mut measured) {
            let nanos = (contender.once)().as_nanos() as f64 / units as f64;
            if round > 0 {
                measured.push(nanos);
            }
        }
    }
    let first = measured[0].clone();
    let standing = |(contender, measured): (&Contender<'_>, &Vec<f64>)| Standing {
        name: contender.name,
        nanos: Spread::of(measured.iter().copied()),
        ratio: Spread::of(measured.iter().zip(&first).map(|(of, first)| of / first)),
    };
    contenders.iter().zip(&measured).map(standing).collect()
}
