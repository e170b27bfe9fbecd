//! Signal metrics: what a degradation did to a signal, and how one signal looks.
//!
//! ```text
//! noise_ratio.rs      SNR, segmental SNR, SI-SDR
//! sdr.rs              BSS-eval SDR
//! spectral.rs         log-spectral and mel-spectral distance
//! intelligibility.rs  STOI, ESTOI
//! delay.rs            delay by cross-correlation
//! loudness.rs         ITU-R BS.1770 loudness
//! level.rs            peak, RMS, crest factor, DC, clipping
//! ```
//!
//! Everything is computed in double precision with the functions of `libm`, in a fixed order: the same bits on every
//! machine and thread. A metric that a signal does not define says why ([`Undefined`]); a reading is never NaN, and
//! infinite only where the documentation says so.
//!
//! ```
//! use vbench_score::signal::{SIGNAL_METRICS, pair_metrics};
//!
//! let clean: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.1).sin() * 0.5).collect();
//! let noisy: Vec<f32> = clean.iter().enumerate().map(|(i, x)| x + 0.05 * (i as f32 * 2.9).cos()).collect();
//! let metrics = pair_metrics(&clean, &noisy, 16_000)?;
//! assert!((metrics.snr_db.unwrap() - 20.0).abs() < 0.1);
//! assert_eq!(metrics.readings().len(), SIGNAL_METRICS.len());
//! # Ok::<(), vbench_score::signal::SignalError>(())
//! ```

mod delay;
mod intelligibility;
mod level;
mod loudness;
mod noise_ratio;
mod sdr;
mod spectral;

pub use delay::{Delay, delay};
pub use intelligibility::{estoi, stoi};
pub use level::{clipped_share, crest_db, dc, flat_runs, peak_dbfs, rms_dbfs};
pub use loudness::loudness_lufs;
pub use noise_ratio::{segsnr_db, si_sdr_db, si_sdr_zero_mean_db, snr_db};
pub use sdr::sdr_db;
pub use spectral::{lsd_db, mel_distance_db};
pub use vbench_core::signal_metric::{CLIP_METRICS, SIGNAL_METRICS, SignalMetric};

/// A metric's value, or why the signal does not define it.
pub type Reading = Result<f64, Undefined>;

/// Why a metric has no value. Not an error of the caller: a row shows it as "not defined: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// The signal is zero throughout (or constant, where the mean does not count).
    #[error("the signal is silent")]
    Silent,
    /// The same of the reference.
    #[error("the reference is silent")]
    SilentReference,
    /// The same of the degraded signal.
    #[error("the degraded signal is silent")]
    SilentDegraded,
    /// Not even one analysis window.
    #[error("{samples} samples, {needed} are needed")]
    TooShort {
        /// Samples given.
        samples: usize,
        /// Samples needed.
        needed: usize,
    },
    /// Fewer active frames than one segment of STOI.
    #[error("{frames} frames of 12.8 ms within 40 dB of the loudest one, 30 are needed")]
    TooLittleSpeech {
        /// Frames that are left.
        frames: usize,
    },
    /// No block above the absolute gate of BS.1770.
    #[error("no 400 ms louder than -70 LUFS")]
    BelowGate,
    /// The band is too narrow for the metric.
    #[error("a rate of {rate_hz} Hz, at least {needed_hz} Hz is needed")]
    RateTooLow {
        /// The signal's rate.
        rate_hz: u32,
        /// The lowest rate for this metric.
        needed_hz: u32,
    },
    /// One signal is silent wherever the other is not.
    #[error("no part in which both signals sound")]
    NoCommonPart,
    /// A sample is not a number, infinite or absurdly large.
    #[error("a sample is not finite")]
    NotFinite,
}

/// Signals that no metric accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// The two signals of a pair differ in length.
    #[error("the reference has {reference} samples, the degraded signal {degraded}: align and cut them first")]
    Lengths {
        /// Samples of the reference.
        reference: usize,
        /// Samples of the degraded signal.
        degraded: usize,
    },
    /// A sample is NaN, infinite or beyond 1e50.
    #[error("sample {index} of the {side} is {value}")]
    Sample {
        /// `reference`, `degraded signal` or `signal`.
        side: &'static str,
        /// Its position from 0.
        index: usize,
        /// What is there.
        value: String,
    },
    /// A sample rate of 0 or above 1 MHz.
    #[error("a sample rate of {rate_hz} Hz, must be 1 to {MAX_RATE_HZ}")]
    Rate {
        /// The rate given.
        rate_hz: u32,
    },
    /// More samples than are measured at once.
    #[error("{samples} samples, at most {limit} are measured at once: split the recording")]
    TooLong {
        /// Samples given.
        samples: usize,
        /// Samples allowed.
        limit: usize,
    },
}

