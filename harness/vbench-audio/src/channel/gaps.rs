//! Drop-outs: the gaps of a bad contact.

use rand_chacha::ChaCha8Rng;

use super::{Changed, within};
use crate::RATE_HZ;
use crate::error::DegradeError;
use crate::noise::unit;

/// Length of the fade before and after every gap, samples (2 ms): what is tested is the missing speech, not the click
/// of an abrupt edge.
const EDGE: usize = 32;

/// Cuts gaps into a clip: they begin as a Poisson process, last exponentially distributed times, hold silence, and are
/// framed by raised-cosine fades of 2 ms that lie outside of them. Gaps may overlap; one that is on when the clip ends
/// is cut off there. `gaps` counts the beginnings, `gap_share` is the share of samples silenced, fades not counted.
pub(crate) fn drop_outs(
    samples: &[f32],
    per_minute: f64,
    mean_ms: f64,
    rng: &mut ChaCha8Rng,
) -> Result<Changed, DegradeError> {
    within("per_minute", per_minute, 0.0..=600.0, "0 to 600 a minute")?;
    within("mean_ms", mean_ms, 1.0..=10_000.0, "1 to 10000 ms")?;
    let mut gain = vec![1.0f64; samples.len()];
    let mut gaps = 0u64;
    if per_minute > 0.0 {
        let rate = f64::from(RATE_HZ);
        let (mean_wait, mean_length) = (60.0 * rate / per_minute, mean_ms / 1000.0 * rate);
        // Silenced up to here: with it, overlapping gaps cost no more than single ones.
        let mut silenced = 0;
        let mut at = -mean_wait * libm::log(unit(rng));
        while at < samples.len() as f64 {
            let start = at as usize;
            let length = -mean_length * libm::log(unit(rng));
            let end = (libm::round(at + length) as usize).clamp(start + 1, samples.len().max(start + 1));
            silence(&mut gain, start, end, &mut silenced);
            gaps += 1;
            at -= mean_wait * libm::log(unit(rng));
        }
    }
    let silent = gain.iter().filter(|g| **g == 0.0).count();
    let changed = samples.iter().zip(&gain).map(|(x, g)| g * f64::from(*x)).collect();
    let share = silent as f64 / samples.len().max(1) as f64;
    Ok(Changed::new(changed).with("gaps", gaps as f64).with("gap_share", share))
}

/// Puts one gap `start..end` and its fades into `gain`; everything before `silenced` is done.
fn silence(gain: &mut [f64], start: usize, end: usize, silenced: &mut usize) {
    let n = gain.len();
    let from = start.max(*silenced).min(n);
    let to = end.min(n).max(from);
    gain[from..to].fill(0.0);
    *silenced = (*silenced).max(to);
    for k in 1..=EDGE {
        let fade = 0.5 - 0.5 * libm::cos(core::f64::consts::PI * k as f64 / (EDGE + 1) as f64);
        for place in [start.checked_sub(k), Some(end - 1 + k)] {
            if let Some(g) = place.and_then(|p| gain.get_mut(p)) {
                *g = g.min(fade);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::widen;
    use vbench_core::keyed::keyed_rng;

    #[test]
    fn gaps_come_as_often_and_last_as_long_as_asked() {
        // 40 minutes of a constant; 30 gaps a minute of 100 ms.
        let x = vec![0.5f32; 40 * 60 * 16_000];
        let got = drop_outs(&x, 30.0, 100.0, &mut keyed_rng(3, "test", "", "")).unwrap();
        let value = |name: &str| got.achieved.iter().find(|(n, _)| n == name).unwrap().1;
        // 1200 expected, standard deviation 34.6: four of them.
        assert!((value("gaps") - 1_200.0).abs() < 139.0, "{}", value("gaps"));
        // Share of the time covered by gaps that may overlap: 1 - exp(-0.05).
        assert!((value("gap_share") - (1.0 - libm::exp(-0.05))).abs() < 0.008, "{}", value("gap_share"));
        let silent = got.samples.iter().filter(|v| **v == 0.0).count();
        assert_eq!(silent as f64 / x.len() as f64, value("gap_share"));
        // Exponential lengths: a share of exp(-2) exceeds twice the mean. Overlaps lengthen a few.
        let runs: Vec<usize> = got.samples.split(|v| *v != 0.0).map(<[f64]>::len).filter(|l| *l > 0).collect();
        let long = runs.iter().filter(|l| **l > 3_200).count() as f64 / runs.len() as f64;
        assert!((long - libm::exp(-2.0)).abs() < 0.04, "{long}");
    }

    #[test]
    fn edges_do_not_click() {
        let x = vec![0.5f32; 160_000];
        let got = drop_outs(&x, 120.0, 60.0, &mut keyed_rng(4, "test", "", "")).unwrap();
        assert!(got.achieved[0].1 >= 5.0, "{:?}", got.achieved);
        let steepest = got.samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        // The steepest step of a raised cosine over 33 intervals.
        let bound = 0.5 * core::f64::consts::PI / 2.0 / 33.0;
        assert!(steepest <= bound && steepest > 0.9 * bound, "{steepest} of {bound}");
        assert!(got.samples.iter().all(|v| (0.0..=0.5).contains(v)));
    }

    #[test]
    fn none_a_minute_is_the_identity() {
        let x: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        let got = drop_outs(&x, 0.0, 100.0, &mut keyed_rng(1, "test", "", "")).unwrap();
        assert_eq!(got.samples, widen(&x));
        assert_eq!(got.achieved, [("gaps".to_owned(), 0.0), ("gap_share".to_owned(), 0.0)]);
    }
}
