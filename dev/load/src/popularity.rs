//! Which product. Zipf's law with exponent 1: the k-th most wanted is wanted 1/k as often as the first (Zipf 1949; the
//! usual model of requests for web objects, Breslau et al. 1999). Pure; the random number comes in.

/// Cumulated shares of the ranks.
pub struct Zipf {
    shares: Vec<f64>,
}

impl Zipf {
    pub fn new(count: usize) -> Self {
        let weights = (1..=count.max(1)).map(|rank| 1.0 / rank as f64);
        let total: f64 = weights.clone().sum();
        let shares = weights.scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        });
        Self {
            shares: shares.collect(),
        }
    }

    /// The rank, from 0, of a uniform number in [0, 1).
    pub fn rank(&self, uniform: f64) -> usize {
        self.shares
            .partition_point(|share| *share <= uniform)
            .min(self.shares.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_wanted_twice_as_often_as_the_second() {
        let zipf = Zipf::new(1_000);
        let mut counts = vec![0_u32; 1_000];
        for step in 0..100_000 {
            counts[zipf.rank(f64::from(step) / 100_000.0)] += 1;
        }
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.98..2.02).contains(&ratio), "{ratio}");
        let ratio = f64::from(counts[0]) / f64::from(counts[9]);
        assert!((9.8..10.2).contains(&ratio), "{ratio}");
        assert_eq!(
            (zipf.rank(0.0), zipf.rank(0.999_999_999), zipf.rank(2.0)),
            (0, 999, 999)
        );
    }
}