/// Longest signal measured at once: 2.3 hours at 16 kHz, where STOI's copies take about 4 GB.
pub const MAX_SAMPLES: usize = 1 << 27;
/// Highest sample rate.
pub const MAX_RATE_HZ: u32 = 1_000_000;
/// Squares of squares of larger samples would overflow.
const LARGEST: f64 = 1e50;
/// Energies below this are zero: their squares would vanish.
const SILENT_ENERGY: f64 = 1e-150;

/// A reference and what became of it: equal lengths, one rate, finite samples.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    reference: &'a [f64],
    degraded: &'a [f64],
    rate_hz: u32,
    reference_energy: f64,
    degraded_energy: f64,
}

impl<'a> Pair<'a> {
    /// Checks a pair of mono signals, nominally within -1..1.
    ///
    /// # Errors
    ///
    /// Lengths that differ or exceed [`MAX_SAMPLES`], a rate of 0 or above [`MAX_RATE_HZ`], a sample that is not
    /// finite or beyond 1e50.
    pub fn new(reference: &'a [f64], degraded: &'a [f64], rate_hz: u32) -> Result<Self, SignalError> {
        if reference.len() != degraded.len() {
            return Err(SignalError::Lengths { reference: reference.len(), degraded: degraded.len() });
        }
        check_shape(reference.len(), rate_hz)?;
        check_samples("reference", reference)?;
        check_samples("degraded signal", degraded)?;
        let (reference_energy, degraded_energy) = (energy(reference), energy(degraded));
        Ok(Self { reference, degraded, rate_hz, reference_energy, degraded_energy })
    }

    fn len(&self) -> usize {
        self.reference.len()
    }

    fn silent_reference(&self) -> bool {
        self.reference_energy < SILENT_ENERGY
    }

    fn silent_degraded(&self) -> bool {
        self.degraded_energy < SILENT_ENERGY
    }

    /// Both signals sound, or which of them does not.
    fn both_sound(&self) -> Result<(), Undefined> {
        if self.silent_reference() {
            Err(Undefined::SilentReference)
        } else if self.silent_degraded() {
            Err(Undefined::SilentDegraded)
        } else {
            Ok(())
        }
    }
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|v| v * v).sum()
}

fn check_shape(samples: usize, rate_hz: u32) -> Result<(), SignalError> {
    if samples > MAX_SAMPLES {
        return Err(SignalError::TooLong { samples, limit: MAX_SAMPLES });
    }
    if rate_hz == 0 || rate_hz > MAX_RATE_HZ {
        return Err(SignalError::Rate { rate_hz });
    }
    Ok(())
}

fn check_samples(side: &'static str, samples: &[f64]) -> Result<(), SignalError> {
    match samples.iter().position(|v| v.is_nan() || v.abs() > LARGEST) {
        Some(index) => Err(SignalError::Sample { side, index, value: samples[index].to_string() }),
        None => Ok(()),
    }
}

/// Every metric of a pair; each field's meaning is that of the function of its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairMetrics {
    /// [`snr_db`].
    pub snr_db: Reading,
    /// [`segsnr_db`].
    pub segsnr_db: Reading,
    /// [`si_sdr_db`].
    pub si_sdr_db: Reading,
    /// [`si_sdr_zero_mean_db`].
    pub si_sdr_zero_mean_db: Reading,
    /// [`sdr_db`].
    pub sdr_db: Reading,
    /// [`lsd_db`].
    pub lsd_db: Reading,
    /// [`mel_distance_db`].
    pub mel_distance_db: Reading,
    /// [`stoi`].
    pub stoi: Reading,
    /// [`estoi`].
    pub estoi: Reading,
    /// [`delay`] within half a second, whole samples, positive where the degraded signal is late.
    pub delay_samples: Reading,
    /// Normalised correlation at that delay.
    pub correlation: Reading,
    /// [`loudness_lufs`] of the degraded signal less that of the reference, LU.
    pub loudness_difference_lu: Reading,
}

impl PairMetrics {
    /// All of them with their names, in the order of [`SIGNAL_METRICS`].
    pub fn readings(&self) -> [(&'static SignalMetric, Reading); 12] {
        let values = [
            self.snr_db,
            self.segsnr_db,
            self.si_sdr_db,
            self.si_sdr_zero_mean_db,
            self.sdr_db,
            self.lsd_db,
            self.mel_distance_db,
            self.stoi,
            self.estoi,
            self.delay_samples,
            self.correlation,
            self.loudness_difference_lu,
        ];
        core::array::from_fn(|i| (&SIGNAL_METRICS[i], values[i]))
    }
}

/// Every metric of one signal; each field's meaning is that of the function of its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalMetrics {
    /// [`peak_dbfs`].
    pub peak_dbfs: Reading,
    /// [`rms_dbfs`].
    pub rms_dbfs: Reading,
    /// [`crest_db`].
    pub crest_db: Reading,
    /// [`loudness_lufs`].
    pub loudness_lufs: Reading,
    /// [`dc`].
    pub dc: Reading,
    /// [`clipped_share`].
    pub clipped_share: Reading,
    /// [`flat_runs`].
    pub flat_runs: Reading,
}

