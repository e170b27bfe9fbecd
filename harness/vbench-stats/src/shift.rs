//! Where the level of a series shifted.

use rand::Rng;
use vbench_core::keyed::shuffle;

use crate::error::{StatsError, check_finite, check_share};

/// Fewest values of a stretch: the clearest shift of seven (three against four) has p = 2/35.
pub const MIN_STRETCH: usize = 8;

/// A shift between two neighbouring values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Index of the first value behind it.
    pub at: usize,
    /// Mean of the values since the shift before (or the beginning).
    pub before: f64,
    /// Mean of the values up to the next shift (or the end).
    pub after: f64,
    /// p of the stretch in which it was found.
    pub p: f64,
}

/// Looks for shifts in a series of independent values, such as one time from each of many runs: binary segmentation with a
/// permutation test of the largest step.
///
/// The statistic of a stretch is the largest of `|sum of the first k less k means| / sqrt(k (n - k) / n)` over all `k`
/// (cumulative sums: Page 1954); under "no shift" every order of the values is as likely, so p is the share of orders with a
/// statistic at least as large, of `orders` random ones and the given one (Phipson & Smyth 2010). At `alpha` the stretch is
/// cut where the statistic is largest, and both sides are looked at in the same way.
///
/// # Errors
/// Fewer than [`MIN_STRETCH`] values, values that are not finite, alpha outside (0, 1), no orders.
pub fn level_shifts(values: &[f64], alpha: f64, orders: usize, rng: &mut impl Rng) -> Result<Vec<Shift>, StatsError> {
    check_finite(values.iter().copied())?;
    check_share("alpha", alpha)?;
    if values.len() < MIN_STRETCH {
        return Err(StatsError::TooFew { what: "values", found: values.len(), needed: MIN_STRETCH });
    }
    if orders == 0 {
        return Err(StatsError::TooFew { what: "orders", found: 0, needed: 1 });
    }
    let mut cuts: Vec<(usize, f64)> = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        if to - from < MIN_STRETCH {
            continue;
        }
        if let Some((at, p)) = cut(&values[from..to], alpha, orders, rng) {
            cuts.push((from + at, p));
            open.extend([(from, from + at), (from + at, to)]);
        }
    }
    cuts.sort_unstable_by_key(|(at, _)| *at);
    let mean = |from: usize, to: usize| values[from..to].iter().sum::<f64>() / (to - from) as f64;
    let one = |(i, (at, p)): (usize, &(usize, f64))| {
        let from = if i == 0 { 0 } else { cuts[i - 1].0 };
        let to = cuts.get(i + 1).map_or(values.len(), |next| next.0);
        Shift { at: *at, before: mean(from, *at), after: mean(*at, to), p: *p }
    };
    Ok(cuts.iter().enumerate().map(one).collect())
}

/// Where the statistic is largest, and p, if the stretch has a shift.
fn cut(values: &[f64], alpha: f64, orders: usize, rng: &mut impl Rng) -> Option<(usize, f64)> {
    let (at, seen) = largest_step(values);
    let scale = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    // Equal values differ by rounding only.
    if seen <= 1e-9 * scale {
        return None;
    }
    let mut shuffled = values.to_vec();
    let mut as_large = 0;
    for _ in 0..orders {
        shuffle(&mut shuffled, rng);
        as_large += usize::from(largest_step(&shuffled).1 >= seen * (1.0 - 1e-9));
    }
    let p = (as_large + 1) as f64 / (orders + 1) as f64;
    (p <= alpha).then_some((at, p))
}

fn largest_step(values: &[f64]) -> (usize, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let (mut sum, mut best) = (0.0, (1, 0.0));
    for (i, v) in values[..values.len() - 1].iter().enumerate() {
        sum += v - mean;
        let k = (i + 1) as f64;
        let step = sum.abs() / libm::sqrt(k * (n - k) / n);
        if step > best.1 {
            best = (i + 1, step);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use vbench_core::keyed::keyed_rng;

    fn noise(n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n)
            .map(|_| (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0)
            .collect()
    }

    fn shifts(values: &[f64], seed: u64) -> Vec<Shift> {
        level_shifts(values, 0.05, 999, &mut keyed_rng(seed, "shift", "", "")).expect("a series")
    }

    #[test]
    fn without_a_shift_one_series_in_twenty_is_cut() {
        let cut = |seed: u64| !shifts(&noise(12, &mut keyed_rng(seed, "noise", "", "")), seed).is_empty();
        let n = (0..400).filter(|seed| cut(*seed)).count();
        // Binomial with 400 and 0.05: 99.9 % lie within 7 and 35.
        assert!((7..=35).contains(&n), "{n} of 400");
    }

    #[test]
    fn shifts_are_found_where_they_are() {
        let mut values = noise(30, &mut keyed_rng(1, "noise", "", ""));
        values.iter_mut().skip(10).for_each(|v| *v += 8.0);
        values.iter_mut().skip(20).for_each(|v| *v -= 6.0);
        let found = shifts(&values, 1);
        assert_eq!(found.iter().map(|s| s.at).collect::<Vec<_>>(), [10, 20], "{found:?}");
        assert!(
            (found[0].after - found[0].before - 8.0).abs() < 1.5
                && (found[1].after - found[1].before + 6.0).abs() < 1.5
        );
        assert!(found.iter().all(|s| s.p <= 0.05));
        // The clearest shift of eight has p = 2/70, of seven none is clear enough.
        let eight = shifts(&[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], 3);
        assert!(eight.len() == 1 && eight[0].at == 4 && (eight[0].p - 2.0 / 70.0).abs() < 0.02, "{eight:?}");
    }

    #[test]
    fn one_slow_run_and_equal_runs_are_no_shift() {
        let mut values = vec![0.3; 12];
        assert_eq!(shifts(&values, 1), []);
        values[6] = 0.9;
        assert_eq!(shifts(&values, 1), []);
    }

    #[test]
    fn too_little_is_refused() {
        let of = |values: &[f64], alpha| level_shifts(values, alpha, 99, &mut keyed_rng(1, "shift", "", ""));
        assert!(matches!(of(&[1.0; 7], 0.05), Err(StatsError::TooFew { found: 7, needed: 8, .. })));
        assert!(of(&[f64::NAN; 9], 0.05).is_err() && of(&[1.0; 9], 0.0).is_err());
    }
}
