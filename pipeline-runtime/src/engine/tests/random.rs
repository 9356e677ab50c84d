//! Random plans with random answers, compared with the reference model.
//!
//! `ENGINE_STEPS=5000000 cargo test --release -p pipeline-runtime --lib a_long_walk -- --nocapture` walks for that many steps.
//! `ENGINE_SEED=N` repeats one plan. The engine's debug assertions are part of the check: build with
//! `CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true`.

use super::harness::{Bodies, BodyAnswer, Disturbances, Harness, PlanSource};
use super::random_plan::{self, Allowed, Entropy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

/// Returns a plan. The case is discarded if there is none: random wiring may require two exclusive arms at once.
fn harness(
    plan: Vec<u16>,
    script: Vec<u16>,
    allowed: Allowed,
    bodies: Bodies,
    disturbances: Disturbances,
) -> Result<Harness, TestCaseError> {
    let choices = Entropy::new(plan);
    let made = random_plan::plan(choices.clone(), allowed).map_err(|error| {
        let message = error.to_string();
        assert!(message.contains("can never run"), "{message}");
        TestCaseError::reject("exclusive arms")
    })?;
    Ok(Harness::new(made, PlanSource { choices, allowed }, Entropy::new(script), bodies, disturbances))
}

const EVERYTHING: Allowed = Allowed { skips: true, races: true, timeouts: true };

/// Bodies that give any answer, and succeed in the end.
fn anything() -> Bodies {
    Box::new(|entropy, _, _, _| match entropy.below(12) {
        0..=5 => BodyAnswer::Success,
        6 | 7 => BodyAnswer::Error,
        8 => BodyAnswer::Fatal,
        9 => BodyAnswer::Skip,
        _ => BodyAnswer::NotYet,
    })
}

/// Bodies that always give the same answer: by the node, the attempt and the number of pokes.
fn same(fails: bool) -> Bodies {
    Box::new(move |_, (spec, path), attempt, not_yets| {
        let hash = spec * 31 + path.iter().map(|index| *index as usize * 7 + 3).sum::<usize>();
        match hash % 7 {
            0 | 1 if not_yets < 3 => BodyAnswer::NotYet,
            2 if attempt == 1 && fails => BodyAnswer::Error,
            3 if fails => BodyAnswer::Error,
            4 if fails => BodyAnswer::Fatal,
            4 if !fails => BodyAnswer::Skip,
            _ => BodyAnswer::Success,
        }
    })
}

/// The same cases each time, unless the number is set: `PROPTEST_CASES=30000 cargo test -p pipeline-runtime --lib random`.
fn cases() -> ProptestConfig {
    let (cases, rng_seed) = match std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()) {
        Some(cases) => (cases, RngSeed::Random),
        None => (400, RngSeed::Fixed(1)),
    };
    // No file of failures: a failure becomes a case of its own in `rules`.
    ProptestConfig { failure_persistence: None, max_global_rejects: 100_000, rng_seed, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_happens_the_rules_hold(plan in vec(any::<u16>(), 0..90), script in vec(any::<u16>(), 0..500), twice: bool) {
        let disturbances = Disturbances { crashes: 0, retries: 4, skips: 2, cancels: true, growths: 0, delays: true };
        let mut harness = harness(plan, script, EVERYTHING, anything(), disturbances)?;
        harness.start();
        if twice {
            harness.start();
        }
        harness.finish();
    }

    #[test]
    fn whatever_happens_the_rules_hold_through_crashes(plan in vec(any::<u16>(), 0..90), script in vec(any::<u16>(), 0..500)) {
        let disturbances = Disturbances { crashes: u32::MAX, retries: 4, skips: 2, cancels: true, growths: 2, delays: true };
        let mut harness = harness(plan, script, EVERYTHING, anything(), disturbances)?;
        harness.start();
        harness.finish();
    }

    /// A deployment removes nodes that runs have begun with.
    #[test]
    fn runs_go_on_without_nodes_that_are_gone(plan in vec(any::<u16>(), 0..90), script in vec(any::<u16>(), 0..500), steps in 0usize..120) {
        let disturbances = Disturbances { crashes: u32::MAX, retries: 4, skips: 2, cancels: true, growths: 2, delays: true };
        let mut harness = harness(plan, script, EVERYTHING, anything(), disturbances)?;
        harness.grow();
        harness.start();
        harness.walk(steps);
        let _ = harness.shrink();
    }

    /// Without races, and without failures and skips that could come in either order, a run's end depends only on its bodies.
    /// At most two crashes, because the third in a row counts as a failure.
    #[test]
    fn a_run_that_crashed_ends_as_one_that_did_not(plan in vec(any::<u16>(), 0..90), script in vec(any::<u16>(), 0..300), fails: bool) {
        let allowed = Allowed { skips: false, races: false, timeouts: false };
        let calm = Disturbances { crashes: 0, retries: 0, skips: 0, cancels: false, growths: 0, delays: false };
        let mut undisturbed = harness(plan.clone(), Vec::new(), allowed, same(fails), calm)?;
        undisturbed.start();
        let expected = undisturbed.finish();
        let mut crashed = harness(plan, script, allowed, same(fails), Disturbances { crashes: 2, ..calm })?;
        crashed.start();
        prop_assert_eq!(crashed.finish(), expected, "after {} crashes", crashed.crashes);
    }
}

/// Numbers from a seed: splitmix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn choices(&mut self, most: u64) -> Vec<u16> {
        let count = self.next() % most;
        (0..count).map(|_| u16::try_from(self.next() >> 48).unwrap()).collect()
    }
}

/// Reports the failed walk, whatever the failure.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("ENGINE_SEED={} is the walk that failed", self.0);
        }
    }
}

/// One plan, with everything that can happen to its runs. Returns the number of steps.
fn walk(seed: u64) -> u64 {
    let _seed = Seed(seed);
    let mut numbers = Numbers(seed);
    let disturbances = Disturbances { crashes: 6, retries: 8, skips: 3, cancels: true, growths: 2, delays: true };
    let (plan, script) = (numbers.choices(90), numbers.choices(1500));
    let Ok(mut harness) = harness(plan, script, EVERYTHING, anything(), disturbances) else { return 0 };
    harness.start();
    if numbers.next().is_multiple_of(2) {
        harness.start();
    }
    harness.finish();
    harness.steps
}

#[test]
fn a_long_walk() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("ENGINE_SEED") {
        walk(seed);
        return;
    }
    let steps = number("ENGINE_STEPS");
    // The same walks each time, unless a long walk was requested.
    let first = steps.map_or(1, |_| rand::random());
    let (mut seed, mut taken) = (first, 0);
    while taken < steps.unwrap_or(20_000) {
        taken += walk(seed);
        seed = seed.wrapping_add(1);
    }
    println!("{taken} steps in {} walks, from seed {first}", seed.wrapping_sub(first));
}