impl SignalMetrics {
    /// All of them with their names, in the order of [`CLIP_METRICS`].
    pub fn readings(&self) -> [(&'static SignalMetric, Reading); 7] {
        let values = [
            self.peak_dbfs,
            self.rms_dbfs,
            self.crest_db,
            self.loudness_lufs,
            self.dc,
            self.clipped_share,
            self.flat_runs,
        ];
        core::array::from_fn(|i| (&CLIP_METRICS[i], values[i]))
    }
}

/// Every metric between a mono reference and its degraded version, nominally within -1..1, at one rate.
///
/// # Errors
///
/// As [`Pair::new`].
pub fn pair_metrics(reference: &[f32], degraded: &[f32], rate_hz: u32) -> Result<PairMetrics, SignalError> {
    if reference.len() != degraded.len() {
        return Err(SignalError::Lengths { reference: reference.len(), degraded: degraded.len() });
    }
    check_shape(reference.len(), rate_hz)?;
    Ok(measure(&Pair::new(&widened(reference), &widened(degraded), rate_hz)?))
}

/// Every metric of a pair in double precision; what [`pair_metrics`] returns.
#[must_use]
pub fn measure(pair: &Pair<'_>) -> PairMetrics {
    let (lsd_db, mel_distance_db) = spectral::both(pair);
    let (stoi, estoi) = intelligibility::both(pair);
    let delay = delay(pair, pair.rate_hz as usize / 2);
    PairMetrics {
        snr_db: snr_db(pair),
        segsnr_db: segsnr_db(pair),
        si_sdr_db: si_sdr_db(pair),
        si_sdr_zero_mean_db: si_sdr_zero_mean_db(pair),
        sdr_db: sdr_db(pair),
        lsd_db,
        mel_distance_db,
        stoi,
        estoi,
        delay_samples: delay.map(|d| d.samples as f64),
        correlation: delay.map(|d| d.correlation),
        loudness_difference_lu: loudness_difference_lu(pair),
    }
}

/// One metric of a pair by its name in [`SIGNAL_METRICS`]; `None` for another name.
#[must_use]
pub fn pair_metric(pair: &Pair<'_>, name: &str) -> Option<Reading> {
    let lag = || delay(pair, pair.rate_hz as usize / 2);
    Some(match name {
        "snr_db" => snr_db(pair),
        "segsnr_db" => segsnr_db(pair),
        "si_sdr_db" => si_sdr_db(pair),
        "si_sdr_zero_mean_db" => si_sdr_zero_mean_db(pair),
        "sdr_db" => sdr_db(pair),
        "lsd_db" => lsd_db(pair),
        "mel_distance_db" => mel_distance_db(pair),
        "stoi" => stoi(pair),
        "estoi" => estoi(pair),
        "delay_samples" => lag().map(|d| d.samples as f64),
        "correlation" => lag().map(|d| d.correlation),
        "loudness_difference_lu" => loudness_difference_lu(pair),
        _ => return None,
    })
}

fn loudness_difference_lu(pair: &Pair<'_>) -> Reading {
    let loudness = |samples| loudness_lufs(samples, pair.rate_hz);
    loudness(pair.reference).and_then(|reference| Ok(loudness(pair.degraded)? - reference))
}

/// Every metric of one mono signal, nominally within -1..1.
///
/// # Errors
///
/// More than [`MAX_SAMPLES`] samples, a rate of 0 or above [`MAX_RATE_HZ`], a sample that is not finite.
pub fn signal_metrics(samples: &[f32], rate_hz: u32) -> Result<SignalMetrics, SignalError> {
    check_shape(samples.len(), rate_hz)?;
    let wide = widened(samples);
    check_samples("signal", &wide)?;
    Ok(SignalMetrics {
        peak_dbfs: peak_dbfs(samples),
        rms_dbfs: rms_dbfs(samples),
        crest_db: crest_db(samples),
        loudness_lufs: loudness_lufs(&wide, rate_hz),
        dc: dc(samples),
        clipped_share: clipped_share(samples),
        flat_runs: flat_runs(samples),
    })
}

fn widened(samples: &[f32]) -> Vec<f64> {
    samples.iter().map(|v| f64::from(*v)).collect()
}
