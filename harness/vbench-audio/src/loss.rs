//! Packets lost on the way: which ones, and what is heard in place of lost samples.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::{Fill, LossModel, PacketLoss};

use crate::RATE_HZ;
use crate::error::DegradeError;

/// Samples over which a repeated packet, and the first good one after it, fade in: 2 ms.
const SEAM: usize = RATE_HZ as usize / 500;

/// Names and values for a receipt.
pub(crate) type Achieved = Vec<(String, f64)>;

/// Which of `packets` are lost.
///
/// - Random: each packet by itself with probability `rate`.
/// - Bursts: the chain of Gilbert (1960) and Elliott (1963), started in its stationary state; a visit to the bad state
///   lasts `burst` packets in the mean, and the share of packets lost is `rate` in the long run.
/// - Jitter: delays beyond the fastest packet are independent and exponential, so a packet is late with probability
///   `exp(-buffer / jitter)`.
///
/// A packet always takes the same numbers from `rng`. So the packets lost at a lower rate are among those lost at a
/// higher one, for bursts as long as these are bursts: a bad state at least as likely after a bad one as after a good.
///
/// # Errors
/// [`DegradeError::Parameter`].
pub(crate) fn draw(model: &LossModel, packets: usize, rng: &mut ChaCha8Rng) -> Result<Vec<bool>, DegradeError> {
    let rate = expected_rate(model)?;
    let LossModel::Bursts { burst, bad_loss, .. } = *model else {
        return Ok((0..packets).map(|_| uniform(rng) < rate).collect());
    };
    let bad_share = rate / bad_loss;
    let (stay, enter) = (1.0 - 1.0 / burst, bad_share / ((1.0 - bad_share) * burst));
    let mut chance = bad_share;
    let lost = (0..packets).map(|_| {
        let bad = uniform(rng) < chance;
        chance = if bad { stay } else { enter };
        uniform(rng) < bad_loss && bad
    });
    Ok(lost.collect())
}

/// The share of packets lost in the long run, 0 to 1.
///
/// # Errors
/// [`DegradeError::Parameter`] for parameters outside their range, and for bursts so short that the good state would
/// have to last less than a packet.
pub(crate) fn expected_rate(model: &LossModel) -> Result<f64, DegradeError> {
    let share = |parameter, value: f64| within(parameter, value, 0.0..=1.0, "0 to 1");
    match *model {
        LossModel::Random { rate } => share("loss rate", rate),
        LossModel::Bursts { rate, burst, bad_loss } => {
            share("loss rate", rate)?;
            share("bad_loss", bad_loss)?;
            within("burst", burst, 1.0..=1e6, "1 packet or more")?;
            if rate >= bad_loss {
                return Err(DegradeError::Parameter {
                    parameter: "bad_loss",
                    actual: bad_loss,
                    expected: "more than the loss rate",
                });
            }
            if rate / (bad_loss - rate) > burst {
                return Err(DegradeError::Parameter {
                    parameter: "burst",
                    actual: burst,
                    expected: "at least loss / (bad_loss - loss) packets",
                });
            }
            Ok(rate)
        }
        LossModel::Jitter { jitter_ms, buffer_ms } => {
            within("jitter_ms", jitter_ms, 0.0..=1e6, "0 or more")?;
            within("buffer_ms", buffer_ms, 0.0..=1e6, "0 or more")?;
            Ok(if jitter_ms == 0.0 { 0.0 } else { libm::exp(-buffer_ms / jitter_ms) })
        }
    }
}

fn within(
    parameter: &'static str,
    actual: f64,
    range: core::ops::RangeInclusive<f64>,
    expected: &'static str,
) -> Result<f64, DegradeError> {
    if range.contains(&actual) { Ok(actual) } else { Err(DegradeError::Parameter { parameter, actual, expected }) }
}

/// A number in 0..1, of 53 bits.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// `packets`, `packets_lost` and `longest_loss` (packets in a row) for a receipt.
pub(crate) fn achieved(lost: &[bool]) -> Achieved {
    let longest = lost.split(|lost| !lost).map(<[bool]>::len).max().unwrap_or(0);
    let count = lost.iter().filter(|lost| **lost).count();
    [("packets", lost.len()), ("packets_lost", count), ("longest_loss", longest)]
        .map(|(name, value)| (name.to_owned(), value as f64))
        .to_vec()
}

/// Loses packets of samples and fills the gaps; as many samples as came in, and [`achieved`].
///
/// `Fill::Zero` leaves silence with hard edges. `Fill::Repeat` plays the last received packet again, each time in a row
/// 6 dB softer than before; the first 2 ms of each repetition, and of the good packet after it, fade in while the mirror
/// image of what was heard last fades out. Nothing is heard before the first received packet. Repeated samples are off
/// the 16-bit grid.
///
/// # Errors
/// [`DegradeError::Parameter`]: `packet_ms` outside 1 to 200, and those of [`draw`].
pub(crate) fn lose(
    loss: &PacketLoss,
    samples: &[f32],
    rng: &mut ChaCha8Rng,
) -> Result<(Vec<f32>, Achieved), DegradeError> {
    let packet_ms = within("packet_ms", loss.packet_ms, 1.0..=200.0, "1 to 200")?;
    let packet = libm::round(packet_ms * f64::from(RATE_HZ) / 1000.0) as usize;
    let lost = draw(&loss.model, samples.len().div_ceil(packet), rng)?;
    let filled = match loss.fill {
        Fill::Zero => {
            let packets = samples.chunks(packet).zip(&lost);
            packets.flat_map(|(part, lost)| part.iter().map(move |x| if *lost { 0.0 } else { *x })).collect()
        }
        Fill::Repeat => repeat(samples, packet, &lost),
    };
    Ok((filled, achieved(&lost)))
}

