//! Retries of ended nodes, which only this layer can request without a command line.

use crate::prelude::*;
use crate::{NodeState, RunState, Simulation};
use std::sync::atomic::{AtomicU32, Ordering};

/// Each call returns the next of these.
static LISTS: [&[u64]; 3] = [&[10, 20, 30], &[10, 21], &[10, 21, 31, 41]];

macro_rules! mapping {
    ($name:ident) => {
        mod $name {
            use super::*;
            pub(super) static CALLS: AtomicU32 = AtomicU32::new(0);
            pub(super) static BODIES: AtomicU32 = AtomicU32::new(0);

            #[task]
            async fn list() -> Result<Vec<u64>> {
                Ok(LISTS[CALLS.fetch_add(1, Ordering::SeqCst) as usize].to_vec())
            }
            #[task]
            async fn double(n: u64) -> Result<u64> {
                BODIES.fetch_add(1, Ordering::SeqCst);
                Ok(n * 2)
            }
            #[task]
            async fn total(all: Vec<u64>) -> Result<u64> {
                Ok(all.iter().sum())
            }
            #[pipeline]
            pub(super) fn pipeline() {
                total(list().each(|n| double(n)));
            }
        }
    };
}
mapping!(kept);
mapping!(anew);

#[test]
fn after_a_retry_elements_match_by_index_and_surplus_ones_are_removed() {
    let report = Simulation::new(kept::pipeline()).retry("1m", "list", false).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    // A node that had succeeded is not run again, even if the list now has a different element at that index.
    assert_eq!(kept::BODIES.load(Ordering::SeqCst), 3);
    assert_eq!(report.output::<u64>("double[1]"), Some(40));
    assert_eq!(report.node("double[2]").state(), NodeState::Removed);
    assert_eq!(report.output::<Vec<u64>>("each(double)"), Some(vec![20, 40]));
    // A consumer that had succeeded stays as it was: its retry was not requested.
    assert_eq!(report.output::<u64>("total"), Some(120));
}

#[test]
fn a_retry_with_downstream_runs_all_that_depends_on_it_again() {
    let simulation = Simulation::new(anew::pipeline()).retry("1m", "list", true).retry("2m", "list", true);
    let report = simulation.run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(anew::BODIES.load(Ordering::SeqCst), 3 + 2 + 4);
    assert_eq!(report.output::<u64>("total"), Some(2 * (10 + 21 + 31 + 41)));
    assert_eq!(report.node("double[3]").state(), NodeState::Success);
}

#[task]
async fn flaky(ctx: Context) -> Result<u64> {
    // A manual retry restarts the count of attempts; the run's second life is visible in its clock.
    static LIVES: AtomicU32 = AtomicU32::new(0);
    assert_eq!(ctx.attempt(), 1);
    if LIVES.fetch_add(1, Ordering::SeqCst) == 0 { Err(TaskError::fatal("down")) } else { Ok(1) }
}
#[task]
async fn after(n: u64) -> Result<u64> {
    Ok(n + 1)
}
#[pipeline]
fn mended() {
    after(flaky());
}

#[test]
fn a_failed_node_is_retried_with_what_failed_because_of_it() {
    let report = Simulation::new(mended()).retry("1m", "flaky", false).run();
    assert_eq!(report.state(), RunState::Success, "{}", report.timeline());
    assert_eq!(report.output::<u64>("after"), Some(2));
}
