//! Random inputs that are the same on every run.

/// SplitMix64 (Steele, Lea, Flood 2014): tiny, and good enough to pick test inputs.
pub(crate) struct Rng(u64);

impl Rng {
    /// The inputs of `seed`. `OCI_CHART_SEED` shifts all seeds: for a look at other inputs than those of every run.
    pub(crate) fn new(seed: u64) -> Self {
        let shift = std::env::var("OCI_CHART_SEED").map_or(0, |shift| shift.parse().unwrap());
        Self(seed.wrapping_add(shift))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`; the bias is far below what a test could see.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0);
        usize::try_from(self.next_u64() % bound as u64).unwrap()
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Up to `most` pieces, joined.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..=self.below(most)).map(|_| self.pick(pieces)).collect()
    }
}

#[test]
fn known_sequence() {
    // The reference implementation's first outputs for seed 1234567.
    let mut rng = Rng(1_234_567);
    assert_eq!([rng.next_u64(), rng.next_u64()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
}
