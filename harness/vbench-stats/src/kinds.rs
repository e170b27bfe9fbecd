//! One resample of many clusters of few kinds, without drawing them one by one.
//!
//! Ten thousand utterances have a few hundred different pairs of (errors, words). What a resample sums up depends only
//! on how often each kind was drawn, and these counts are multinomial: `n` draws, the chances being the shares of the
//! kinds. Independent Poisson counts are multinomial given their sum N, whatever N is, and `n - N` single draws more
//! make them a multinomial of `n` (Devroye, Non-Uniform Random Variate Generation, 1986, chapter XI.1.4). So: Poisson
//! counts with a mean a little below, begin again in the rare case of N > n, then draw what is missing one by one. The
//! distribution is that of drawing `n` clusters, up to the rounding of a probability to 2^-53.

use crate::draw::Words;

/// Fewer clusters are drawn one by one.
const LEAST_CLUSTERS: usize = 512;

/// A kind must stand for so many clusters on average, or drawing one by one is as fast.
const CLUSTERS_A_KIND: usize = 8;

/// Clusters grouped by what they carry.
pub(crate) struct Kinds {
    /// What one cluster of the kind carries, and the kind's table.
    kinds: Vec<(u64, usize)>,
    /// Poisson tables, one for each size of a kind that occurs.
    tables: Vec<PoissonTable>,
}

/// Poisson counts by inversion.
struct PoissonTable {
    lowest: u32,
    /// `P(count <= lowest + i)` times 2^64.
    cumulative: Vec<u64>,
}

impl Kinds {
    /// Groups the clusters, if there are many of few kinds.
    pub(crate) fn of(clusters: &[u64]) -> Option<Self> {
        let n = clusters.len();
        if !(LEAST_CLUSTERS..u32::MAX as usize).contains(&n) {
            return None;
        }
        let mut sorted = clusters.to_vec();
        sorted.sort_unstable();
        let groups: Vec<(u64, usize)> = sorted.chunk_by(|a, b| a == b).map(|g| (g[0], g.len())).collect();
        if groups.len() * CLUSTERS_A_KIND > n {
            return None;
        }
        let mut sizes: Vec<usize> = groups.iter().map(|g| g.1).collect();
        sizes.sort_unstable();
        sizes.dedup();
        // Four standard deviations below n: more than n are drawn in three of 100,000 resamples.
        let size = n as f64;
        let share = 1.0 - 4.0 / libm::sqrt(size);
        let tables = sizes.iter().map(|s| PoissonTable::new(share * *s as f64)).collect();
        let table_of = |s: usize| sizes.partition_point(|x| *x < s);
        Some(Self { kinds: groups.iter().map(|(word, s)| (*word, table_of(*s))).collect(), tables })
    }

    /// The sum of what `clusters.len()` clusters drawn with replacement carry.
    pub(crate) fn sum_of_resample(&self, clusters: &[u64], words: &mut Words) -> u64 {
        loop {
            let (mut sum, mut drawn) = (0u64, 0u64);
            for (word, table) in &self.kinds {
                let count = self.tables[*table].count(words.next_u64());
                sum = sum.wrapping_add(word.wrapping_mul(u64::from(count)));
                drawn += u64::from(count);
            }
            let Some(mut missing) = clusters.len().checked_sub(drawn as usize) else { continue };
            while missing > 0 {
                let indices = words.indices_below(clusters.len() as u32, missing);
                missing -= indices.len();
                sum = indices.iter().fold(sum, |sum, i| sum.wrapping_add(clusters[*i as usize]));
            }
            return sum;
        }
    }
}