fn repeat(samples: &[f32], packet: usize, lost: &[bool]) -> Vec<f32> {
    let mut out: Vec<f32> = Vec::with_capacity(samples.len());
    let (mut last, mut gain): (&[f32], f32) = (&[], 1.0);
    let mut after_loss = false;
    for (part, lost) in samples.chunks(packet).zip(lost) {
        let start = out.len();
        if *lost {
            out.extend(last.iter().take(part.len()).map(|x| gain * x));
            out.resize(start + part.len(), 0.0);
            gain /= 2.0;
        } else {
            out.extend_from_slice(part);
            (last, gain) = (part, 1.0);
        }
        if *lost || after_loss {
            fade_in(&mut out, start, part.len().min(SEAM));
        }
        after_loss = *lost;
    }
    out
}

/// Blends the mirror image of what lies before `start` into what lies after it.
fn fade_in(out: &mut [f32], start: usize, len: usize) {
    let (before, after) = out.split_at_mut(start);
    for (i, x) in after[..len].iter_mut().enumerate() {
        let weight = (i as f32 + 0.5) / len as f32;
        let mirror = before.len().checked_sub(i + 1).map_or(0.0, |at| before[at]);
        *x = weight * *x + (1.0 - weight) * mirror;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::keyed::keyed_rng;

    const PACKETS: usize = 4000;
    const KEYS: u64 = 50;

    fn lost(model: LossModel, key: u64) -> Vec<bool> {
        draw(&model, PACKETS, &mut keyed_rng(key, "loss", "c/1", "test")).unwrap()
    }

    fn share(lost: &[bool]) -> f64 {
        lost.iter().filter(|l| **l).count() as f64 / lost.len() as f64
    }

    #[test]
    fn random_losses_reach_their_rate_and_are_independent() {
        for rate in [0.01, 0.05, 0.3, 0.9] {
            let all: Vec<bool> = (0..KEYS).flat_map(|key| lost(LossModel::Random { rate }, key)).collect();
            let n = all.len() as f64;
            // Five standard deviations of a binomial share.
            assert!((share(&all) - rate).abs() < 5.0 * (rate * (1.0 - rate) / n).sqrt(), "{rate}: {}", share(&all));
            let pairs = all.windows(2).filter(|w| w[0] && w[1]).count() as f64 / n;
            let both = rate * rate;
            assert!((pairs - both).abs() < 6.0 * (both / n).sqrt(), "{rate}: pairs {pairs}, want {both}");
        }
    }

    #[test]
    fn bursts_reach_their_rate_and_mean_length() {
        for (rate, burst, bad_loss) in [(0.05, 4.0, 1.0), (0.1, 8.0, 0.5), (0.02, 1.0, 1.0), (0.3, 20.0, 0.9)] {
            let model = LossModel::Bursts { rate, burst, bad_loss };
            let runs: Vec<Vec<bool>> = (0..KEYS).map(|key| lost(model, key)).collect();
            let all: Vec<bool> = runs.concat();
            let n = all.len() as f64;
            // Correlation over `burst` packets leaves n / (2 burst) independent ones.
            let deviation = (rate * (1.0 - rate) * 2.0 * burst / n).sqrt();
            assert!((share(&all) - rate).abs() < 5.0 * deviation, "{model:?}: {}", share(&all));
            if bad_loss == 1.0 {
                let lengths: Vec<f64> =
                    runs.iter().flat_map(|r| r.split(|l| !l)).map(|s| s.len() as f64).filter(|l| *l > 0.0).collect();
                let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
                let deviation = burst / (lengths.len() as f64).sqrt();
                assert!((mean - burst).abs() < 5.0 * deviation, "{model:?}: mean burst {mean}");
            }
            // Stationary from the first packet on.
            let first = (0..2000).filter(|key| draw(&model, 1, &mut keyed_rng(*key, "loss", "", "")).unwrap()[0]);
            let first = first.count() as f64 / 2000.0;
            assert!((first - rate).abs() < 5.0 * (rate / 2000.0).sqrt(), "{model:?}: first {first}");
        }
    }

    #[test]
    fn late_packets_are_those_beyond_the_buffer() {
        for (jitter_ms, buffer_ms, want) in [(20.0, 60.0, (-3.0f64).exp()), (20.0, 0.0, 1.0), (0.0, 0.0, 0.0)] {
            let model = LossModel::Jitter { jitter_ms, buffer_ms };
            let all: Vec<bool> = (0..KEYS).flat_map(|key| lost(model, key)).collect();
            let deviation = (want * (1.0 - want) / all.len() as f64).sqrt();
            assert!((share(&all) - want).abs() <= 5.0 * deviation, "{model:?}: {}", share(&all));
        }
    }

    #[test]
    fn losses_at_a_lower_rate_are_among_those_at_a_higher_one() {
        let within = |few: &[bool], many: &[bool]| few.iter().zip(many).all(|(few, many)| !few || *many);
        for key in 0..KEYS {
            let random = [0.0, 0.01, 0.05, 0.5, 1.0].map(|rate| lost(LossModel::Random { rate }, key));
            let burst = |rate| lost(LossModel::Bursts { rate, burst: 4.0, bad_loss: 0.9 }, key);
            let bursts = [0.0, 0.01, 0.05, 0.3, 0.6].map(burst);
            let jitter = |buffer_ms| lost(LossModel::Jitter { jitter_ms: 20.0, buffer_ms }, key);
            let jitters = [200.0, 80.0, 40.0, 5.0, 0.0].map(jitter);
            for rising in [random, bursts, jitters] {
                assert!(rising.windows(2).all(|w| within(&w[0], &w[1])));
                assert!(share(&rising[4]) > share(&rising[1]));
            }
        }
    }

    fn fill(rate: f64, fill: Fill, samples: &[f32]) -> (Vec<f32>, Achieved) {
        let loss = PacketLoss { model: LossModel::Random { rate }, packet_ms: 20.0, fill };
        lose(&loss, samples, &mut keyed_rng(7, "loss", "c/1", "test")).unwrap()
    }

    fn tone(len: usize) -> Vec<f32> {
        (0..len).map(|i| 0.5 * (i as f32 * 0.1).sin()).collect()
    }

    #[test]
    fn no_loss_is_the_identity_and_total_loss_is_silence() {
        for len in [1, 319, 320, 321, 5000] {
            let x = tone(len);
            for kind in [Fill::Zero, Fill::Repeat] {
                assert_eq!(fill(0.0, kind, &x).0, x);
                let (silent, achieved) = fill(1.0, kind, &x);
                assert_eq!(silent, vec![0.0; len]);
                let packets = len.div_ceil(320) as f64;
                assert_eq!(achieved.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [packets; 3]);
            }
        }
    }

    #[test]
    fn zero_fill_changes_lost_packets_alone() {
        let x = vec![0.25f32; 320 * 500];
        let (y, achieved) = fill(0.1, Fill::Zero, &x);
        let silent = y.chunks(320).filter(|p| p.iter().all(|v| *v == 0.0)).count();
        let kept = y.chunks(320).filter(|p| p.iter().all(|v| *v == 0.25)).count();
        assert_eq!((silent + kept, silent as f64), (500, achieved[1].1));
        assert!((25..80).contains(&silent), "{silent}");
    }

    #[test]
    fn repetition_fades_without_clicks() {
        // Two good packets, three lost, two good.
        let x = tone(320 * 7);
        let y = repeat(&x, 320, &[false, false, true, true, true, false, false]);
        assert_eq!(&y[..640], &x[..640]);
        for (index, gain) in [(2, 1.0), (3, 0.5), (4, 0.25)] {
            for i in SEAM..320 {
                assert_eq!(y[index * 320 + i], gain * x[320 + i], "packet {index}, sample {i}");
            }
        }
        assert_eq!(&y[5 * 320 + SEAM..], &x[5 * 320 + SEAM..]);
        // The tone itself moves by 0.05 a sample.
        let steepest = y.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.08, "{steepest}");
    }

    #[test]
    fn parameters_outside_their_range_are_named() {
        let named = |model: LossModel| match expected_rate(&model).unwrap_err() {
            DegradeError::Parameter { parameter, .. } => parameter,
            other => panic!("{other}"),
        };
        assert_eq!(named(LossModel::Random { rate: 1.1 }), "loss rate");
        assert_eq!(named(LossModel::Random { rate: f64::NAN }), "loss rate");
        let bursts = |rate, burst, bad_loss| named(LossModel::Bursts { rate, burst, bad_loss });
        assert_eq!(bursts(0.1, 0.5, 1.0), "burst");
        assert_eq!(bursts(0.1, 4.0, 1.5), "bad_loss");
        assert_eq!(bursts(0.5, 4.0, 0.5), "bad_loss");
        // Losing nine in ten with visits of one packet would need good states of a ninth of a packet.
        assert_eq!(bursts(0.9, 1.0, 1.0), "burst");
        assert_eq!(named(LossModel::Jitter { jitter_ms: -1.0, buffer_ms: 1.0 }), "jitter_ms");
        assert_eq!(named(LossModel::Jitter { jitter_ms: 1.0, buffer_ms: f64::INFINITY }), "buffer_ms");
        let loss = PacketLoss { model: LossModel::Random { rate: 0.0 }, packet_ms: 0.0, fill: Fill::Zero };
        let error = lose(&loss, &[0.0], &mut keyed_rng(7, "loss", "", "")).unwrap_err();
        assert!(matches!(error, DegradeError::Parameter { parameter: "packet_ms", .. }));
    }
}
