//! When journeys begin. Fixed before the first one: arrivals are a Poisson process, which does not wait for the shop, so
//! a slow answer delays nobody else's arrival and is measured in full (no coordinated omission). Pure.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    Browse,
    Search,
    Cart,
    Checkout,
    Orders,
}

impl Journey {
    /// In percent: shops see many more looks than purchases; purchases are what can go wrong.
    const MIX: [(Self, u32); 5] = [
        (Self::Browse, 40),
        (Self::Search, 15),
        (Self::Cart, 10),
        (Self::Checkout, 25),
        (Self::Orders, 10),
    ];

    fn choose(percent: u32) -> Self {
        let mut left = percent % 100;
        for (journey, share) in Self::MIX {
            if left < share {
                return journey;
            }
            left -= share;
        }
        Self::Browse
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub at: Duration,
    pub journey: Journey,
    /// Which customer.
    pub customer: usize,
    /// For the choices within the journey.
    pub seed: u64,
}

/// Arrivals at `rate` per second for `lasting`.
pub fn arrivals(seed: u64, rate: u32, lasting: Duration, customers: usize) -> Vec<Arrival> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut at, mut arrivals) = (0.0_f64, Vec::new());
    loop {
        // The time between two events of a Poisson process is exponential.
        let uniform: f64 = random.random();
        at += -(1.0 - uniform).ln() / f64::from(rate.max(1));
        if at >= lasting.as_secs_f64() {
            return arrivals;
        }
        arrivals.push(Arrival {
            at: Duration::from_secs_f64(at),
            journey: Journey::choose(random.random_range(0..100)),
            customer: random.random_range(0..customers.max(1)),
            seed: random.random(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_schedule() {
        let lasting = Duration::from_secs(60);
        let first = arrivals(7, 50, lasting, 10);
        assert_eq!(first, arrivals(7, 50, lasting, 10));
        assert_ne!(first, arrivals(8, 50, lasting, 10));
        assert!((2_700..3_300).contains(&first.len()), "{}", first.len());
        assert!(first.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let checkouts = first
            .iter()
            .filter(|arrival| arrival.journey == Journey::Checkout)
            .count();
        assert!((600..900).contains(&checkouts), "{checkouts}");
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(Journey::MIX.iter().map(|(_, share)| share).sum::<u32>(), 100);
    }
}
