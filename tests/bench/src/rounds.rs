//! Contenders that alternate, so that other load of the machine affects them all.

use crate::stats::Spread;
use crate::stopwatch::Took;

/// Rounds per figure: an odd number, so that the median is a measurement.
pub const ROUNDS: usize = 11;

/// One way to do the work of a row. It returns its time, without preparations and clean-up.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Contender<'a> {
    /// Its name in the table.
    pub name: &'static str,
    /// Does the work once.
    pub once: Box<dyn FnMut() -> Took + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender.
    pub fn new<T: Into<Took>>(name: &'static str, mut once: impl FnMut() -> T + 'a) -> Self {
        Self { name, once: Box::new(move || once().into()) }
    }
}

/// The results of one contender.
#[derive(Debug)]
pub struct Standing {
    /// The contender's name.
    pub name: &'static str,
    /// Nanoseconds of wall time per unit of work.
    pub nanos: Spread,
    /// Nanoseconds of processor time per unit of work.
    pub cpu: Spread,
    /// `nanos` relative to the first contender's, round by round.
    pub ratio: Spread,
    /// `cpu` relative to the first contender's, round by round.
    pub cpu_ratio: Spread,
}

/// Lets the contenders alternate, after one round that does not count. `units` is the amount of work in one turn.
#[expect(clippy::cast_precision_loss, reason = "figures of a table")]
pub fn alternate(units: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Standing> {
    let mut measured: Vec<Vec<Took>> = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (contender, measured) in contenders.iter_mut().zip(&mut measured) {
            let took = (contender.once)();
            if round > 0 {
                measured.push(took);
            }
        }
    }
    let wall = |took: &Took| took.wall.as_nanos() as f64;
    let cpu = |took: &Took| took.cpu.as_nanos() as f64;
    let per_unit = |of: &[Took], side: &dyn Fn(&Took) -> f64| Spread::of(of.iter().map(|took| side(took) / units as f64));
    let ratio = |of: &[Took], side: &dyn Fn(&Took) -> f64| {
        Spread::of(of.iter().zip(&measured[0]).map(|(took, first)| side(took) / side(first)))
    };
    let standing = |(contender, of): (&Contender<'_>, &Vec<Took>)| Standing {
        name: contender.name,
        nanos: per_unit(of, &wall),
        cpu: per_unit(of, &cpu),
        ratio: ratio(of, &wall),
        cpu_ratio: ratio(of, &cpu),
    };
    contenders.iter().zip(&measured).map(standing).collect()
}
