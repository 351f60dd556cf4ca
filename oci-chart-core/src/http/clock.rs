use std::{
    hash::{BuildHasher as _, RandomState},
    panic::{RefUnwindSafe, UnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;

/// The time by which retries and paces wait. Tests, and simulations of a busy registry, bring a clock of their own; bounds on how long the
/// other side may be silent are kept by the runtime's timer whatever the clock.
#[async_trait]
pub trait Clock: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// The time now; never less than before.
    fn now(&self) -> Instant;

    /// Comes back after `wait`.
    async fn sleep(&self, wait: Duration);
}

#[async_trait]
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    async fn sleep(&self, wait: Duration) {
        (**self).sleep(wait).await;
    }
}

/// The machine's.
pub(super) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// Numbers to spread waits with, so that clients that failed together do not come back together. Not for secrets.
pub(super) struct Dice(AtomicU64);

impl Dice {
    /// The same numbers for the same `seed`; without one, others in each process.
    pub(super) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()))))
    }

    /// A part of `most`, anything from none to all of it.
    pub(super) fn share(&self, most: Duration) -> Duration {
        // SplitMix64 (Steele, Lea and Flood, 2014): a counter, and a good hash of it.
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        most.mul_f64((mixed >> 11) as f64 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_numbers() {
        let draw = |seed| {
            let dice = Dice::new(seed);
            (0..1000).map(|_| dice.share(Duration::from_secs(1))).collect::<Vec<_>>()
        };
        let first = draw(Some(7));
        assert_eq!(first, draw(Some(7)));
        assert_ne!(first, draw(Some(8)));
        assert!(first.iter().all(|share| *share < Duration::from_secs(1)));
        let mean = first.iter().sum::<Duration>() / 1000;
        assert!((400..600).contains(&mean.as_millis()), "{mean:?}");
    }
}
