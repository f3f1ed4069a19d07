//! Randomness that can be played again: one printed number per run, and switches from the environment.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// A generator from `SHOP_E2E_SEED`, or from a fresh seed; either way the seed is printed.
pub fn generator(promise: &str) -> StdRng {
    let seed = number("SHOP_E2E_SEED").unwrap_or_else(rand::random::<u64>);
    println!("{promise}: SHOP_E2E_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// A whole number from the environment; panics when the variable is set to something else.
pub fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text}: not a whole number")),
    )
}