impl PoissonTable {
    fn new(mean: f64) -> Self {
        // Beyond ten standard deviations (and twenty counts) there is less than 2^-60 on either side.
        let reach = 10.0 * libm::sqrt(mean) + 20.0;
        let lowest = libm::floor((mean - reach).max(0.0));
        let highest = libm::ceil(mean + reach);
        let mut probability = libm::exp(lowest * libm::log(mean) - mean - libm::lgamma(lowest + 1.0));
        let (mut k, mut total) = (lowest, 0.0);
        let mut cumulative = Vec::new();
        while k <= highest {
            total += probability;
            // Conversion from f64 saturates, so a sum that rounds to 1 becomes the largest u64.
            cumulative.push((total * 18_446_744_073_709_551_616.0) as u64);
            k += 1.0;
            probability *= mean / k;
        }
        Self { lowest: lowest as u32, cumulative }
    }

    fn count(&self, uniform: u64) -> u32 {
        self.lowest + self.cumulative.partition_point(|p| *p <= uniform) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_the_poisson_distribution() {
        for mean in [0.3, 1.0, 17.5, 900.0] {
            let table = PoissonTable::new(mean);
            let scale = 18_446_744_073_709_551_616.0;
            let (mut below, mut first, mut second) = (0.0, 0.0, 0.0);
            for (k, up_to) in (table.lowest..).zip(&table.cumulative) {
                let p = *up_to as f64 / scale - below;
                below = *up_to as f64 / scale;
                first += p * f64::from(k);
                second += p * f64::from(k) * f64::from(k);
            }
            assert!((below - 1.0).abs() < 1e-12 && (first - mean).abs() < 1e-9 * mean, "{mean}: {below} {first}");
            assert!((second - first * first - mean).abs() < 1e-7 * mean, "{mean}: variance {}", second - first * first);
            assert!(f64::from(table.count(0)) <= mean && f64::from(table.count(u64::MAX)) > mean);
        }
    }

    /// Counts of each kind over many resamples: mean, variance and covariance of a multinomial, and always n in all.
    #[test]
    fn counts_of_kinds_are_multinomial() {
        let sizes = [500usize, 300, 190, 10];
        // Each kind has a field of its own in the word, so the sum tells the counts.
        let clusters: Vec<u64> = (0..4).flat_map(|k| vec![1u64 << (16 * k); sizes[k as usize]]).collect();
        let kinds = Kinds::of(&clusters).unwrap();
        let mut words = Words::new([3; 32]);
        let resamples = 40_000;
        let counts: Vec<[f64; 4]> = (0..resamples)
            .map(|_| {
                let sum = kinds.sum_of_resample(&clusters, &mut words);
                std::array::from_fn(|k| f64::from((sum >> (16 * k)) as u16))
            })
            .collect();
        let n = f64::from(resamples);
        let mean = |f: &dyn Fn(&[f64; 4]) -> f64| counts.iter().map(f).sum::<f64>() / n;
        assert!(counts.iter().all(|c| c.iter().sum::<f64>() == 1_000.0));
        for a in 0..4 {
            for b in 0..4 {
                let (p, q) = (sizes[a] as f64 / 1_000.0, sizes[b] as f64 / 1_000.0);
                let expected = if a == b { 1_000.0 * p * (1.0 - p) } else { -1_000.0 * p * q };
                let got = mean(&|c| (c[a] - 1_000.0 * p) * (c[b] - 1_000.0 * q));
                // Standard error of a covariance: about sqrt(var var / resamples).
                let var = |p: f64| 1_000.0 * p * (1.0 - p);
                let error = 2.0 * (var(p) * var(q) / n).sqrt();
                assert!((got - expected).abs() < 4.0 * error, "{a} {b}: {got}, expected {expected} +- {error}");
            }
            let p = sizes[a] as f64;
            assert!((mean(&|c| c[a]) - p).abs() < 5.0 * (p * (1.0 - p / 1_000.0) / n).sqrt(), "mean of {a}");
        }
    }

    #[test]
    fn few_clusters_or_many_kinds_are_drawn_one_by_one() {
        assert!(Kinds::of(&[7; 511]).is_none() && Kinds::of(&[7; 512]).is_some());
        assert!(Kinds::of(&(0..4_000).collect::<Vec<u64>>()).is_none());
        assert!(Kinds::of(&[]).is_none());
    }
}
