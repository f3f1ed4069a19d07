//! How long to wait before the provider is asked again. In: how many questions had no answer, and a random number from
//! 0 to 1. Out: half to all of a time that doubles. Pure.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(60);
/// After "a webhook will tell": it usually does.
pub const PENDING: Duration = Duration::from_secs(30);
/// After a refused refund, which a person may have to look at first.
pub const REFUSED: Duration = Duration::from_secs(3600);

pub fn pause(first: Duration, attempts: i32, random: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).clamp(0, 16);
    let whole = first.saturating_mul(1 << doublings).min(LONGEST);
    whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let first = Duration::from_millis(200);
        let pauses = [1, 2, 3, 20, i32::MAX].map(|attempts| pause(first, attempts, 1.0).as_millis());
        assert_eq!(pauses, [200, 400, 800, 60_000, 60_000]);
        assert_eq!(pause(first, 1, 0.0), first / 2);
        assert_eq!(pause(first, i32::MIN, 1.0), first);
    }
}
