//! When requests of an open loop are due.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::keyed::keyed_rng;

use crate::port::Ns;

/// Poisson arrivals: independent exponential gaps of mean `1 / rate`, the same for the same seed.
#[derive(Debug)]
pub struct Arrivals {
    rng: ChaCha8Rng,
    /// Nanoseconds since the beginning, not rounded: rounding gap by gap would drift.
    at: f64,
    mean_gap_ns: f64,
}

impl Arrivals {
    /// Arrivals at `rate_hz` (above zero) requests a second.
    #[must_use]
    pub fn new(rate_hz: f64, seed: u64) -> Self {
        Self { rng: keyed_rng(seed, "arrivals", "", ""), at: 0.0, mean_gap_ns: 1e9 / rate_hz }
    }
}

impl Iterator for Arrivals {
    type Item = Ns;

    /// The next time; endless.
    fn next(&mut self) -> Option<Ns> {
        // Uniform in (0, 1]: the logarithm of zero is never asked for.
        let uniform = ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        self.at -= self.mean_gap_ns * libm::log(uniform);
        Some(self.at as Ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_exponential_and_counts_are_poisson() {
        let n = 20_000;
        let times: Vec<Ns> = Arrivals::new(100.0, 7).take(n).collect();
        assert!(times.windows(2).all(|w| w[0] <= w[1]));
        // Kolmogorov-Smirnov distance of the gaps to the exponential law; its 1 % point is 1.63 / sqrt(n).
        let mut gaps: Vec<f64> =
            std::iter::once(times[0]).chain(times.windows(2).map(|w| w[1] - w[0])).map(|g| g as f64 * 1e-9).collect();
        gaps.sort_by(f64::total_cmp);
        let distance = gaps.iter().enumerate().fold(0.0f64, |worst, (i, gap)| {
            let law = 1.0 - libm::exp(-100.0 * gap);
            worst.max((law - i as f64 / n as f64).abs()).max((law - (i + 1) as f64 / n as f64).abs())
        });
        assert!(distance < 1.63 / (n as f64).sqrt(), "Kolmogorov-Smirnov distance {distance}");
        // Arrivals in 0.5 s: mean 50, and the variance of a Poisson count equals its mean.
        let bins = (times[n - 1] / 500_000_000) as usize;
        let mut counts = vec![0.0f64; bins];
        for t in times.iter().map(|t| (t / 500_000_000) as usize).filter(|bin| *bin < bins) {
            counts[t] += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / bins as f64;
        let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / (bins - 1) as f64;
        // The dispersion index of b bins has standard deviation sqrt(2 / (b - 1)).
        assert!((mean - 50.0).abs() < 1.5, "mean {mean}");
        assert!(
            (variance / mean - 1.0).abs() < 4.0 * (2.0 / (bins - 1) as f64).sqrt(),
            "dispersion {}",
            variance / mean
        );
    }

    #[test]
    fn one_seed_one_schedule() {
        let take = |seed| Arrivals::new(5.0, seed).take(50).collect::<Vec<_>>();
        assert_eq!(take(3), take(3));
        assert_ne!(take(3), take(4));
    }
}
