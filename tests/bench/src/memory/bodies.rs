//! What a node does besides passing a number on.

use serde::{Deserialize, Serialize};

/// A kind of body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Nothing.
    #[default]
    Noop,
    /// About a microsecond of arithmetic.
    Work,
    /// Is pending at its first poll.
    Yields,
}

/// Steps that take about a microsecond in total: each waits for the one before, about 4 cycles.
const STEPS: u64 = 750;

fn work(n: u64) -> u64 {
    let mut x = n;
    for _ in 0..STEPS {
        x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    std::hint::black_box(x);
    n
}

/// The body of every contender's node, given the sum of its inputs.
pub async fn body(kind: Body, sum: u64) -> u64 {
    match kind {
        Body::Noop => {}
        Body::Work => {
            work(sum);
        }
        Body::Yields => tokio::task::yield_now().await,
    }
    sum.wrapping_add(1)
}
