//! When to look again: growing delays with jitter after failures, and the next wake-up of a shop. Pure: randomness and
//! time are passed in.

use std::time::Duration;

/// A delay that doubles with every failure up to a ceiling, and of which a random part is taken off, so that many shops
/// that failed together do not come back together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    ceiling: Duration,
    failures: u32,
}

impl Backoff {
    pub const fn new(first: Duration, ceiling: Duration) -> Self {
        Self {
            first,
            ceiling,
            failures: 0,
        }
    }

    /// Counts a failure; `jitter` in 0..1 takes up to half of the delay off.
    pub fn fail(&mut self, jitter: f64) -> Duration {
        let doubled = self.first.saturating_mul(2u32.saturating_pow(self.failures.min(20)));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.ceiling).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }

    pub fn succeed(&mut self) {
        self.failures = 0;
    }
}

/// The earliest of several wishes; `None` means "only when something changes".
pub fn earliest(wishes: impl IntoIterator<Item = Option<Duration>>) -> Option<Duration> {
    wishes.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_ceiling_and_starts_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        let seen: Vec<u64> = (0..6).map(|_| backoff.fail(0.0).as_secs()).collect();
        assert_eq!(seen, [1, 2, 4, 8, 10, 10]);
        backoff.succeed();
        assert_eq!(backoff.fail(0.0).as_secs(), 1);
    }

    #[test]
    fn jitter_takes_at_most_half_off() {
        let mut backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(8));
        assert_eq!(backoff.fail(1.0), Duration::from_secs(4));
        assert_eq!(backoff.fail(7.0), Duration::from_secs(4));
    }

    #[test]
    fn many_failures_never_overflow() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));
        for _ in 0..1000 {
            assert!(backoff.fail(0.5) <= Duration::from_secs(300));
        }
    }

    #[test]
    fn the_earliest_wish_wins_and_none_means_never() {
        assert_eq!(
            earliest([None, Some(Duration::from_secs(9)), Some(Duration::from_secs(3))]),
            Some(Duration::from_secs(3))
        );
        assert_eq!(earliest([None, None]), None);
    }
}
