//! How fast this machine is right now: the same work for a fixed time, counted. It differs between rounds as much as
//! neighbours and throttling make it.

use std::hint::black_box;
use std::time::{Duration, Instant};

const LASTING: Duration = Duration::from_millis(300);

/// Millions of steps in a second, on one core.
pub fn spin() -> f64 {
    let (begun, mut steps, mut state) = (Instant::now(), 0_u64, 1_u64);
    while begun.elapsed() < LASTING {
        for _ in 0..10_000 {
            // A linear congruential generator (Knuth's MMIX constants): nothing the compiler can leave out.
            state = black_box(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            );
        }
        steps += 10_000;
    }
    steps as f64 / begun.elapsed().as_secs_f64() / 1_000_000.0
}
