//! The statistics that are resampled: a ratio of sums and a quantile of pooled values.

use std::ops::Range;

use crate::draw::Words;
use crate::error::{StatsError, check_finite};
use crate::kinds::Kinds;
use crate::linear::sums;

/// A statistic that is built up from the indices of a resample.
pub(crate) trait Statistic: Sync {
    /// What is kept while indices come in.
    type Sums;
    /// Nothing drawn yet.
    fn start(&self) -> Self::Sums;
    /// Takes some of the drawn indices.
    fn add(&self, sums: &mut Self::Sums, drawn: &[u32]);
    /// Takes a whole resample of independent units at once, where there is a quicker way than one by one.
    fn add_resample_of_units(&self, _sums: &mut Self::Sums, _words: &mut Words) -> bool {
        false
    }
    /// The value of the resample, if it is defined; the sums begin anew.
    fn finish(&self, sums: &mut Self::Sums) -> Option<f64>;
    /// The value on the data as they are.
    fn observed(&self) -> f64;
    /// The value without some of the units.
    fn without(&self, left_out: Range<usize>) -> Option<f64>;
}

/// `sum(numerators) / sum(denominators)`.
pub(crate) struct RatioOfSums<'a> {
    pairs: &'a [(f64, f64)],
    /// Numerator (with an offset) in the upper half, denominator in the lower one, where all are whole numbers so
    /// small that no sum of a resample overflows: one addition for both, and exactly the sums of the other way.
    packed: Option<Packed>,
    num: f64,
    den: f64,
}

struct Packed {
    words: Vec<u64>,
    kinds: Option<Kinds>,
    /// Added to each numerator, so that none is negative.
    offset: f64,
}

/// What a resample has summed up so far.
pub(crate) struct RatioSums {
    packed: u64,
    num: f64,
    den: f64,
    count: usize,
}

impl<'a> RatioOfSums<'a> {
    pub(crate) fn new(pairs: &'a [(f64, f64)]) -> Result<Self, StatsError> {
        check_finite(pairs.iter().flat_map(|c| [c.0, c.1]))?;
        let (num, den) = sums(pairs);
        if den <= 0.0 {
            return Err(StatsError::NoDenominator { sum: den });
        }
        Ok(Self { pairs, packed: Packed::new(pairs), num, den })
    }
}

impl Packed {
    fn new(pairs: &[(f64, f64)]) -> Option<Self> {
        let lowest = pairs.iter().fold(0.0f64, |low, p| low.min(p.0));
        let offset = -lowest;
        let most = f64::from(u32::MAX) / pairs.len() as f64;
        let fits = |x: f64| (0.0..=most).contains(&x) && libm::trunc(x) == x;
        if !pairs.iter().all(|p| fits(p.0 + offset) && libm::trunc(p.0) == p.0 && fits(p.1)) {
            return None;
        }
        let words: Vec<u64> = pairs.iter().map(|p| (((p.0 + offset) as u64) << 32) | p.1 as u64).collect();
        let kinds = Kinds::of(&words);
        Some(Self { words, kinds, offset })
    }
}

impl Statistic for RatioOfSums<'_> {
    type Sums = RatioSums;

    fn start(&self) -> RatioSums {
        RatioSums { packed: 0, num: 0.0, den: 0.0, count: 0 }
    }

    fn add(&self, sums: &mut RatioSums, drawn: &[u32]) {
        sums.count += drawn.len();
        if let Some(packed) = &self.packed {
            sums.packed += drawn.iter().map(|i| packed.words[*i as usize]).sum::<u64>();
            return;
        }
        for i in drawn {
            let pair = self.pairs[*i as usize];
            sums.num += pair.0;
            sums.den += pair.1;
        }
    }

    fn add_resample_of_units(&self, sums: &mut RatioSums, words: &mut Words) -> bool {
        let Some(packed) = &self.packed else { return false };
        let Some(kinds) = &packed.kinds else { return false };
        sums.packed = kinds.sum_of_resample(&packed.words, words);
        sums.count = packed.words.len();
        true
    }

    fn finish(&self, sums: &mut RatioSums) -> Option<f64> {
        let (num, den) = match &self.packed {
            Some(packed) => {
                let num = (sums.packed >> 32) as f64 - packed.offset * sums.count as f64;
                (num, f64::from(sums.packed as u32))
            }
            None => (sums.num, sums.den),
        };
        *sums = self.start();
        (den > 0.0).then(|| num / den)
    }

    fn observed(&self) -> f64 {
        self.num / self.den
    }

    fn without(&self, left_out: Range<usize>) -> Option<f64> {
        let (num, den) = sums(&self.pairs[left_out]);
        let rest = self.den - den;
        (rest > 0.0).then(|| (self.num - num) / rest)
    }
}

/// Type-7 quantile of the values of all units together.
pub(crate) struct PooledQuantile {
    /// Ascending values, each with its unit.
    pool: Vec<(f64, u32)>,
    /// Values in each unit.
    sizes: Vec<usize>,
    q: f64,
}

impl PooledQuantile {
    pub(crate) fn new<'a>(units: impl Iterator<Item = &'a [f64]> + Clone, q: f64) -> Result<Self, StatsError> {
        if !(0.0..=1.0).contains(&q) {
            return Err(StatsError::OutOfRange { name: "q", value: q, range: "0 to 1" });
        }
        check_finite(units.clone().flatten().copied())?;
        let sizes = units.clone().map(<[f64]>::len).collect();
        let mut pool: Vec<(f64, u32)> =
            units.zip(0u32..).flat_map(|(values, i)| values.iter().map(move |v| (*v, i))).collect();
        if pool.is_empty() {
            return Err(StatsError::TooFew { what: "values", found: 0, needed: 1 });
        }
        pool.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Ok(Self { pool, sizes, q })
    }

    /// The quantile when the values of unit i occur `times[i]` times.
    fn of(&self, times: &[u32]) -> Option<f64> {
        let total: usize = times.iter().zip(&self.sizes).map(|(t, s)| *t as usize * s).sum();
        if total == 0 {
            return None;
        }
        let h = (total - 1) as f64 * self.q;
        let below = libm::floor(h);
        let (rank, fraction) = (below as usize, h - below);
        let mut seen = 0usize;
        let mut lower = None;
        for (value, unit) in &self.pool {
            seen += times[*unit as usize] as usize;
            if lower.is_none() && seen > rank {
                lower = Some(*value);
                if fraction == 0.0 {
                    return lower;
                }
            }
            if let (Some(lo), true) = (lower, seen > rank + 1) {
                return Some(lo + fraction * (value - lo));
            }
        }
        lower
    }
}

impl Statistic for PooledQuantile {
    type Sums = Vec<u32>;

    fn start(&self) -> Vec<u32> {
        vec![0; self.sizes.len()]
    }

    fn add(&self, times: &mut Vec<u32>, drawn: &[u32]) {
        for i in drawn {
            times[*i as usize] += 1;
        }
    }

    fn finish(&self, times: &mut Vec<u32>) -> Option<f64> {
        let value = self.of(times);
        times.fill(0);
        value
    }

    fn observed(&self) -> f64 {
        self.of(&vec![1; self.sizes.len()]).unwrap_or(f64::NAN)
    }

    fn without(&self, left_out: Range<usize>) -> Option<f64> {
        let mut times = vec![1; self.sizes.len()];
        times[left_out].fill(0);
        self.of(&times)
    }
}
