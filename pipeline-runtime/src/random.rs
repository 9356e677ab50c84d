//! Random numbers: from a seed, and new ones.

use std::time::Duration;

/// `SplitMix64`. The same seed yields the same numbers in every release: a run that another process resumes has only its seed.
///
/// Similar seeds yield unrelated numbers.
#[derive(Debug, Clone)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// At least 0 and less than 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        // 32 bits are exact in an f64.
        let high = u32::try_from(self.number() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    /// Returns a time from `least` to `most`, to the nanosecond.
    pub(crate) fn time(&mut self, least: Duration, most: Duration) -> Duration {
        // At most 584 years.
        let span = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        // The upper half of the product is below the number of times.
        let nanos = (u128::from(self.number()) * (u128::from(span) + 1)) >> 64;
        least + Duration::from_nanos(u64::try_from(nanos).unwrap_or(span))
    }
}

/// Returns a seed that no other run has.
///
/// # Panics
///
/// If the operating system has no random numbers, which is a fault of the machine.
pub(crate) fn new_seed() -> u64 {
    u64::from_ne_bytes(bytes())
}

/// Returns a number that is unique among all processes.
///
/// # Panics
///
/// If the operating system has no random numbers, which is a fault of the machine.
#[cfg(any(feature = "cloud", feature = "dashboard", test))]
pub(crate) fn new_id() -> u128 {
    u128::from_ne_bytes(bytes())
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_of_the_published_algorithm() {
        let mut random = Seeded::new(1_234_567);
        let numbers: Vec<u64> = (0..5).map(|_| random.number()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn times_fill_their_range_with_both_ends() {
        let nanos = Duration::from_nanos;
        let mut random = Seeded::new(0);
        let mut drawn = [0; 3];
        for _ in 0..3_000 {
            let time = random.time(nanos(5), nanos(7));
            drawn[usize::try_from(time.as_nanos() - 5).unwrap()] += 1;
        }
        assert!(drawn.iter().all(|times| (900..1_100).contains(times)), "{drawn:?}");
        assert_eq!(random.time(nanos(5), nanos(5)), nanos(5));
        assert!(random.time(Duration::ZERO, Duration::MAX) > Duration::ZERO);
    }

    #[test]
    fn seeds_side_by_side_draw_apart() {
        // Of two buckets with consecutive seeds, each is the faster one half of the time.
        let first = |seed| Seeded::new(seed).number();
        let faster = (0..1_000).filter(|seed| first(*seed) < first(seed + 1)).count();
        assert!((400..600).contains(&faster), "{faster}");
    }

    #[test]
    fn new_numbers_differ() {
        assert_ne!(new_id(), new_id());
        assert_ne!(new_seed(), new_seed());
    }
}
